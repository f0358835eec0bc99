//! Two devices behind one NAT that cannot reach each other inside: the NAT hairpins their packets, or a relay helps.

use crate::{
    nat::{CONE, Kind, PORT_RESTRICTED, SYMMETRIC},
    world::World,
};
use flotilla_protocol::{device::RelayPreference, path::PathReason};
use std::time::Duration;

fn meet(mut world: World) -> PathReason {
    world.policy.extend([(0, 1), (1, 0)]);
    world.push_maps();
    world.run_for(Duration::from_secs(8));
    let request = world.request(0, 1);
    world.run_for(Duration::from_secs(1));
    assert!(world.is_answered(0, request));
    let why = world.path(0, 1).why;
    assert_eq!(world.path(1, 0).why, why);
    why
}

fn in_one_hotel(kind: Kind, hairpins: bool) -> PathReason {
    let mut world = World::new(7);
    world.add_relay();
    let site = world.add_site(Some(kind), false);
    world.sites[site].isolates = true;
    world.sites[site].nat.as_mut().unwrap().hairpins = hairpins;
    for _ in 0..2 {
        world.add_device(site, RelayPreference::Auto);
    }
    meet(world)
}

fn behind_one_carrier(home: Kind, carrier: Kind, hairpins: bool) -> PathReason {
    let mut world = World::new(7);
    world.add_relay();
    let carrier = world.add_carrier(carrier, hairpins);
    for _ in 0..2 {
        let site = world.add_site(Some(home), false);
        world.put_behind(carrier, site);
        world.add_device(site, RelayPreference::Auto);
    }
    meet(world)
}

#[test]
fn isolated_clients_of_one_nat_meet_at_its_outside_if_it_turns_packets_back() {
    for kind in [CONE, PORT_RESTRICTED] {
        assert_eq!(in_one_hotel(kind, true), PathReason::DirectNat);
        assert_eq!(in_one_hotel(kind, false), PathReason::RelayTrying);
    }
    for hairpins in [true, false] {
        assert_eq!(in_one_hotel(SYMMETRIC, hairpins), PathReason::RelayHardNat);
    }
}

#[test]
fn homes_behind_one_carrier_meet_at_its_outside_if_it_turns_packets_back() {
    for (home, carrier) in [
        (CONE, CONE),
        (PORT_RESTRICTED, CONE),
        (CONE, PORT_RESTRICTED),
        (PORT_RESTRICTED, PORT_RESTRICTED),
    ] {
        assert_eq!(behind_one_carrier(home, carrier, true), PathReason::DirectNat);
        assert_eq!(behind_one_carrier(home, carrier, false), PathReason::RelayTrying);
    }
    for (home, carrier) in [(SYMMETRIC, CONE), (CONE, SYMMETRIC)] {
        assert_eq!(behind_one_carrier(home, carrier, true), PathReason::RelayHardNat);
    }
}
