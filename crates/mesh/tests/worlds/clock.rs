//! Clocks that are set back while a device is off: its earlier messages must not shut it out.
//!
//! The timestamps of a session are the real clock at its start and the virtual time since. A device that restarts has
//! lost the virtual time, like one whose clock was that much ahead and was corrected.

use crate::{nat::PORT_RESTRICTED, world::World};
use flotilla_protocol::device::RelayPreference;
use std::time::Duration;

/// Two devices whose sessions are hours old by their timestamps, with a relay that they may or may not use.
fn pair(seed: u64, preference: RelayPreference) -> World {
    let mut world = World::new(seed);
    world.add_relay();
    for _ in 0..2 {
        let site = world.add_site(Some(PORT_RESTRICTED), false);
        world.add_device(site, preference);
    }
    world.policy.extend([(0, 1), (1, 0)]);
    world.push_maps();
    world.run_for(Duration::from_secs(30));
    world.run_for(Duration::from_secs(3600));
    // Each has recently been the one to begin a handshake.
    for from in [0, 1] {
        let request = world.request(from, 1 - from);
        world.run_for(Duration::from_secs(200));
        assert!(world.is_answered(from, request), "seed {seed}: not even before");
    }
    world
}

/// Sends requests again and again, as TCP does.
fn is_soon_answered(world: &mut World, from: usize, limit: Duration) {
    let begin = world.now;
    let mut requests = vec![];
    while !requests.iter().any(|request| world.is_answered(from, *request)) {
        requests.push(world.request(from, 1 - from));
        world.run_for(Duration::from_millis(200));
        let passed = world.now - begin;
        assert!(passed <= limit, "device {from} is not answered for {passed:?}");
    }
}

#[test]
fn a_device_whose_clock_was_set_back_reaches_its_peers_and_is_reached() {
    for preference in [
        RelayPreference::Auto,
        RelayPreference::Always,
        RelayPreference::Never,
    ] {
        for (seed, first) in (1..=3).flat_map(|seed| [(seed, 0), (seed, 1)]) {
            let mut world = pair(seed, preference);
            world.restart_with_an_old_clock(0);
            // A device without a relay finds its peer at its next round.
            let limit = match preference {
                RelayPreference::Never => Duration::from_secs(25),
                _ => Duration::from_secs(6),
            };
            is_soon_answered(&mut world, first, limit);
            is_soon_answered(&mut world, 1 - first, Duration::from_secs(1));
        }
    }
}
