//! UDP sockets of the data plane and of the relay: runs of datagrams of one size go out and come in by one call each.
//!
//! - [`Socket`]: both families by one socket, from the address that was asked, and nothing is fragmented on its way:
//!   a datagram is whole or not at all, so that a size that was answered is one that the path carries.
//! - [`Inbox`]: where runs come in.
//! - [`Sent`]: what became of a run. A destination that takes no runs, or no large datagrams, changes nothing for others.
//!
//! No call here waits: the owner of a socket waits for it together with other things (by `poll`, or by a runtime, for
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
