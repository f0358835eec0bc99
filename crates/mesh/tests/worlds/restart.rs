//! A device that restarts while others use its forgotten sessions: it is reached again soon.

use crate::{nat::PORT_RESTRICTED, world::World};
use flotilla_protocol::device::RelayPreference;
use std::time::Duration;

#[test]
fn a_device_that_restarts_is_reached_within_three_seconds_by_those_who_go_on_sending() {
    for preference in [RelayPreference::Auto, RelayPreference::Always] {
        for seed in 1..=8 {
            let mut world = World::new(seed);
            world.add_relay();
            for _ in 0..2 {
                let site = world.add_site(Some(PORT_RESTRICTED), false);
                world.add_device(site, preference);
            }
            // Only one end begins flows.
            world.policy.insert((0, 1));
            world.push_maps();
            world.run_for(Duration::from_secs(10));
            let warm = world.request(0, 1);
            world.run_for(Duration::from_secs(2));
            assert!(world.is_answered(0, warm), "seed {seed}");
            world.restart_with_an_old_clock(1);
            let begin = world.now;
            let mut requests = vec![];
            while !requests.iter().any(|request| world.is_answered(0, *request)) {
                requests.push(world.request(0, 1));
                world.run_for(Duration::from_millis(200));
                let passed = world.now - begin;
                assert!(
                    passed <= Duration::from_secs(3),
                    "seed {seed}: silent for {passed:?}"
                );
            }
        }
    }
}
