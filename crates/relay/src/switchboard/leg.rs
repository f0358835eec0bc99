//! The legs between a relay and its clients, and the datagrams that are sent along them.

use super::TlsLegId;
pub use flotilla_udp::Route;
use flotilla_wire::SessionId;
use std::ops::Range;

/// How a client is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leg {
    Udp(Route),
    Tls(TlsLegId),
}

/// A part of the handled run, readdressed in place, to be sent at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forward {
    pub to: Route,
    /// Its place in the run.
    pub range: Range<usize>,
    /// Length of each datagram but the last, which may be shorter.
    pub segment: usize,
    pub(super) session: SessionId,
    /// The session that sent it.
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
