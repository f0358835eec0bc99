//! Maps say what the policy allows and nothing more, cost what they change, and reach agents whatever gets lost.

mod world;

use super::*;
use flotilla_policy::starting;
use flotilla_protocol::{api::StartingPolicy, device::NetworkMode, mesh::CandidateKind, policy::Rule};
use std::net::{Ipv4Addr, SocketAddr};

fn id(n: u16) -> DeviceId {
    DeviceId(uuid::Uuid::from_u128(u128::from(n)))
}

fn key(n: u16) -> PublicKey {
    let [high, low] = n.to_be_bytes();
    let mut bytes = [9; 32];
    (bytes[0], bytes[1]) = (high, low);
    PublicKey::from_bytes(bytes)
}

fn member(n: u16) -> Member {
    let [high, low] = n.to_be_bytes();
    Member {
        subject: Subject {
            id: id(n),
            name: format!("d{n}").parse().unwrap(),
            address: Ipv4Addr::new(100, 71, high, low),
            tags: vec![],
            user: None,
            mode: NetworkMode::Host,
        },
        public_key: Some(key(n)),
        relay: RelayPreference::Auto,
        candidates: vec![candidate(1)],
        home_relay: None,
        nat: flotilla_protocol::mesh::Nat::Unknown,
    }
}

fn candidate(port: u16) -> Candidate {
    Candidate {
        kind: CandidateKind::Local,
        address: SocketAddr::from(([192, 0, 2, 1], port)),
    }
}

fn range() -> Ipv4Net {
    "100.71.0.0/16".parse().unwrap()
}

