//! TLS legs that stall, as TCP does before it sends again: a device that gave up meanwhile is soon back.

use crate::{nat::PORT_RESTRICTED, world::World};
use flotilla_protocol::device::RelayPreference;
use std::time::Duration;

#[test]
fn a_device_whose_only_leg_stalled_is_back_within_three_seconds() {
    for stall in [2, 5, 30] {
        let mut world = World::new(stall);
        world.add_relay();
        for blocked in [true, false] {
            let site = world.add_site(Some(PORT_RESTRICTED), blocked);
            world.add_device(site, RelayPreference::Auto);
        }
        world.policy.extend([(0, 1), (1, 0)]);
        world.push_maps();
        world.run_for(Duration::from_secs(8));
        world.sites[0].stalled = Some(world.now + Duration::from_secs(stall));
        for _ in 0..stall + 3 {
            world.request(0, 1);
            world.run_for(Duration::from_secs(1));
        }
        for (from, to) in [(0, 1), (1, 0)] {
            let request = world.request(from, to);
            world.run_for(Duration::from_secs(1));
            assert!(world.is_answered(from, request), "{from} → {to} after {stall} s");
        }
    }
}
