//! A map is sent whole or as a change, and both end in the same map.

use super::*;
use proptest::{prelude::*, strategy::ValueTree};

fn id(n: u8) -> DeviceId {
    format!("01937c5e-7b1a-7c3e-8b9e-0123456789{n:02x}")
        .parse()
        .unwrap()
}

fn peer() -> impl Strategy<Value = Peer> {
    (0u8..6, 0u8..3, any::<bool>(), 0usize..3).prop_map(|(n, key, plain, candidates)| Peer {
        id: id(n),
        name: format!("device-{n}").parse().unwrap(),
        public_key: PublicKey::from_bytes([key; 32]),
        address: Ipv4Addr::new(100, 64, 0, n),
        relay: RelayPreference::Auto,
        candidates: (0..candidates)
            .map(|port| Candidate {
                kind: CandidateKind::Local,
                address: SocketAddr::from(([192, 0, 2, n], 7000 + u16::try_from(port).unwrap())),
            })
            .collect(),
        home_relay: None,
        nat: Nat::Unknown,
        plain,
    })
}

fn map(revision: u64) -> impl Strategy<Value = NetworkMap> {
    let peers = proptest::collection::vec(peer(), 0..6);
    (peers, any::<bool>(), 0u16..3, any::<bool>(), 1u8..3).prop_map(
        move |(mut peers, always, ports, ticket, last)| {
            peers.sort_by_key(|peer| peer.id);
            peers.dedup_by_key(|peer| peer.id);
            NetworkMap {
                revision,
                address: MeshAddress {
                    address: Ipv4Addr::new(100, 64, 9, last),
                    prefix: 16,
                },
                relay: if always {
                    RelayPreference::Always
                } else {
                    RelayPreference::Auto
                },
                peers,
                relays: vec![],
                filter: Filter {
                    allows: (0..ports)
                        .map(|port| Allow {
                            sources: vec!["100.64.0.0/16".parse().unwrap()],
                            proto: Proto::Tcp,
                            ports: vec![PortRange::new(port + 1, port + 1).unwrap()],
                        })
                        .collect(),
                },
                ticket: ticket.then(|| RelayTicket(format!("t{last}"))),
            }
        },
    )
}

proptest! {
    #[test]
    fn a_push_makes_the_map_that_was_meant(old in map(7), new in map(9)) {
        let text = serde_json::to_string(&MapPush::between(Some(&old), &new)).unwrap();
        let reached = match serde_json::from_str(&text).unwrap() {
            MapPush::Whole(map) => map,
            MapPush::Change(change) => {
                let mut map = old;
                map.apply(change).unwrap();
                map
            }
            MapPush::Unknown => panic!("it is said in no new way"),
        };
        prop_assert_eq!(reached, new);
    }
}

#[test]
fn a_change_for_another_revision_changes_nothing() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut pick = |revision| map(revision).new_tree(&mut runner).unwrap().current();
    let (old, mut other, new) = (pick(7), pick(8), pick(9));
    let MapPush::Change(change) = MapPush::between(Some(&NetworkMap { ticket: None, ..old }), &new) else {
        panic!("a device without a ticket is told changes");
    };
    let before = other.clone();
    assert_eq!(
        other.apply(change),
        Err(StaleChange {
            expected: 7,
            found: 8
        })
    );
    assert_eq!(other, before);
}

#[test]
fn a_ticket_is_not_shown_by_debug() {
    assert_eq!(format!("{:?}", RelayTicket("secret".into())), "RelayTicket(…)");
}
