//! Random changes to a world: to its devices, its relays, its rules and its networks.

use crate::{
    story::{any_families, any_width, toggle_rule},
    world::World,
};
use rand::Rng;
use std::time::Duration;

pub(crate) fn disturb(world: &mut World) {
    let device = world.rng.random_range(0..world.devices.len());
    let relay = world.rng.random_range(0..world.relays.len());
    let site = world.rng.random_range(0..world.sites.len());
    match world.rng.random_range(0..11) {
        0 if !world.devices[device].asleep => {
            let families = any_families(world);
            world.note(format!("device {device} roams to site {site} with {families:?}"));
            world.settle_in(device, site, families);
        }
        1 if world.devices[device].asleep => {
            world.note(format!("device {device} wakes"));
            world.wake(device);
        }
        1 => {
            world.note(format!("device {device} sleeps"));
            world.sleep(device);
        }
        2 => {
            world.note(format!("relay {relay} dies"));
            world.kill_relay(relay);
        }
        3 => {
            world.note(format!("relay {relay} lives"));
            world.relays[relay].alive = true;
        }
        4 => {
            toggle_rule(world);
            world.note(format!("policy is {:?}", world.policy));
            world.push_maps();
        }
        5 => {
            world.control = !world.control;
            world.note(format!("control is there: {}", world.control));
            world.push_maps();
        }
        6..10 => disturb_network(world, site),
        _ => {
            let time = Duration::from_secs(world.rng.random_range(1..400));
            world.note(format!("{time:?} pass"));
            world.run_for(time);
        }
    }
}

fn disturb_network(world: &mut World, site: usize) {
    match world.rng.random_range(0..4) {
        0 => {
            world.note(format!("the router of site {site} restarts"));
            world.restart_router(site);
        }
        1 => {
            let widest = any_width(world);
            world.note(format!("site {site} carries {widest} bytes"));
            world.sites[site].widest = widest;
        }
        2 => {
            if let Some(ipv6) = &mut world.sites[site].ipv6 {
                ipv6.broken = !ipv6.broken;
                ipv6.mended = (!ipv6.broken).then_some(world.now);
                let broken = ipv6.broken;
                world.note(format!("IPv6 of site {site} is broken: {broken}"));
            }
        }
        _ => {
            let time = Duration::from_secs(world.rng.random_range(1..30));
            world.note(format!("the legs of site {site} stall for {time:?}"));
            world.sites[site].stalled = Some(world.now + time);
        }
    }
}
