//! Which devices must reach each other, and how, derived from the world and not from the meshes.

use crate::{
    device::Device,
    nat::{Depends, Kind, Nat},
    relay::Relay,
    world::World,
};
use flotilla_protocol::{
    device::RelayPreference,
    path::{PathKind, PathReason},
};
use std::time::{Duration, Instant};

/// Whether a kind of path comes about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chance {
    Must,
    Cannot,
    /// It depends on the order of packets, and either is correct.
    May,
}

/// The paths that are correct. When there are several, the order of packets decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) direct: Vec<PathReason>,
    pub(crate) relayed: bool,
}

impl Verdict {
    pub(crate) fn allows(&self, why: PathReason) -> bool {
        match why.kind() {
            PathKind::Direct => self.direct.contains(&why),
            PathKind::Relayed => self.relayed,
            _ => false,
        }
    }
}

impl World {
    /// The path of two devices that reach each other: the best one that must come about, or a better one that may.
    pub(crate) fn verdict(&self, a: usize, b: usize) -> Verdict {
        let mut direct = vec![];
        for (reason, chance) in self.chances(a, b) {
            if chance != Chance::Cannot {
                direct.push(reason);
            }
            if chance == Chance::Must {
                return Verdict {
                    direct,
                    relayed: false,
                };
            }
        }
        let relayed = true;
        Verdict { direct, relayed }
    }

    /// The direct paths, best first.
    fn chances(&self, a: usize, b: usize) -> [(PathReason, Chance); 3] {
        let (a, b) = (&self.devices[a], &self.devices[b]);
        let mut chances = [
            (PathReason::DirectLan, self.on_one_lan(a, b)),
            (PathReason::DirectIpv6, self.over_ipv6(a, b)),
            (PathReason::DirectNat, self.over_ipv4(a, b)),
        ];
        let always = |device: &Device| device.preference == RelayPreference::Always;
        if always(a) || always(b) {
            chances.iter_mut().for_each(|chance| chance.1 = Chance::Cannot);
        }
        chances
    }

    fn on_one_lan(&self, a: &Device, b: &Device) -> Chance {
        let site = &self.sites[a.site];
        let share_v4 = a.has_ipv4() && b.has_ipv4();
        // Between public addresses of one network packets go over the internet in this world.
        let public = site.kind.is_none() && share_v4 && !site.blocked;
        let private = site.kind.is_some() && share_v4 && !site.isolates;
        let prefix = a.has_ipv6() && b.has_ipv6() && !site.isolates;
        must_if(a.site == b.site && (public || private || prefix))
    }

    /// Without NAT, both ends send to the addresses that all other hosts see.
    fn over_ipv6(&self, a: &Device, b: &Device) -> Chance {
        let blocked = self.sites[a.site].blocked || self.sites[b.site].blocked;
        let both = a.site != b.site && self.speaks_ipv6(a) && self.speaks_ipv6(b) && !blocked;
        // A device with a direct path looks for a better one only every five minutes.
        let lately = |mended: Instant| self.now < mended + Duration::from_secs(330);
        let mended = |device: &Device| self.sites[device.site].ipv6.as_ref()?.mended;
        let left_open = [a, b].into_iter().filter_map(mended).any(lately) || !self.may_open_together(a, b);
        if both && left_open {
            Chance::May
        } else {
            must_if(both)
        }
    }

    /// Two firewalls open when both ends send at about the same time. A relay arranges that, and devices that may not
    /// use one try often enough. Devices that may use one but have none in common try only every five minutes, each at
    /// its own time.
    fn may_open_together(&self, a: &Device, b: &Device) -> bool {
        let firewall = |device: &Device| self.sites[device.site].ipv6.as_ref()?.firewall.as_ref();
        let never = |device: &Device| device.preference == RelayPreference::Never;
        let both_have_one = firewall(a).is_some() && firewall(b).is_some();
        !both_have_one || never(a) || never(b) || self.relayed(a.number, b.number)
    }

    fn speaks_ipv6(&self, device: &Device) -> bool {
        device.has_ipv6() && self.sites[device.site].has_working_ipv6()
    }

    /// Whether a relay is alive and shares a family with the device.
    pub(crate) fn serves(&self, relay: &Relay, device: &Device) -> bool {
        relay.alive && (device.has_ipv4() || (relay.has_ipv6 && self.speaks_ipv6(device)))
    }

    fn over_ipv4(&self, a: &Device, b: &Device) -> Chance {
        let (here, there) = (&self.sites[a.site], &self.sites[b.site]);
        if here.blocked || there.blocked || !a.has_ipv4() || !b.has_ipv4() {
            return Chance::Cannot;
        }
        if self.turning_point(a, b).is_some_and(|nat| !nat.hairpins) {
            return Chance::Cannot;
        }
        between(self.outermost(a), self.outermost(b))
    }

    /// The outermost NAT that both devices are behind: each sees the other at its outside address.
    pub(crate) fn turning_point(&self, a: &Device, b: &Device) -> Option<&Nat> {
        let (here, there) = (&self.sites[a.site], &self.sites[b.site]);
        let carrier = here.carrier.filter(|carrier| there.carrier == Some(*carrier));
        let carrier = carrier.map(|carrier| &self.carriers[carrier]);
        carrier.or_else(|| here.nat.as_ref().filter(|_| a.site == b.site))
    }

    /// The combined behavior of all NATs between a device and the internet.
    pub(crate) fn outermost(&self, device: &Device) -> Option<Kind> {
        let site = &self.sites[device.site];
        let carrier = site.carrier.map(|carrier| self.carriers[carrier].kind);
        let kind = site.kind?;
        Some(carrier.map_or(kind, |carrier| kind.behind(carrier)))
    }

    pub(crate) fn relayed(&self, a: usize, b: usize) -> bool {
        let ends = [a, b].map(|device| &self.devices[device]);
        let never = |device: &&Device| device.preference == RelayPreference::Never;
        let serves_both = |relay: &Relay| ends.iter().all(|end| self.serves(relay, end));
        !ends.iter().any(never) && self.relays.iter().any(serves_both)
    }

    /// Whether a request is answered; `None` when either is correct.
    pub(crate) fn reaches(&self, from: usize, to: usize) -> Option<bool> {
        if !self.policy.contains(&(from, to)) || self.devices[from].asleep || self.devices[to].asleep {
            return Some(false);
        }
        let Verdict { direct, relayed } = self.verdict(from, to);
        match (self.relayed(from, to) || !relayed, direct.is_empty()) {
            (true, _) => Some(true),
            (false, true) => Some(false),
            (false, false) => None,
        }
    }
}

fn must_if(must: bool) -> Chance {
    if must { Chance::Must } else { Chance::Cannot }
}

fn between(a: Option<Kind>, b: Option<Kind>) -> Chance {
    let (Some(a), Some(b)) = (a, b) else {
        // A public address can be sent to from everywhere, and its answers return to the sender's mapping.
        return Chance::Must;
    };
    let foreseen = |kind: Kind| kind.mapping == Depends::Independent;
    let strict = |kind: Kind| kind.filtering == Depends::AddressAndPort;
    match (foreseen(a), foreseen(b)) {
        (true, true) => Chance::Must,
        (false, true) if strict(b) => Chance::Cannot,
        (true, false) if strict(a) => Chance::Cannot,
        (false, false) if strict(a) && strict(b) => Chance::Cannot,
        _ => Chance::May,
    }
}
