//! What the devices of tests report.

use flotilla_protocol::{
    Timestamp,
    id::DeviceId,
    mesh::{Candidate, CandidateKind, MeshReport, MeshState, Nat},
    path::{PathReason, PeerPath},
};
use std::net::SocketAddr;

/// A mesh that is up, with a local candidate at each port.
pub(crate) fn mesh_at(ports: impl IntoIterator<Item = u16>) -> MeshReport {
    let candidate = |port| Candidate {
        kind: CandidateKind::Local,
        address: SocketAddr::from(([192, 0, 2, 7], port)),
    };
    MeshReport {
        state: MeshState::Up {
            interface: "flotilla0".into(),
            mtu: 1420,
            obstacle: None,
        },
        revision: 0,
        candidates: ports.into_iter().map(candidate).collect(),
        home_relay: None,
        nat: Nat::EndpointIndependent,
    }
}

/// A path that begins now, by no relay, on which nothing was sent yet.
pub(crate) fn path_to(peer: DeviceId, why: PathReason, now: Timestamp) -> PeerPath {
    PeerPath {
        peer,
        why,
        relay: None,
        remote: None,
        cause: None,
        rtt_ms: Some(10.0),
        since: now,
        last_handshake: None,
        received_bytes: 0,
        sent_bytes: 0,
        mtu: 1420,
    }
}
