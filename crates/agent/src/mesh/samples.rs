//! Maps and paths for tests of the mesh.

use super::{Mesh, Surroundings};
use crate::{
    machine::AgentClock,
    state::{Identity, Keys, Secret, StateDir, status_file::StatusFile},
};
use flotilla_protocol::{
    device::RelayPreference,
    enroll::MeshAddress,
    id::{DeviceId, RelayId},
    key::PublicKey,
    mesh::{Filter, Nat, NetworkMap, Peer, Relay, RelayTicket},
    path::{PathReason, PeerPath},
};
use std::sync::Arc;
use zeroize::Zeroizing;

/// A map with one peer, `nas`, and the controller's relay.
pub(crate) fn map(revision: u64) -> NetworkMap {
    NetworkMap {
        revision,
        address: MeshAddress {
            address: [100, 71, 0, 2].into(),
            prefix: 16,
        },
        relay: RelayPreference::Auto,
        peers: vec![Peer {
            id: peer(),
            name: "nas".parse().unwrap(),
            public_key: PublicKey::from_bytes([7; 32]),
            address: [100, 71, 0, 3].into(),
            relay: RelayPreference::Auto,
            candidates: Vec::new(),
            home_relay: Some(relay()),
            nat: Nat::Unknown,
            plain: false,
        }],
        relays: vec![Relay {
            id: relay(),
            name: "controller".to_owned(),
            public_key: PublicKey::from_bytes([9; 32]),
            endpoints: vec!["127.0.0.1:7443".parse().unwrap()],
            reflect_port: Some(7444),
        }],
        filter: Filter::default(),
        ticket: Some(RelayTicket("ticket".to_owned())),
    }
}

pub(crate) fn peer() -> DeviceId {
    "01937c5e-7b1a-7c3e-8b9e-0123456789bb".parse().unwrap()
}

pub(crate) fn relay() -> RelayId {
    "01937c5e-7b1a-7c3e-8b9e-0123456789ab".parse().unwrap()
}

/// A relayed path to the peer with this round trip.
pub(crate) fn path(rtt_ms: f32) -> PeerPath {
    PeerPath {
        peer: peer(),
        why: PathReason::RelayTrying,
        relay: Some(relay()),
        remote: None,
        cause: None,
        rtt_ms: Some(rtt_ms),
        since: flotilla_protocol::Timestamp::UNIX_EPOCH,
        last_handshake: None,
        received_bytes: 0,
        sent_bytes: 0,
        mtu: 1280,
    }
}

/// The mesh of a member whose interface has a name that none can have, so that none is made where the tests run.
pub(crate) fn mesh(state: Arc<StateDir>, clock: AgentClock) -> Mesh {
    let surroundings = Surroundings {
        status: StatusFile::new(state.dir()),
        state,
        clock,
        tun_name: "not/a/name".to_owned(),
        proxies: flotilla_link::Proxies::default(),
    };
    Mesh::join(surroundings, &identity()).unwrap()
}

pub(crate) fn identity() -> Identity {
    Identity {
        fleet_id: "01937c5e-7b1a-7c3e-8b9e-0123456789ab".parse().unwrap(),
        device_id: "01937c5e-7b1a-7c3e-8b9e-0123456789ac".parse().unwrap(),
        device_name: "laptop".parse().unwrap(),
        keys: Keys {
            token: "01937c5e-7b1a-7c3e-8b9e-0123456789ad".parse().unwrap(),
            tls: Secret::new(Zeroizing::new("the tls key".to_owned())),
            wireguard: Secret::new(flotilla_identity::WireguardKey::generate().to_base64()),
        },
        certificate: String::new(),
        ca: String::new(),
        ca_pin: flotilla_identity::LeafKey::generate().unwrap().pin(),
        endpoints: Vec::new(),
        last_good: None,
        mesh: map(1).address,
        relay: None,
    }
}
