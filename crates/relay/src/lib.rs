//! A relay: passes sealed packets from one device to another by their WireGuard public keys.
//!
//! It sees only ciphertext, and lets in only devices that hold a ticket of the fleet's authority and the key that
//! the ticket names. [`switchboard`] decides everything and touches nothing: no socket, no clock. [`Relay`] gives it
//! a UDP port, a second one on which it only tells callers where they are seen, and a route for WebSockets, for
//! devices whose UDP does not pass.
//!
//! **A packet passes through**: a batch of runs comes from the kernel, each run a buffer of datagrams of one size
//! from one sender. The switchboard looks a run's session and destination up once, writes the new header over the
//! old one in place, and names the receiver; the server sends the same buffer on, as one call. Only what cannot
//! be sent at once is copied, into a bounded queue of the receiver that drops its oldest.

mod server;
mod stream;
pub mod switchboard;
mod udp;

pub use flotilla_wire::StaticKey;
pub use server::{Relay, RelayConfig, StartError};
pub use stream::{Visitor, Visits};
pub use switchboard::{ClientFacts, Facts, Limits, Totals};

/// `GET` with a WebSocket upgrade: the way in for devices whose UDP does not pass. One frame a message.
pub const CONNECT_PATH: &str = "/relay/v1/connect";
