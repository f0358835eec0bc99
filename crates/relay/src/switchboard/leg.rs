//! Ways to a client, and what is sent along them.

use super::StreamId;
pub use flotilla_udp::Route;
use flotilla_wire::SessionId;
use std::ops::Range;

/// By which way a client is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leg {
    Udp(Route),
    Stream(StreamId),
}

/// A part of the run that was handled, readdressed in place, to be sent on now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forward {
    pub to: Route,
    /// Where it is in the run.
    pub range: Range<usize>,
    /// Length of each datagram but the last, which may be shorter.
    pub segment: usize,
    pub(super) session: SessionId,
    /// Whose it is.
    pub(super) source: SessionId,
}

/// Datagrams to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transmit {
    pub to: Route,
    pub bytes: Vec<u8>,
    /// Length of each datagram but the last, which may be shorter.
    pub segment: usize,
}
