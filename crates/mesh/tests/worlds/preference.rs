//! People change relay preferences while devices run.

use crate::world::World;
use flotilla_protocol::{device::RelayPreference, path::PathReason};
use std::time::Duration;

fn choose(world: &mut World, device: usize, preference: RelayPreference) {
    world.devices[device].preference = preference;
    world.push_maps();
    world.run_for(Duration::from_secs(10));
}

fn why(world: &World, from: usize, to: usize) -> PathReason {
    world.path(from, to).why
}

#[test]
fn a_device_behind_a_blocked_network_is_back_when_relays_are_allowed_again() {
    for seed in 1..=8 {
        let mut world = World::new(seed);
        world.add_relay();
        for blocked in [false, true] {
            let site = world.add_site(None, blocked);
            world.add_device(site, RelayPreference::Auto);
        }
        world.policy.extend([(0, 1), (1, 0)]);
        choose(&mut world, 1, RelayPreference::Auto);
        for _ in 0..3 {
            for (from, to) in [(0, 1), (1, 0)] {
                assert_eq!(why(&world, from, to), PathReason::RelayUdpBlocked, "seed {seed}");
            }
            let request = world.request(0, 1);
            world.run_for(Duration::from_secs(1));
            assert!(world.is_answered(0, request), "seed {seed}");
            choose(&mut world, 1, RelayPreference::Never);
            assert_eq!(why(&world, 0, 1), PathReason::NoneNever, "seed {seed}");
            choose(&mut world, 1, RelayPreference::Auto);
        }
    }
}

/// Each device sends through the relay at which the other listens. A simulated relay fails the test when it passes too
/// much to a key that does not answer.
#[test]
fn devices_that_listen_at_different_relays_answer_by_the_one_by_which_they_are_asked() {
    for seed in 1..=8 {
        let mut world = World::new(seed);
        let settle = |world: &mut World| {
            for _ in 0..2 {
                world.push_maps();
                world.run_for(Duration::from_secs(60));
            }
        };
        for _ in 0..2 {
            world.add_relay();
        }
        let site = world.add_site(None, false);
        world.add_device(site, RelayPreference::Always);
        settle(&mut world);
        // The first device stays at the relay that it moved to, and the second one never knew of the move.
        world.kill_relay(0);
        settle(&mut world);
        world.relays[0].alive = true;
        let site = world.add_site(None, false);
        world.add_device(site, RelayPreference::Always);
        world.policy.extend([(0, 1), (1, 0)]);
        settle(&mut world);
        let homes = [0, 1].map(|device: usize| world.devices[device].reachability.home_relay);
        assert_ne!(homes[0], homes[1], "seed {seed}");
        // More than a relay passes without an answer.
        for _ in 0..400 {
            world.request_of(1200, 0, 1);
            world.run_for(Duration::from_millis(100));
        }
        let request = world.request(0, 1);
        world.run_for(Duration::from_secs(1));
        assert!(world.is_answered(0, request), "seed {seed}");
    }
}
