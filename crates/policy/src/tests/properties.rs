//! Properties of generated policies: the compiled filter and the reference agree, and more.

use super::*;
use flotilla_protocol::{mesh::Filter, policy::PortRange};
use proptest::{prelude::*, sample::select};

fn a_selector() -> impl Strategy<Value = Selector> {
    let texts = [
        "any",
        "tag:a",
        "tag:b",
        "tag:c",
        "tag:a+tag:b",
        "device:d0",
        "device:d1",
        "device:d2",
        "device:gone",
        "user:ada",
        "cidr:100.83.0.0/30",
        "cidr:100.83.0.2/31",
        "cidr:192.168.0.0/16",
    ];
    select(texts.to_vec()).prop_map(|text| text.parse().unwrap())
}

fn some_ports() -> impl Strategy<Value = Ports> {
    let range = (1u16..20, 0u16..4).prop_map(|(first, more)| PortRange::new(first, first + more).unwrap());
    prop_oneof![
        Just(Ports::Any),
        proptest::collection::vec(range, 0..3).prop_map(Ports::Only)
    ]
}

/// Rules, including ones that are refused and so must allow nothing.
fn a_rule() -> impl Strategy<Value = Rule> {
    let selectors = || proptest::collection::vec(a_selector(), 0..3);
    let parts = (
        selectors(),
        selectors(),
        select(Proto::ALL),
        some_ports(),
        prop::bool::weighted(0.9),
        0..1000u32,
    );
    parts.prop_map(|(from, to, proto, ports, enabled, name)| Rule {
        name: format!("rule {name}"),
        enabled,
        from,
        to,
        proto,
        ports,
    })
}

fn a_policy() -> impl Strategy<Value = Policy> {
    proptest::collection::vec(a_rule(), 0..6).prop_map(|rules| Policy {
        rules,
        tests: Vec::new(),
    })
}

fn a_fleet() -> impl Strategy<Value = Vec<Subject>> {
    let tags = proptest::sample::subsequence(vec!["a", "b", "c"], 0..=3);
    let device = (
        tags,
        prop::option::of(Just("ada".to_owned())),
        select(NetworkMode::ALL),
    );
    proptest::collection::vec(device, 1..6).prop_map(|devices| {
        devices
            .into_iter()
            .zip(0u8..)
            .map(|((tags, user, mode), number)| Subject {
                user,
                mode,
                ..subject(number, &format!("d{number}"), &tags)
            })
            .collect()
    })
}

/// One packet's protocol and port; `Any` stands for an IP protocol that is none of the others.
fn a_packet() -> impl Strategy<Value = (Proto, Option<u16>)> {
    prop_oneof![
        (1u16..24).prop_map(|port| (Proto::Tcp, Some(port))),
        (1u16..24).prop_map(|port| (Proto::Udp, Some(port))),
        Just((Proto::Icmp, None)),
        Just((Proto::Any, None)),
    ]
}

fn admits(filter: &Filter, source: Ipv4Addr, proto: Proto, port: Option<u16>) -> bool {
    filter.allows.iter().any(|allow| {
        allow.sources.iter().any(|range| range.contains(source.into()))
            && (allow.proto == Proto::Any || allow.proto == proto)
            && (allow.ports.is_empty()
                || port.is_some_and(|port| allow.ports.iter().any(|range| range.contains(port))))
    })
}

proptest! {
    #[test]
    fn filters_admit_exactly_what_the_reference_allows(
        policy in a_policy(), fleet in a_fleet(), packets in proptest::collection::vec(a_packet(), 1..8),
    ) {
        let compiled = Compiled::new(&policy, &fleet, mesh());
        for to in &fleet {
            let filter = compiled.filter_for(to.id);
            for from in fleet.iter().filter(|from| from.id != to.id) {
                for (proto, port) in &packets {
                    let verdict = evaluate(&policy, &fleet, from.id, to.id, *proto, *port);
                    let expected = verdict.is_allowed() && to.is_reachable();
                    prop_assert_eq!(admits(&filter, from.address, *proto, *port), expected);
                }
            }
        }
    }

    #[test]
    fn who_knows_whom_is_mutual_and_follows_from_the_rules(policy in a_policy(), fleet in a_fleet()) {
        let compiled = Compiled::new(&policy, &fleet, mesh());
        for one in &fleet {
            for other in &fleet {
                let knows = compiled.neighbors(one.id).contains(&other.id);
                prop_assert_eq!(knows, compiled.neighbors(other.id).contains(&one.id));
                let connected = compiled.connects(one.id, other.id) || compiled.connects(other.id, one.id);
                prop_assert_eq!(knows, connected);
            }
        }
    }

    #[test]
    fn another_rule_closes_nothing(policy in a_policy(), rule in a_rule(), fleet in a_fleet()) {
        let mut more = policy.clone();
        more.rules.push(rule);
        let review = review(&policy, &more, &fleet);
        prop_assert_eq!(review.closes_total, 0);
        let (before, after) = (Compiled::new(&policy, &fleet, mesh()), Compiled::new(&more, &fleet, mesh()));
        for device in &fleet {
            prop_assert!(before.neighbors(device.id).is_subset(&after.neighbors(device.id)));
        }
    }

    #[test]
    fn the_order_of_rules_means_nothing(policy in a_policy(), fleet in a_fleet(), turn in 0usize..6) {
        let mut turned = policy.clone();
        turned.rules.reverse();
        let length = turned.rules.len().max(1);
        turned.rules.rotate_left(turn % length);
        let (one, other) = (Compiled::new(&policy, &fleet, mesh()), Compiled::new(&turned, &fleet, mesh()));
        for device in &fleet {
            prop_assert_eq!(one.filter_for(device.id), other.filter_for(device.id));
            prop_assert_eq!(one.neighbors(device.id), other.neighbors(device.id));
        }
        let review = review(&policy, &turned, &fleet);
        prop_assert_eq!((review.opens_total, review.closes_total), (0, 0));
    }

    #[test]
    fn what_opens_one_way_closes_the_other_way(old in a_policy(), new in a_policy(), fleet in a_fleet()) {
        let (there, back) = (review(&old, &new, &fleet), review(&new, &old, &fleet));
        prop_assert_eq!(&there.opens, &back.closes);
        prop_assert_eq!(there.closes, back.opens);
        for reach in &there.opens {
            let id = |name: &str| fleet.iter().find(|device| device.name.as_str() == name).map(|device| device.id);
            let Some((from, to)) = id(&reach.from).zip(id(reach.to.as_str())) else { continue };
            let port = reach.ports.split(['-', ',']).next().and_then(|first| first.parse().ok());
            let port = port.or(reach.proto.has_ports().then_some(60_000));
            let allowed = |policy| evaluate(policy, &fleet, from, to, reach.proto, port).is_allowed();
            prop_assert!(allowed(&new), "{:?}", reach);
            prop_assert!(!allowed(&old) || reach.ports == "any", "{:?}", reach);
        }
    }

    #[test]
    fn an_explanation_agrees_with_the_reference(policy in a_policy(), fleet in a_fleet(), packet in a_packet()) {
        for from in &fleet {
            for to in fleet.iter().filter(|to| to.id != from.id) {
                let verdict = evaluate(&policy, &fleet, from.id, to.id, packet.0, packet.1);
                let explanation = explain(&policy, &fleet, from.id, to.id, packet.0, packet.1);
                prop_assert!(explanation.allowed || !verdict.is_allowed());
                prop_assert_eq!(explanation.rule, verdict.allowed_by);
                prop_assert!(explanation.nearest.iter().all(|near| !near.differs.is_empty()));
            }
        }
    }
}
