//! Links that silently drop large packets: senders find out what fits, and nothing is lost for ever.

use crate::{
    device::TUN,
    nat::{PORT_RESTRICTED, SYMMETRIC},
    site::WIDE,
    world::World,
};
use flotilla_protocol::{
    device::RelayPreference,
    path::{PathKind, PathReason},
};
use std::time::Duration;

/// The longest time that the search for the largest size takes.
const SETTLED: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Under {
    Ipv4,
    Ipv6,
    /// RelayRoute a relay, because neither NAT lets the other's packets in.
    Relay,
}

/// Two devices that have exchanged small packets for a while; the second one's link is narrow.
fn pair(under: Under, widest: usize) -> World {
    let mut world = World::new(7);
    world.add_relay();
    let kind = match under {
        Under::Relay => SYMMETRIC,
        _ => PORT_RESTRICTED,
    };
    for widest in [WIDE, widest] {
        let site = world.add_site(Some(kind), false);
        if under == Under::Ipv6 {
            world.add_ipv6(site, true);
        }
        world.sites[site].widest = widest;
        world.add_device(site, RelayPreference::Auto);
    }
    world.policy.extend([(0, 1), (1, 0)]);
    world.push_maps();
    world.run_for(Duration::from_secs(5));
    world
}

/// Sends packets as large as allowed until three were answered.
fn flow(world: &mut World, from: usize, limit: Duration) {
    let (begin, mut requests) = (world.now, vec![]);
    let answered = |world: &World, requests: &[u16]| {
        let answered = requests
            .iter()
            .filter(|request| world.is_answered(from, **request));
        answered.count() >= 3
    };
    while !answered(world, &requests) {
        requests.push(world.request_of(TUN, from, 1 - from));
        world.run_for(Duration::from_millis(250));
        let passed = world.now - begin;
        assert!(passed < limit, "no large packet came through in {passed:?}");
    }
}

#[test]
fn a_direct_path_carries_the_largest_size_that_its_link_lets_through() {
    for (widest, over_ipv4, over_ipv6) in [
        (1500, 1420, 1420),
        (1492, 1420, 1412),
        (1472, 1412, 1392),
        (1454, 1392, 1372),
        (1400, 1340, 1320),
        (1340, 1280, 1260),
        (1280, 1220, 1200),
        (1124, 1064, 1044),
    ] {
        for (under, why, fits) in [
            (Under::Ipv4, PathReason::DirectNat, over_ipv4),
            (Under::Ipv6, PathReason::DirectIpv6, over_ipv6),
        ] {
            let mut world = pair(under, widest);
            flow(&mut world, 0, Duration::from_secs(15));
            world.run_for(SETTLED);
            for (from, to) in [(0, 1), (1, 0)] {
                let path = world.path(from, to);
                let context = format!("{from} → {to} under {under:?} of {widest}");
                assert_eq!((path.why, path.mtu), (why, fits), "{context}");
            }
        }
    }
}

#[test]
fn a_relayed_path_carries_what_both_legs_let_through() {
    for (widest, fits) in [
        (WIDE, 1280),
        (1385, 1280),
        (1384, 1276),
        (1280, 1172),
        (1124, 1016),
    ] {
        let mut world = pair(Under::Relay, widest);
        assert_eq!(world.path(0, 1).why.kind(), PathKind::Relayed);
        for from in [0, 1] {
            flow(&mut world, from, Duration::from_secs(15));
            world.run_for(SETTLED);
            let found = world.path(from, 1 - from).mtu;
            assert_eq!(found, fits, "from {from}, and the leg carries {widest}");
        }
    }
}

#[test]
fn a_flow_goes_on_when_a_link_under_it_becomes_narrow() {
    for under in [Under::Ipv4, Under::Ipv6, Under::Relay] {
        for widest in [1400, 1280, 1124] {
            let mut world = pair(under, WIDE);
            flow(&mut world, 0, Duration::from_secs(5));
            world.sites[1].widest = widest;
            flow(&mut world, 0, Duration::from_secs(15));
        }
    }
}
