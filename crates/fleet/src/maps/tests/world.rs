//! Agents, links and changes in any order: whatever gets lost, every agent ends with its map.

use super::*;
use flotilla_protocol::{mesh::MapTaken, policy::Selector};
use proptest::prelude::*;

/// What can happen to a fleet of four, and to the pushes to its agents.
#[derive(Debug, Clone)]
enum Event {
    Set(Member),
    Remove(u16),
    Policy(Policy),
    Relays(u8),
    Ticket(u16),
    Link(u16),
    /// The agent takes the push and its answer arrives, or is lost.
    Push {
        to: u16,
        answer_arrives: bool,
    },
    /// The push itself is lost.
    Lost(u16),
    /// The agent lost its map.
    Wiped(u16),
}

fn event() -> impl Strategy<Value = Event> {
    let n = || 1u16..5;
    let any_member =
        (n(), 0u16..3, 0usize..3, 0usize..3, any::<bool>()).prop_map(|(n, keys, relay, tags, bridge)| {
            let mut member = member(n);
            member.public_key = (keys > 0).then(|| key(n + 10 * keys));
            member.relay = RelayPreference::ALL[relay];
            member.subject.tags = ["a", "b"][..tags.min(2)]
                .iter()
                .map(|tag| tag.parse().unwrap())
                .collect();
            member.subject.mode = if bridge {
                NetworkMode::Bridge
            } else {
                NetworkMode::Host
            };
            member
        });
    let selector = || {
        prop_oneof![
            Just("any"),
            Just("tag:a"),
            Just("tag:b"),
            Just("device:d1"),
            Just("device:d2")
        ]
    };
    let policies = proptest::collection::vec((selector(), selector()), 0..3).prop_map(|rules| policy(&rules));
    prop_oneof![
        4 => any_member.prop_map(Event::Set),
        1 => n().prop_map(Event::Remove),
        1 => policies.prop_map(Event::Policy),
        1 => (0u8..3).prop_map(Event::Relays),
        1 => n().prop_map(Event::Ticket),
        1 => n().prop_map(Event::Link),
        6 => (n(), any::<bool>()).prop_map(|(to, answer_arrives)| Event::Push { to, answer_arrives }),
        1 => n().prop_map(Event::Lost),
        1 => n().prop_map(Event::Wiped),
    ]
}

#[derive(Default)]
struct World {
    agents: BTreeMap<u16, NetworkMap>,
}

impl World {
    fn take(&mut self, n: u16, push: MapPush) -> MapTaken {
        let held = self.agents.entry(n);
        match push {
            MapPush::Whole(map) => drop(held.insert_entry(map)),
            MapPush::Change(change) => {
                held.and_modify(|map| {
                    // A change for another revision leaves the map as it was, and the answer says so.
                    let _ = map.apply(change);
                });
            }
            MapPush::Unknown => unreachable!("control knows what it pushes"),
        }
        MapTaken {
            revision: self.agents.get(&n).map_or(0, |map| map.revision),
        }
    }

    fn happen(&mut self, maps: &mut Maps, event: Event) {
        match event {
            Event::Set(member) => maps.set(member),
            Event::Remove(n) => maps.remove(id(n)),
            Event::Policy(policy) => maps.set_policy(policy),
            Event::Relays(count) => maps.set_relays((0..count).map(relay).collect()),
            Event::Ticket(n) => maps.set_ticket(id(n), key(n + 10), RelayTicket("t".into()), Timestamp::MAX),
            Event::Link(n) => maps.handle_link_up(id(n)),
            Event::Push { to, answer_arrives } => {
                if let Some(push) = maps.push(id(to)) {
                    let taken = self.take(to, push);
                    if answer_arrives {
                        maps.handle_taken(id(to), taken.revision);
                    } else {
                        maps.handle_push_failed(id(to));
                    }
                }
            }
            Event::Lost(n) => {
                if maps.push(id(n)).is_some() {
                    maps.handle_push_failed(id(n));
                }
            }
            Event::Wiped(n) => {
                self.agents.remove(&n);
                maps.handle_link_up(id(n));
            }
        }
    }
}

fn relay(n: u8) -> Relay {
    Relay {
        id: RelayId(uuid::Uuid::from_u128(n.into())),
        name: format!("relay-{n}"),
        public_key: PublicKey::from_bytes([n; 32]),
        endpoints: vec![],
        reflect_port: None,
    }
}

proptest! {
    #[test]
    fn whatever_is_lost_every_agent_ends_with_its_map(events in proptest::collection::vec(event(), 0..60)) {
        let mut maps = Maps::new(range(), Policy::default(), 0);
        let mut world = World::default();
        for event in events {
            let before: Vec<_> = (1..5).map(|n| maps.map(id(n))).collect();
            while maps.poll_changed().is_some() {}
            world.happen(&mut maps, event);
            let changed = changed(&mut maps);
            for (n, before) in (1..5).zip(before) {
                let after = maps.map(id(n));
                if after.is_some() && before != after {
                    prop_assert!(changed.contains(&id(n)), "a change of {} is told", n);
                    let grown = after.map(|map| map.revision) > before.map(|map| map.revision);
                    prop_assert!(grown, "another map has a higher revision");
                }
            }
        }
        for n in 1..5 {
            maps.handle_link_up(id(n));
            for _ in 0..4 {
                if let Some(push) = maps.push(id(n)) {
                    let taken = world.take(n, push);
                    maps.handle_taken(id(n), taken.revision);
                }
            }
            prop_assert_eq!(maps.push(id(n)), None);
            if let Some(map) = maps.map(id(n)) {
                prop_assert_eq!(world.agents.get(&n), Some(&map));
                let any = Selector::Any;
                let open = maps.policy().rules.iter().any(|rule| rule.from.contains(&any) && rule.to.contains(&any));
                for other in (1..5).filter(|other| *other != n && maps.map(id(*other)).is_some()) {
                    let known = map.peers.iter().any(|peer| peer.id == id(other));
                    prop_assert!(known || !open, "an open fleet hides no device");
                }
            }
        }
    }
}
