//! Who must reach whom, and how: said from what the world is, not from what the meshes do.

use crate::{
    nat::{Depends, Kind},
    world::{Site, World},
};
use flotilla_protocol::device::RelayPreference;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direct {
    Must,
    Cannot,
    /// It depends on the order of packets; either is right.
    May,
}

impl World {
    pub(crate) fn direct(&self, a: usize, b: usize) -> Direct {
        let (a, b) = (&self.devices[a], &self.devices[b]);
        if [a, b]
            .iter()
            .any(|device| device.preference == RelayPreference::Always)
        {
            return Direct::Cannot;
        }
        let (here, there) = (&self.sites[a.site], &self.sites[b.site]);
        if a.site == b.site && here.kind.is_some() {
            return Direct::Must;
        }
        if here.blocked || there.blocked {
            return Direct::Cannot;
        }
        between(here, there)
    }

    pub(crate) fn relayed(&self, a: usize, b: usize) -> bool {
        let never = [a, b]
            .iter()
            .any(|device| self.devices[*device].preference == RelayPreference::Never);
        !never && self.relays.iter().any(|relay| relay.alive)
    }

    /// Whether a request is answered; `None` where either is right.
    pub(crate) fn reaches(&self, from: usize, to: usize) -> Option<bool> {
        if !self.policy.contains(&(from, to)) || self.devices[from].asleep || self.devices[to].asleep {
            return Some(false);
        }
        match (self.relayed(from, to), self.direct(from, to)) {
            (true, _) | (_, Direct::Must) => Some(true),
            (false, Direct::Cannot) => Some(false),
            (false, Direct::May) => None,
        }
    }
}

fn between(a: &Site, b: &Site) -> Direct {
    let (Some(a), Some(b)) = (a.kind, b.kind) else {
        // A public address can be sent to by everybody, and answers to where it was asked from.
        return Direct::Must;
    };
    let foreseen = |kind: Kind| kind.mapping == Depends::Independent;
    let strict = |kind: Kind| kind.filtering == Depends::AddressAndPort;
    match (foreseen(a), foreseen(b)) {
        (true, true) => Direct::Must,
        (false, true) if strict(b) => Direct::Cannot,
        (true, false) if strict(a) => Direct::Cannot,
        (false, false) if strict(a) && strict(b) => Direct::Cannot,
        _ => Direct::May,
    }
}
