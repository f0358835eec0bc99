//! Devices with firewalls of their own that let only answers in, as distributions set them up.

use crate::{
    firewall::Firewall,
    nat::{CONE, Kind, PORT_RESTRICTED},
    world::World,
};
use flotilla_protocol::{device::RelayPreference, path::PathReason};
use std::time::Duration;

/// Two devices, of which some have firewalls; `together` puts both into one network.
fn meet(kind: Option<Kind>, together: bool, guarded: [bool; 2]) -> PathReason {
    let mut world = World::new(7);
    world.add_relay();
    let site = world.add_site(kind, false);
    let other = if together {
        site
    } else {
        world.add_site(kind, false)
    };
    for (site, guarded) in [site, other].into_iter().zip(guarded) {
        let device = world.add_device(site, RelayPreference::Auto);
        // As long as connection tracking remembers a datagram that was not answered.
        world.devices[device].firewall = guarded.then(|| Firewall::new(Duration::from_secs(30)));
    }
    world.policy.extend([(0, 1), (1, 0)]);
    world.push_maps();
    world.run_for(Duration::from_secs(8));
    for (from, to) in [(0, 1), (1, 0)] {
        let request = world.request(from, to);
        world.run_for(Duration::from_secs(1));
        assert!(
            world.is_answered(from, request),
            "{kind:?} {together} {guarded:?}"
        );
    }
    let why = world.path(0, 1).why;
    assert_eq!(world.path(1, 0).why, why);
    why
}

#[test]
fn firewalls_on_one_device_or_on_both_leave_a_direct_path() {
    for guarded in [[true, false], [false, true], [true, true]] {
        for kind in [CONE, PORT_RESTRICTED] {
            assert_eq!(
                meet(Some(kind), true, guarded),
                PathReason::DirectLan,
                "{guarded:?}"
            );
            assert_eq!(
                meet(Some(kind), false, guarded),
                PathReason::DirectNat,
                "{guarded:?}"
            );
        }
        assert_eq!(meet(None, false, guarded), PathReason::DirectNat, "{guarded:?}");
    }
}

#[test]
fn a_path_between_two_firewalls_is_there_again_after_an_hour_without_a_packet() {
    let mut world = World::new(7);
    world.add_relay();
    let site = world.add_site(Some(CONE), false);
    for _ in 0..2 {
        let device = world.add_device(site, RelayPreference::Auto);
        world.devices[device].firewall = Some(Firewall::new(Duration::from_secs(30)));
    }
    world.policy.extend([(0, 1), (1, 0)]);
    world.push_maps();
    world.run_for(Duration::from_secs(3600));
    let request = world.request(0, 1);
    world.run_for(Duration::from_secs(1));
    assert!(world.is_answered(0, request));
    world.run_for(Duration::from_secs(5));
    assert_eq!(world.path(0, 1).why, PathReason::DirectLan);
}
