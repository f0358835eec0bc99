//! A relay: passes sealed packets from one device to another by their WireGuard public keys.
//!
//! It sees only ciphertext, and admits only devices that hold a ticket of the fleet's authority and the key that the
//! ticket names. [`switchboard`] makes all decisions, without a socket and without a clock. [`Relay`] gives it a UDP
//! port, a second UDP port that only tells callers the address they are seen at, and a route for TLS legs: WebSockets,
//! for devices whose UDP is blocked.
//!
//! **A packet passes through**: the kernel gives a batch of runs, each run a buffer of datagrams of one size from one
//! sender. The switchboard looks up a run's session and destination once, writes the new header over the old one in
//! place, and names the receiver; the server sends the same buffer on in one call. Datagrams are copied only when they
//! cannot be sent at once: into a bounded queue of the receiver, which drops its oldest.

mod server;
pub mod switchboard;
mod tls_leg;
mod udp;

pub use flotilla_wire::StaticKey;
pub use server::{Relay, RelayConfig, StartError};
pub use switchboard::{ClientFacts, Facts, Limits, Totals};
pub use tls_leg::{IdentifyRequest, LegRequest};

/// `GET` with a WebSocket upgrade opens a TLS leg, for devices whose UDP is blocked. Each message holds one frame.
pub const CONNECT_PATH: &str = "/relay/v1/connect";
