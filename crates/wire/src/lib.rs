//! The parsers that a stranger's packet reaches first: frames of this product (probes between peers, reflect requests
//! and relay frames), and headers of IP packets ([`packet`]).
//!
//! The frames share a UDP port with WireGuard, whose messages begin with a byte 1 to 4 and three zeros (WireGuard
//! whitepaper §5.4). Ours begin with [`MAGIC`], so the two are never confused: check [`is_ours`] first. All numbers
//! are big-endian; an address is 16 bytes of IPv6 (IPv4 mapped, RFC 4291 §2.5.5.2) and a port. The relay's frames are
//! the same in a datagram and in a binary WebSocket message.
//!
//! | kind | frame | after the magic (4) and the kind (1) | length | from → to |
//! |---|---|---|---|---|
//! | 01 | probe | hint of the sender 8, counter 8, sealed ≥ 1, tag 16 | 38–1500 | peer → peer |
//! | 02 | reflect request | tx 8, zeros 51 | 64 | anyone → relay |
//! | 03 | reflect answer | tx 8, observed address 18 | 31 | relay → anyone |
//! | 04 | hello | tx 8, cookie 32, proof 32, ticket 0–512 | 77–589 | client → relay |
//! | 05 | challenge | tx 8, cookie 32 | 45 | relay → client |
//! | 06 | welcome | tx 8, session 8, keepalive seconds 2, observed address 18, proof 32 | 73 | relay → client |
//! | 07 | refused | tx 8, reason 1 | 14 | relay → client |
//! | 10 | data | session 8, key of the other end 32, payload ≥ 1 | ≥ 46 | both |
//! | 11 | gone | session 8, key of the other end 32 | 45 | relay → client |
//! | 12 | ping | session 8, tx 8 | 21 | client → relay |
//! | 13 | pong | session 8, tx 8 | 21 | relay → client |
//! | 14 | end | session 8, reason 1 | 14 | both |
//!
//! Inside a sealed probe:
//!
//! | type | probe | content |
//! |---|---|---|
//! | 01 | ping | tx 8, zeros (padding, to measure what a path carries) |
//! | 02 | pong | tx 8, observed address 18 |
//! | 03 | candidates | revision 8, addresses 18 each, at most 16 |
//!
//! A frame has one form: a frame that parses is written back as the same bytes. Nothing here allocates, and no bytes
//! make it panic. An answer to a sender that proved nothing (reflect answer, challenge, refused, end) is shorter than
//! what it answers.
//!
//! **Admission to a relay.** A client says hello without a cookie, is challenged with a cookie that is valid for its
//! address only, and says hello again with the cookie, its ticket and a proof that it holds the ticket's key
//! ([`RelayKey`]). On a TLS leg the relay sends the challenge first, without a hello. The welcome proves the relay's
//! key in turn and names the session, 64 bits that only the two know: frames with other session ids are not accepted.

mod address;
mod cursor;
mod frame;
mod key;
pub mod packet;
mod probe;
mod relay;
mod replay;
#[cfg(test)]
mod tests;

pub use frame::{Challenge, Data, Frame, Hello, Malformed, Reason, SessionId, Welcome, is_ours};
pub use key::{StaticKey, WeakKey};
pub use probe::{Addresses, Forged, Hint, Probe, ProbeKey, SealedProbe};
pub use relay::{Cookie, Proof, RelayKey, readdress};
pub use replay::ReplayWindow;

/// The first bytes of every frame. WireGuard's messages begin with a byte 1 to 4.
pub const MAGIC: [u8; 4] = [0xF1, 0x07, 0x11, 0xA0];

/// Length of a reflect request; the answer is shorter.
pub const REFLECT_REQUEST_LEN: usize = 64;

/// Length of the header in front of a data frame's payload.
pub const DATA_HEADER_LEN: usize = 45;

/// The longest ticket in a hello.
pub const MAX_TICKET_LEN: usize = 512;

/// The longest hello, and so the most room that any frame but probes and data needs.
pub const MAX_CONTROL_LEN: usize = 77 + MAX_TICKET_LEN;

/// The longest probe: what an Ethernet packet carries, without the headers of IP and UDP.
pub const MAX_PROBE_LEN: usize = 1500;

/// The most addresses in one candidates probe.
pub const MAX_ADDRESSES: usize = 16;
