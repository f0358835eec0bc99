//! People change their minds about relays while devices run.

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
