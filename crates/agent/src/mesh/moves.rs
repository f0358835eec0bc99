//! Which changes of a map have to survive a power cut, and which can be learned again.

use flotilla_protocol::mesh::{NetworkMap, Peer};

/// Whether the newer map only says where peers are to be found. Which devices they are, what they may do and what this
/// device is are the same; where they are, they report again and again.
pub(super) fn only_moves(old: &NetworkMap, new: &NetworkMap) -> bool {
    let NetworkMap {
        revision: _,
        address,
        relay,
        peers,
        relays,
        filter,
        ticket,
    } = new;
    (old.address, old.relay) == (*address, *relay)
        && (&old.relays, &old.filter, &old.ticket) == (relays, filter, ticket)
        && old.peers.len() == peers.len()
        && old.peers.iter().zip(peers).all(|(old, new)| is_same(old, new))
}

fn is_same(old: &Peer, new: &Peer) -> bool {
    let Peer {
        id,
        name,
        public_key,
        address,
        relay,
        candidates,
        home_relay: _,
        nat: _,
        plain,
    } = new;
    (old.id, &old.name, old.public_key) == (*id, name, *public_key)
        && (old.address, old.relay, old.plain) == (*address, *relay, *plain)
        // A peer that sends no probes is where its map says, and never reports otherwise.
        && (!plain || old.candidates == *candidates)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mesh::samples::map;
    use flotilla_protocol::{
        device::RelayPreference,
        key::PublicKey,
        mesh::{Candidate, CandidateKind, Nat},
    };

    fn changed(change: impl FnOnce(&mut NetworkMap)) -> NetworkMap {
        let mut map = map(8);
        change(&mut map);
        map
    }

    fn candidates() -> Vec<Candidate> {
        vec![Candidate {
            kind: CandidateKind::Local,
            address: "192.0.2.7:7000".parse().unwrap(),
        }]
    }

    #[test]
    fn a_peer_that_moved_is_the_same_peer() {
        let old = map(7);
        for new in [
            changed(|_| ()),
            changed(|map| map.peers[0].candidates = candidates()),
            changed(|map| map.peers[0].home_relay = None),
            changed(|map| map.peers[0].nat = Nat::EndpointDependent),
        ] {
            assert!(only_moves(&old, &new), "{new:?}");
        }
    }

    #[test]
    fn keys_rules_and_who_is_there_are_no_moves() {
        let old = map(7);
        for new in [
            changed(|map| map.peers.clear()),
            changed(|map| map.peers[0].public_key = PublicKey::from_bytes([8; 32])),
            changed(|map| map.peers[0].name = "vps".parse().unwrap()),
            changed(|map| map.peers[0].address = [100, 71, 0, 9].into()),
            changed(|map| map.peers[0].relay = RelayPreference::Never),
            changed(|map| map.peers[0].plain = true),
            changed(|map| map.address.prefix = 17),
            changed(|map| map.relay = RelayPreference::Always),
            changed(|map| map.relays.clear()),
            changed(|map| map.ticket = None),
            changed(|map| {
                map.filter.allows = serde_json::from_str(r#"[{"sources":[],"proto":"any"}]"#).unwrap()
            }),
        ] {
            assert!(!only_moves(&old, &new), "{new:?}");
        }
        let plain = |map: &mut NetworkMap| map.peers[0].plain = true;
        let moved = changed(|map| {
            plain(map);
            map.peers[0].candidates = candidates();
        });
        assert!(!only_moves(&changed(plain), &moved));
    }
}
