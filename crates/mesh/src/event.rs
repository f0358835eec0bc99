//! What the mesh tells its shell, beside datagrams to send.

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
    /// Another path to a peer, or another reason for it.
    Path(PathState),
    /// What control should know of this device changed.
    Standing(Standing),
    /// Datagrams do not reach this relay: a TLS leg to it is wanted.
    NeedsStream(RelayId),
    /// The TLS leg may be closed.
    NoLongerNeedsStream(RelayId),
    /// The answer to [`crate::Mesh::test_path`].
    Tested { peer: DeviceId, attempts: Vec<Tried> },
}

/// How a peer is reached now.
#[derive(Debug, Clone, PartialEq)]
pub struct PathState {
    pub peer: DeviceId,
    pub why: PathReason,
    pub relay: Option<RelayId>,
    pub remote: Option<SocketAddr>,
    /// The end at which `why` holds, when it is one of the two.
    pub cause: Option<DeviceId>,
    /// Round trip of the last answered probe.
    pub rtt: Option<Duration>,
    pub since: Instant,
    pub last_handshake: Option<Instant>,
    pub received_bytes: u64,
    pub sent_bytes: u64,
    /// Largest IP packet that the path carries.
    pub mtu: u16,
}

/// How this device stands toward the rest of the world.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// Where others may reach it; none when its traffic always goes through a relay.
    pub candidates: Vec<Candidate>,
    pub nat: Nat,
    pub home_relay: Option<RelayId>,
}

/// One try of a test of a path.
#[derive(Debug, Clone, PartialEq)]
pub struct Tried {
    /// `None` for the relay's way.
    pub remote: Option<SocketAddr>,
    pub relay: Option<RelayId>,
    /// Absent when no answer came in time.
    pub rtt: Option<Duration>,
}
