//! IPv6 beside IPv4: used where both ends have it, with or without firewalls, and left when it is gone.

use crate::{
    nat::{PORT_RESTRICTED, SYMMETRIC},
    site::Families,
    world::World,
};
use flotilla_protocol::{device::RelayPreference, path::PathReason};
use std::time::Duration;

/// A world with three sites: two that have IPv6, of which the second has a firewall if `firewall` is set, and one
/// without.
fn world(seed: u64, firewall: bool) -> World {
    let mut world = World::new(seed);
    world.add_relay_of_both();
    for has_firewall in [false, firewall] {
        let site = world.add_site(Some(SYMMETRIC), false);
        world.add_ipv6(site, has_firewall);
    }
    world.add_site(Some(PORT_RESTRICTED), false);
    world.policy.extend([(0, 1), (1, 0)]);
    world
}

fn meet(a: (usize, Families), b: (usize, Families)) -> PathReason {
    let mut world = world(7, true);
    for (site, families) in [a, b] {
        world.add_device_with(families, site, RelayPreference::Auto);
    }
    world.push_maps();
    world.run_for(Duration::from_secs(8));
    let request = world.request(0, 1);
    world.run_for(Duration::from_secs(1));
    assert!(world.is_answered(0, request), "{a:?} to {b:?}");
    world.path(0, 1).why
}

#[test]
fn ipv6_is_better_than_a_punched_nat_and_worse_than_one_network() {
    use Families::{Both, V4, V6};
    for (a, b, why) in [
        ((0, Both), (1, Both), PathReason::DirectIpv6),
        ((0, V6), (1, V6), PathReason::DirectIpv6),
        ((0, V6), (1, Both), PathReason::DirectIpv6),
        ((0, V4), (1, Both), PathReason::RelayHardNat),
        ((0, V6), (2, V4), PathReason::RelayTrying),
        ((0, Both), (0, Both), PathReason::DirectLan),
        ((1, V6), (1, V6), PathReason::DirectLan),
        ((2, Both), (2, V4), PathReason::DirectLan),
    ] {
        assert_eq!(meet(a, b), why, "{a:?} to {b:?}");
        assert_eq!(meet(b, a), why, "{b:?} to {a:?}");
    }
}

#[test]
fn ipv6_that_breaks_without_a_word_is_left_in_seconds_and_taken_again_in_minutes() {
    let mut world = world(7, true);
    world.sites[0].kind = None;
    world.sites[0].nat = None;
    for site in [0, 1] {
        world.add_device(site, RelayPreference::Auto);
    }
    world.push_maps();
    world.run_for(Duration::from_secs(8));
    assert_eq!(world.path(0, 1).why, PathReason::DirectIpv6);
    world.sites[0].ipv6.as_mut().unwrap().broken = true;
    for (time, why) in [(20, PathReason::DirectNat), (310, PathReason::DirectIpv6)] {
        for _ in 0..time {
            world.request(0, 1);
            world.run_for(Duration::from_secs(1));
        }
        assert_eq!(world.path(0, 1).why, why);
        let request = world.request(1, 0);
        world.run_for(Duration::from_secs(1));
        assert!(world.is_answered(1, request));
        world.sites[0].ipv6.as_mut().unwrap().broken = false;
    }
}

#[test]
fn a_device_that_roams_finds_ipv6_and_loses_it_again() {
    for (seed, firewall) in (1..=4).flat_map(|seed| [(seed, false), (seed, true)]) {
        let mut world = world(seed, firewall);
        world.add_device(1, RelayPreference::Auto);
        world.add_device(2, RelayPreference::Auto);
        world.push_maps();
        for (site, why) in [
            (2, PathReason::DirectLan),
            (0, PathReason::DirectIpv6),
            (1, PathReason::DirectLan),
            (0, PathReason::DirectIpv6),
        ] {
            let other = if site == 2 { 2 } else { 1 };
            world.settle_in(0, other, Families::Both);
            world.settle_in(1, site, Families::Both);
            world.run_for(Duration::from_secs(10));
            for (from, to) in [(0, 1), (1, 0)] {
                let request = world.request(from, to);
                world.run_for(Duration::from_secs(1));
                assert!(world.is_answered(from, request), "seed {seed} at site {site}");
                assert_eq!(world.path(from, to).why, why, "seed {seed} at site {site}");
            }
        }
    }
}
