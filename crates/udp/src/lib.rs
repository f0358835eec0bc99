//! UDP sockets of the data plane and of the relay: runs of datagrams of one size go out and come in by one call each.
//!
//! - [`Socket`]: one socket for both families. An answer leaves from the address that was sent to, and nothing is
//!   fragmented: a datagram arrives whole or not at all, so a size that was answered is one that the path carries.
//! - [`Inbox`]: the buffers for received runs.
//! - [`Sent`]: the result of sending a run. A destination that takes no runs, or no large datagrams, changes nothing
//!   for others.
//!
//! No call here blocks: the owner of a socket waits for it together with other things (by `poll`, or by a runtime, for
//! which [`Socket::handle`] gives a second handle).

mod inbox;
mod refusal;
mod send;
mod socket;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;

pub use inbox::{Inbox, Received};
pub use send::Sent;
pub use socket::{Route, Socket};
