//! Sessions are renewed under requests with all kinds of gaps, without losing any.

use crate::{nat::PORT_RESTRICTED, site::Families, world::World};
use flotilla_protocol::device::RelayPreference;
use rand::Rng;
use std::time::Duration;

fn pair(seed: u64) -> World {
    let mut world = World::new(seed);
    world.add_relay();
    for _ in 0..2 {
        let site = world.add_site(Some(PORT_RESTRICTED), false);
        world.add_device(site, RelayPreference::Auto);
    }
    world.policy.extend([(0, 1), (1, 0)]);
    world.push_maps();
    world.run_for(Duration::from_secs(10));
    world
}

#[test]
fn twenty_minutes_of_requests_with_gaps_lose_none() {
    for seed in 1..=8 {
        let mut world = pair(seed);
        let end = world.now + Duration::from_secs(20 * 60);
        while world.now < end {
            let from = world.rng.random_range(0..2);
            let request = world.request(from, 1 - from);
            let gap = Duration::from_millis(world.rng.random_range(1000..40_000));
            world.run_for(gap);
            assert!(
                world.is_answered(from, request),
                "seed {seed}: lost at {:?}",
                world.now - world.begin
            );
        }
    }
}

#[test]
fn one_way_traffic_outlives_its_keys() {
    for seed in 1..=4 {
        let mut world = pair(seed);
        // Only one end begins flows, with pauses longer than a session lives.
        for gap in [1, 100, 130, 170, 179, 181, 200, 300, 541, 700, 5] {
            let request = world.request(1, 0);
            world.run_for(Duration::from_secs(gap));
            assert!(
                world.is_answered(1, request),
                "seed {seed}: lost before a gap of {gap} s"
            );
        }
    }
}

#[test]
fn a_device_that_moves_is_back_within_three_seconds() {
    for seed in 1..=8 {
        let mut world = pair(seed);
        let elsewhere = world.add_site(Some(PORT_RESTRICTED), false);
        let warm = world.request(0, 1);
        world.run_for(Duration::from_secs(2));
        assert!(world.is_answered(0, warm));
        world.settle_in(1, elsewhere, Families::Both);
        // Sends requests again and again, as TCP does.
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
