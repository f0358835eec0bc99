//! Every kind of network against every other.

use crate::{
    nat::{CONE, Kind, PORT_RESTRICTED, SYMMETRIC},
    world::World,
};
use flotilla_protocol::{
    device::RelayPreference,
    path::{PathKind, PathReason},
};
use std::time::Duration;

#[derive(Debug, Clone, Copy)]
enum Network {
    Open,
    Nat(Kind),
    Blocked,
}

const CONE_NAT: Network = Network::Nat(CONE);
const STRICT: Network = Network::Nat(PORT_RESTRICTED);
const HARD: Network = Network::Nat(SYMMETRIC);

/// Two devices that may reach each other; returns the kind of their path, its reason, and how long the first answer
/// took.
fn meet(a: Network, b: Network) -> (PathKind, PathReason, Duration) {
    let mut world = World::new(7);
    world.add_relay();
    for network in [a, b] {
        let site = match network {
            Network::Open => world.add_site(None, false),
            Network::Nat(kind) => world.add_site(Some(kind), false),
            Network::Blocked => world.add_site(Some(PORT_RESTRICTED), true),
        };
        world.add_device(site, RelayPreference::Auto);
    }
    world.policy.extend([(0, 1), (1, 0)]);
    world.push_maps();
    world.run_for(Duration::from_secs(4));
    let begin = world.now;
    let request = world.request(0, 1);
    world.run_for(Duration::from_secs(5));
    let first = world.devices[0].answered[&request] - begin;
    let path = world.devices[0].mesh.paths(world.now).remove(0);
    (path.why.kind(), path.why, first)
}

fn check(a: Network, b: Network, kind: PathKind, why: PathReason) {
    for (a, b) in [(a, b), (b, a)] {
        let (found, reason, first) = meet(a, b);
        assert_eq!((found, reason), (kind, why), "{a:?} to {b:?}");
        assert!(
            first < Duration::from_millis(500),
            "{a:?} to {b:?}: the first answer took {first:?}"
        );
    }
}

macro_rules! cells {
    ($($name:ident: $a:ident, $b:ident => $kind:ident $why:ident;)*) => {
        $(
            #[test]
            fn $name() {
                check(network::$a, network::$b, PathKind::$kind, PathReason::$why);
            }
        )*
    };
}

mod network {
    use super::{CONE_NAT, HARD, Network, STRICT};
    pub(super) const OPEN: Network = Network::Open;
    pub(super) const CONE: Network = CONE_NAT;
    pub(super) const PORT_RESTRICTED: Network = STRICT;
    pub(super) const SYMMETRIC: Network = HARD;
    pub(super) const BLOCKED: Network = Network::Blocked;
}

cells! {
    open_and_open: OPEN, OPEN => Direct DirectNat;
    open_and_cone: OPEN, CONE => Direct DirectNat;
    open_and_port_restricted: OPEN, PORT_RESTRICTED => Direct DirectNat;
    open_and_symmetric: OPEN, SYMMETRIC => Direct DirectNat;
    open_and_blocked: OPEN, BLOCKED => Relayed RelayUdpBlocked;
    cone_and_cone: CONE, CONE => Direct DirectNat;
    cone_and_port_restricted: CONE, PORT_RESTRICTED => Direct DirectNat;
    cone_and_symmetric: CONE, SYMMETRIC => Direct DirectNat;
    cone_and_blocked: CONE, BLOCKED => Relayed RelayUdpBlocked;
    port_restricted_and_port_restricted: PORT_RESTRICTED, PORT_RESTRICTED => Direct DirectNat;
    port_restricted_and_symmetric: PORT_RESTRICTED, SYMMETRIC => Relayed RelayHardNat;
    port_restricted_and_blocked: PORT_RESTRICTED, BLOCKED => Relayed RelayUdpBlocked;
    symmetric_and_symmetric: SYMMETRIC, SYMMETRIC => Relayed RelayHardNat;
    symmetric_and_blocked: SYMMETRIC, BLOCKED => Relayed RelayUdpBlocked;
    blocked_and_blocked: BLOCKED, BLOCKED => Relayed RelayUdpBlocked;
}