fn rule(name: &str, from: &str, to: &str) -> Rule {
    let text = format!(r#"{{"name":"{name}","from":["{from}"],"to":["{to}"]}}"#);
    let parts: Rule = serde_json::from_str(&text).unwrap();
    parts
}

fn policy(rules: &[(&str, &str)]) -> Policy {
    let rules = rules.iter().enumerate();
    Policy {
        rules: rules
            .map(|(n, (from, to))| rule(&format!("r{n}"), from, to))
            .collect(),
        tests: vec![],
    }
}

fn fleet(devices: u16, policy: Policy) -> Maps {
    let mut maps = Maps::new(range(), policy, 1_000);
    maps.set_all((1..=devices).map(member).collect());
    while maps.poll_changed().is_some() {}
    maps
}

fn open_lab() -> Policy {
    starting(StartingPolicy::OpenLab, None)
}

fn peers(maps: &Maps, n: u16) -> Vec<DeviceId> {
    maps.map(id(n))
        .unwrap()
        .peers
        .iter()
        .map(|peer| peer.id)
        .collect()
}

fn changed(maps: &mut Maps) -> Vec<DeviceId> {
    std::iter::from_fn(|| maps.poll_changed()).collect()
}

/// Lets every agent take its map, as if all links were up.
fn settle(maps: &mut Maps, devices: u16) {
    for n in 1..=devices {
        while let Some(push) = maps.push(id(n)) {
            let revision = match push {
                MapPush::Whole(map) => map.revision,
                MapPush::Change(change) => change.to,
                MapPush::Unknown => unreachable!("control knows what it pushes"),
            };
            assert!(maps.handle_taken(id(n), revision));
        }
    }
}

#[test]
fn only_devices_that_a_rule_connects_know_of_each_other() {
    let maps = fleet(4, policy(&[("device:d1", "device:d2")]));
    assert_eq!(peers(&maps, 1), [id(2)]);
    assert_eq!(peers(&maps, 2), [id(1)]);
    assert_eq!(peers(&maps, 3), []);
    let (from, to) = (maps.map(id(1)).unwrap(), maps.map(id(2)).unwrap());
    assert!(from.filter.allows.is_empty(), "rules have one direction");
    assert_eq!(to.filter.allows[0].sources, ["100.71.0.1/32".parse().unwrap()]);
}

#[test]
fn a_device_that_always_relays_shows_no_address_and_one_that_never_does_has_no_ticket() {
    let mut maps = fleet(3, open_lab());
    let now = Timestamp::UNIX_EPOCH;
    assert_eq!(maps.wants_ticket(id(1), now), Some(key(1)));
    maps.set_ticket(id(1), key(1), RelayTicket("t".into()), now);
    assert_eq!(maps.wants_ticket(id(1), now), None);
    let always = Member {
        relay: RelayPreference::Always,
        ..member(2)
    };
    let never = Member {
        relay: RelayPreference::Never,
        ..member(1)
    };
    maps.set_all(vec![always, never]);
    let map = maps.map(id(1)).unwrap();
    assert!(map.peers[0].candidates.is_empty() && !map.peers[1].candidates.is_empty());
    assert_eq!((map.ticket, maps.wants_ticket(id(1), now)), (None, None));
}

#[test]
fn a_device_that_may_use_relays_again_is_told_the_ticket_that_it_had() {
    let mut maps = fleet(2, open_lab());
    maps.set_ticket(id(1), key(1), RelayTicket("t".into()), Timestamp::MAX);
    settle(&mut maps, 2);
    for relay in [RelayPreference::Never, RelayPreference::Always] {
        settle(&mut maps, 2);
        maps.set(Member { relay, ..member(1) });
    }
    let Some(MapPush::Change(change)) = maps.push(id(1)) else {
        panic!("not told as a change");
    };
    assert_eq!(change.relay, Some(RelayPreference::Always));
    assert_eq!(change.ticket, Some(RelayTicket("t".into())));
}

#[test]
fn a_ticket_is_renewed_when_its_time_comes_and_for_every_new_key() {
    let mut maps = fleet(1, open_lab());
    let at = |second| Timestamp::from_second(second).unwrap();
    const DAY: i64 = 86_400;
    maps.set_ticket(id(1), key(1), RelayTicket("t".into()), at(0));
    assert_eq!(maps.wants_ticket(id(1), at(DAY - 1)), None);
    assert_eq!(maps.wants_ticket(id(1), at(DAY)), Some(key(1)));
    // The clock that issued it was ahead, and was set back.
    assert_eq!(maps.wants_ticket(id(1), at(-100 * DAY)), Some(key(1)));
    let public_key = Some(key(7));
    maps.set(Member {
        public_key,
        ..member(1)
    });
    assert_eq!(maps.wants_ticket(id(1), at(0)), Some(key(7)));
    assert_eq!(maps.map(id(1)).unwrap().ticket, None, "it is another key's");
}

#[test]
fn nothing_comes_in_at_a_device_in_bridge_networking() {
    let mut maps = fleet(2, open_lab());
    let mut bridged = member(2);
    bridged.subject.mode = NetworkMode::Bridge;
    maps.set(bridged);
    assert!(maps.map(id(2)).unwrap().filter.allows.is_empty());
    assert_eq!(peers(&maps, 2), [id(1)], "it still reaches others");
}

#[test]
fn a_device_without_a_key_is_in_no_map_until_it_has_one() {
    let mut maps = Maps::new(range(), open_lab(), 0);
    let pending = Member {
        public_key: None,
        ..member(2)
    };
    maps.set_all(vec![member(1), pending]);
    assert!(peers(&maps, 1).is_empty() && maps.map(id(2)).is_none() && maps.push(id(2)).is_none());
    maps.set(member(2));
    assert_eq!((peers(&maps, 1), peers(&maps, 2)), (vec![id(2)], vec![id(1)]));
}

#[test]
fn who_is_gone_is_gone_from_all_maps_at_once() {
    let mut maps = fleet(3, open_lab());
    settle(&mut maps, 3);
    maps.remove(id(2));
    assert_eq!(changed(&mut maps), [id(1), id(3)]);
    let Some(MapPush::Change(change)) = maps.push(id(1)) else {
        panic!("a change")
    };
    assert_eq!((change.gone, change.peers), (vec![id(2)], vec![]));
    assert!(maps.map(id(2)).is_none());
}

#[test]
fn a_revision_grows_only_when_its_map_is_another_one() {
    let mut maps = fleet(3, policy(&[("device:d1", "device:d2")]));
    let revision = |maps: &Maps, n| maps.map(id(n)).unwrap().revision;
    let before = (revision(&maps, 1), revision(&maps, 2), revision(&maps, 3));
    assert!(before.0 > 1_000);
    maps.set(member(1));
    assert_eq!(changed(&mut maps), [], "nothing is different");
    let candidates = vec![candidate(2)];
    maps.set(Member {
        candidates,
        ..member(1)
    });
    assert_eq!(changed(&mut maps), [id(2)], "its own map does not hold itself");
    assert!(revision(&maps, 2) > before.1);
    assert_eq!((revision(&maps, 1), revision(&maps, 3)), (before.0, before.2));
    maps.set_policy(maps.policy().clone());
    assert_eq!(changed(&mut maps), []);
}

#[test]
fn among_a_thousand_devices_a_change_costs_what_it_concerns() {
    let few = policy(&[("device:d1", "device:d2"), ("device:d3", "device:d1")]);
    let mut maps = fleet(1_000, few);
    settle(&mut maps, 1_000);
    let candidates = vec![candidate(2)];
    maps.set(Member {
        candidates: candidates.clone(),
        ..member(1)
    });
    assert_eq!(changed(&mut maps), [id(2), id(3)]);

    let mut maps = fleet(1_000, open_lab());
    settle(&mut maps, 10);
    maps.set(Member {
        candidates,
        ..member(20)
    });
    assert_eq!(changed(&mut maps).len(), 999);
    for n in 1..=10 {
        let Some(MapPush::Change(change)) = maps.push(id(n)) else {
            panic!("a change, not a map of 999 peers")
        };
        assert_eq!((change.peers.len(), change.gone.len()), (1, 0));
        assert!(change.filter.is_none() && change.relays.is_none());
    }
}

#[test]
fn a_policy_that_makes_most_of_a_map_another_is_told_whole_and_one_that_does_not_as_a_change() {
    let mut maps = fleet(100, Policy::default());
    settle(&mut maps, 100);
    for (rules, peers) in [(open_lab(), 99), (Policy::default(), 0)] {
        maps.set_policy(rules);
        assert_eq!(changed(&mut maps).len(), 100);
        let Some(MapPush::Whole(map)) = maps.push(id(7)) else {
            panic!("a change that names 99 devices")
        };
        assert_eq!(map.peers.len(), peers);
        maps.handle_push_failed(id(7));
        settle(&mut maps, 100);
    }
    maps.set_policy(policy(&[("tag:none", "any"), ("device:d1", "any")]));
    settle(&mut maps, 100);
    changed(&mut maps);
    maps.set_policy(policy(&[("device:d2", "device:d3"), ("device:d1", "any")]));
    assert_eq!(changed(&mut maps), [id(2), id(3)]);
    for (n, other) in [(2, 3), (3, 2)] {
        let Some(MapPush::Change(change)) = maps.push(id(n)) else {
            panic!("a map for one peer more")
        };
        assert_eq!(change.peers[0].id, id(other));
    }
}

#[test]
fn one_push_is_on_its_way_at_a_time_and_later_changes_go_together() {
    let mut maps = fleet(4, open_lab());
    let Some(MapPush::Whole(map)) = maps.push(id(1)) else {
        panic!("a whole map first")
    };
    for n in [2, 3] {
        let candidates = vec![candidate(2)];
        maps.set(Member {
            candidates,
            ..member(n)
        });
    }
    assert_eq!(maps.push(id(1)), None);
    assert!(maps.handle_taken(id(1), map.revision));
    let Some(MapPush::Change(change)) = maps.push(id(1)) else {
        panic!("a change")
    };
    assert_eq!((change.from, change.peers.len()), (map.revision, 2));
}

#[test]
fn an_agent_with_another_map_gets_the_whole_one() {
    let mut maps = fleet(2, open_lab());
    settle(&mut maps, 2);
    assert_eq!(maps.push(id(1)), None);
    maps.handle_link_up(id(1));
    assert!(
        matches!(maps.push(id(1)), Some(MapPush::Change(_))),
        "does it still have it?"
    );
    assert!(!maps.handle_taken(id(1), 0));
    assert!(matches!(maps.push(id(1)), Some(MapPush::Whole(_))));
}

#[test]
fn in_another_range_every_device_has_another_address_and_filters_follow() {
    let mut maps = fleet(2, policy(&[("device:d1", "device:d2")]));
    let new: Ipv4Net = "10.9.0.0/24".parse().unwrap();
    let moved = [1, 2].map(|n| {
        let mut member = member(n);
        member.subject.address = crate::moved(member.subject.address, range(), new).unwrap();
        member
    });
    maps.set_range(new, moved.to_vec());
    let map = maps.map(id(2)).unwrap();
    assert_eq!(
        map.address,
        MeshAddress {
            address: Ipv4Addr::new(10, 9, 0, 2),
            prefix: 24
        }
    );
    assert_eq!(map.peers[0].address, Ipv4Addr::new(10, 9, 0, 1));
    assert_eq!(map.filter.allows[0].sources, ["10.9.0.1/32".parse().unwrap()]);
    assert_eq!(changed(&mut maps), [id(1), id(2)]);
}
