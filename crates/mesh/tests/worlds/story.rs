//! One random world: its contents, the changes to it, and whether its devices reach each other as they should.

use crate::{
    disturb::disturb,
    judge::judge,
    nat::{CONE, Depends, Kind, PORT_RESTRICTED, SYMMETRIC},
    site::{Families, WIDE},
    world::{Weather, World},
};
use flotilla_protocol::device::RelayPreference;
use rand::Rng;
use std::time::Duration;

/// How long a world may settle before it is judged: every path is found by then, because a device without a relay tries
/// every 20 s.
const CALM: Duration = Duration::from_secs(60);
/// The least MTU that IPv6 requires of any link.
const NARROWEST: usize = 1280;

pub(crate) fn tell(seed: u64, aloud: bool) {
    let mut world = make(seed);
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        live(&mut world);
        judge(&mut world);
    }));
    if let Err(cause) = outcome {
        println!("the story of world {seed}:");
        describe(&world);
        std::panic::resume_unwind(cause);
    }
    if aloud {
        describe(&world);
    }
}

fn describe(world: &World) {
    println!("{:?}", world.weather);
    for device in &world.devices {
        let site = &world.sites[device.site];
        println!(
            "device {}: {:?} at site {} {:?} blocked={} isolates={} carrier={:?} widest={} {:?} asleep={} nat={:?} home={:?}",
            device.number,
            device.local,
            device.site,
            site.kind,
            site.blocked,
            site.isolates,
            site.carrier,
            site.widest,
            device.preference,
            device.asleep,
            device.reachability.nat,
            device.reachability.home_relay,
        );
        for path in device.mesh.paths(world.now) {
            println!(
                "    {} {} {:?} {:?} {:?}",
                path.peer, path.why, path.remote, path.relay, path.rtt
            );
        }
        println!("    {:?}", device.mesh.counters().drops);
    }
    for (number, nat) in world.carriers.iter().enumerate() {
        println!("carrier {number}: {:?} hairpins={}", nat.kind, nat.hairpins);
    }
    println!("policy {:?}", world.policy);
    world.log.iter().for_each(|line| println!("{line}"));
}

fn make(seed: u64) -> World {
    let mut world = World::new(seed);
    world.weather = Weather {
        loss: world.rng.random_range(0..6),
        duplicates: world.rng.random_range(0..4),
        jitter_ms: world.rng.random_range(0..20),
    };
    for _ in 0..world.rng.random_range(1..4) {
        match world.rng.random_range(0..4) {
            0 => world.add_relay(),
            _ => world.add_relay_of_both(),
        }
    }
    for _ in 0..world.rng.random_range(2..5) {
        let (kind, blocked) = any_network(&mut world);
        let site = world.add_site(kind, blocked);
        if world.rng.random() {
            let firewall = world.rng.random();
            world.add_ipv6(site, firewall);
        }
        world.sites[site].widest = any_width(&mut world);
        if let Some(nat) = &mut world.sites[site].nat {
            nat.hairpins = world.rng.random();
            world.sites[site].isolates = world.rng.random_range(0..4) == 0;
        }
    }
    if world.rng.random() {
        add_carrier(&mut world);
    }
    for _ in 0..world.rng.random_range(2..6) {
        let site = world.rng.random_range(0..world.sites.len());
        let preference = match world.rng.random_range(0..10) {
            0 => RelayPreference::Always,
            1 => RelayPreference::Never,
            _ => RelayPreference::Auto,
        };
        let families = any_families(&mut world);
        world.add_device_with(families, site, preference);
    }
    for _ in 0..world.devices.len() * 3 {
        toggle_rule(&mut world);
    }
    world.push_maps();
    world
}

fn any_network(world: &mut World) -> (Option<Kind>, bool) {
    let kind = match world.rng.random_range(0..6) {
        0 => None,
        _ => Some(any_nat(world)),
    };
    (kind, world.rng.random_range(0..8) == 0)
}

fn any_nat(world: &mut World) -> Kind {
    match world.rng.random_range(0..5) {
        0 => CONE,
        1 => PORT_RESTRICTED,
        2 => SYMMETRIC,
        3 => Kind {
            mapping: Depends::Independent,
            filtering: Depends::Address,
        },
        _ => Kind {
            mapping: Depends::Address,
            filtering: Depends::AddressAndPort,
        },
    }
}

/// Adds a carrier's NAT, and puts most of the NATs behind it.
fn add_carrier(world: &mut World) {
    let (kind, hairpins) = (any_nat(world), world.rng.random());
    let carrier = world.add_carrier(kind, hairpins);
    for site in 0..world.sites.len() {
        if world.sites[site].nat.is_some() && world.rng.random_range(0..3) > 0 {
            world.put_behind(carrier, site);
        }
    }
}

pub(crate) fn any_width(world: &mut World) -> usize {
    match world.rng.random_range(0..3) {
        0 => world.rng.random_range(NARROWEST..WIDE),
        _ => WIDE,
    }
}

pub(crate) fn any_families(world: &mut World) -> Families {
    match world.rng.random_range(0..6) {
        0 => Families::V4,
        1 => Families::V6,
        _ => Families::Both,
    }
}

pub(crate) fn toggle_rule(world: &mut World) {
    let pair = any_pair(world);
    if !world.policy.remove(&pair) {
        world.policy.insert(pair);
    }
}

fn any_pair(world: &mut World) -> (usize, usize) {
    let from = world.rng.random_range(0..world.devices.len());
    let step = world.rng.random_range(1..world.devices.len());
    (from, (from + step) % world.devices.len())
}

fn live(world: &mut World) {
    for _ in 0..world.rng.random_range(3..12) {
        disturb(world);
        for _ in 0..world.rng.random_range(0..15) {
            let (from, to) = any_pair(world);
            if !world.devices[from].asleep {
                world.request(from, to);
            }
            let pause = Duration::from_millis(world.rng.random_range(1..3000));
            world.run_for(pause);
        }
    }
    world.control = true;
    for number in 0..world.devices.len() {
        if world.devices[number].asleep && world.rng.random_range(0..3) > 0 {
            world.wake(number);
        }
    }
    if world.relays.iter().all(|relay| !relay.alive) {
        world.relays[0].alive = true;
    }
    world.note("calm".to_owned());
    world.push_maps();
    world.run_for(CALM);
}
