//! Identities: keys, enrollment tokens, the fleet's certificate authority, and TLS configurations built on them.
//!
//! A fleet has one authority, [`FleetCa`], made at control's first start. It signs two kinds of certificate, and both
//! name their holder in a single URI: control's own (`flotilla://FLEET/control`, for servers only) and one per device
//! (`flotilla://FLEET/device/ID`, for clients only). Nothing else in a certificate is checked: host names and
//! addresses are ignored, so a control that moves stays trusted.
//!
//! First trust is a one-time [`EnrollmentToken`] and the pin of the authority's key. The device generates its keys
//! itself, proves with a signed request ([`VerifiedCsr`]) that it holds them, and gets a certificate that control
//! builds from its own records; everything else in the request is ignored. For its WireGuard key it gives a proof
//! ([`WireguardKey::prove`]) that control checks with its [`ProofKey`].
//!
//! There are two TLS configurations. [`control_config`] serves browsers, enrolling agents and devices on one port: a
//! client certificate is optional, and where there is one it must be a device's of this fleet. A device certificate
//! that was revoked, or ran out less than [`EXPIRED_GRACE`] ago, passes the handshake, so that the routes can answer
//! with a reason, which a TLS alert cannot carry. [`agent_config`] trusts a server with control's certificate under
//! the pinned authority. When it refuses one, [`explain`] takes the [`TrustError`] out of the I/O error in which TLS
//! libraries wrap it. Each end presents a [`LiveCertificate`], which the next one replaces while the end runs.
//!
//! Programs on this computer recognize control by its answer to a nonce of an [`ApiKey`], before they send it their
//! token.
//!
//! Relays admit a device that has a ticket signed by the authority, and check it with a [`TicketVerifier`].
//!
//! Time comes from a [`Clock`] that the caller passes in; randomness comes from the cryptographic library, because
//! keys must not be reproducible.

mod api_key;
mod api_token;
mod ca;
mod csr;
mod issued;
mod key;
mod peer;
mod possession;
mod ticket;
mod tls;
mod token;
mod trust;
mod verify;
mod verify_relay;
mod wireguard;

pub use api_key::ApiKey;
pub use api_token::ApiToken;
pub use ca::{FleetCa, LEAF_LIFETIME};
pub use csr::{InvalidCsr, VerifiedCsr};
pub use issued::IssuedCertificate;
pub use key::{LeafKey, MaterialError};
pub use peer::{InvalidPeer, PeerCertificate, PeerIdentity, Role};
pub use possession::{InvalidProof, ProofKey};
pub use ticket::{InvalidTicket, TICKET_LIFETIME, TicketClaims, TicketVerifier};
pub use tls::{
    Clock, ControlTrust, LiveCertificate, RelayTrust, agent_config, control_config, relay_client_config,
    relay_config,
};
pub use token::{EnrollmentToken, InvalidToken, TokenHash};
pub use trust::{TrustError, explain};
pub use verify::EXPIRED_GRACE;
pub use wireguard::{InvalidWireguardKey, WireguardKey, WireguardPublicKey};
