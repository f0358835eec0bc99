//! What the mesh reports to the code that drives it, beside datagrams to send.

use flotilla_protocol::{
    id::{DeviceId, RelayId},
    mesh::{Candidate, Nat},
    path::PathReason,
};
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A peer's path or the reason for it changed.
    Path(PathState),
    /// What control needs to know of this device's reachability changed.
    Reachability(Reachability),
    /// Datagrams do not reach this relay, so it needs a TLS leg.
    NeedsLeg(RelayId),
    /// The relay's TLS leg is not needed any more and may be closed.
    NoLongerNeedsLeg(RelayId),
    /// The answer to [`crate::Mesh::test_path`].
    Tested { peer: DeviceId, attempts: Vec<Attempt> },
}

/// The present path to a peer.
#[derive(Debug, Clone, PartialEq)]
pub struct PathState {
    pub peer: DeviceId,
    pub why: PathReason,
    pub relay: Option<RelayId>,
    pub remote: Option<SocketAddr>,
    /// The end that causes `why`, when it is one of the two.
    pub cause: Option<DeviceId>,
    /// Smoothed round trip of answered probes.
    pub rtt: Option<Duration>,
    pub since: Instant,
    pub last_handshake: Option<Instant>,
    pub received_bytes: u64,
    pub sent_bytes: u64,
    /// The largest IP packet that the path carries, in bytes.
    pub mtu: u16,
}

/// How other devices can reach this one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reachability {
    /// Addresses at which peers may reach this device; none when its traffic always goes through a relay.
    pub candidates: Vec<Candidate>,
    pub nat: Nat,
    pub home_relay: Option<RelayId>,
}

/// The result of probing one candidate in a test of all paths to a peer.
#[derive(Debug, Clone, PartialEq)]
pub struct Attempt {
    /// `None` for the path through a relay.
    pub remote: Option<SocketAddr>,
    pub relay: Option<RelayId>,
    /// Round trip; `None` when no answer came in time.
    pub rtt: Option<Duration>,
}
