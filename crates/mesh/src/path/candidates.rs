//! The addresses at which a peer may be, and which of them answered.

use super::address::Class;
use flotilla_protocol::cidr::IpRange;
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    time::{Duration, Instant},
};

/// The most candidates that are kept: twice as many as a peer may list.
pub(super) const MAX_CANDIDATES: usize = 32;

/// An address that was learned from packets, and that neither control nor the peer listed, is forgotten after so long
/// without a packet from it: twice the longest pause between rounds, in which NATs forget it, too.
const UNLISTED_LIFETIME: Duration = Duration::from_secs(600);

#[derive(Debug, Clone, Copy)]
pub(super) struct Answered {
    pub(super) rtt: Duration,
    /// When anything last came from there.
    pub(super) heard: Instant,
    /// When it last answered a ping, which proves that it can be reached.
    pub(super) answered: Instant,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    pub(super) class: Class,
    /// Control or the peer listed it; otherwise it was learned from packets.
    listed: bool,
    pub(super) good: Option<Answered>,
    /// When it was learned, last listed, or last answered.
    since: Instant,
}

impl Candidate {
    fn last(&self) -> Instant {
        self.good.map_or(self.since, |good| good.heard.max(self.since))
    }

    fn doubt(&mut self) {
        self.since = self.last();
        self.good = None;
    }
}

#[derive(Debug, Default)]
pub(super) struct Candidates {
    all: BTreeMap<SocketAddr, Candidate>,
}

impl Candidates {
    pub(super) fn get(&self, address: SocketAddr) -> Option<&Candidate> {
        self.all.get(&address)
    }

    pub(super) fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.all.keys().copied()
    }

    /// Takes a new list from the peer or from control; returns whether it differs. Addresses that answered stay.
    pub(super) fn set_listed(
        &mut self,
        listed: &[SocketAddr],
        near: &[IpRange],
        current: Option<SocketAddr>,
        now: Instant,
    ) -> bool {
        let before: Vec<_> = self.listed().collect();
        self.all
            .retain(|address, one| one.good.is_some() || !one.listed || Some(*address) == current);
        for one in self.all.values_mut().filter(|one| one.listed) {
            (one.listed, one.since) = (false, now);
        }
        for address in listed.iter().take(MAX_CANDIDATES) {
            self.learn(*address, near, current, now).listed = true;
        }
        before != self.listed().collect::<Vec<_>>()
    }

    pub(super) fn learn(
        &mut self,
        address: SocketAddr,
        near: &[IpRange],
        current: Option<SocketAddr>,
        now: Instant,
    ) -> &mut Candidate {
        if self.all.len() >= MAX_CANDIDATES && !self.all.contains_key(&address) {
            let others = self.all.iter().filter(|(at, _)| Some(**at) != current);
            // Answered addresses are removed last, listed ones before them; among equals the one that was silent for
            // longest goes first.
            let spare = others.min_by_key(|(_, one)| (one.good.is_some(), one.listed, one.last()));
            if let Some(spare) = spare.map(|(address, _)| *address) {
                self.all.remove(&spare);
            }
        }
        let one = self.all.entry(address).or_insert_with(|| Candidate {
            class: Class::of(address.ip(), near),
            listed: false,
            good: None,
            since: now,
        });
        one.since = now;
        one
    }

    /// Removes addresses that were learned long ago and are not listed.
    pub(super) fn forget(&mut self, current: Option<SocketAddr>, now: Instant) {
        self.all.retain(|address, one| {
            one.listed
                || Some(*address) == current
                || now.saturating_duration_since(one.last()) < UNLISTED_LIFETIME
        });
    }

    /// The address answered; `false` when it was forgotten meanwhile.
    pub(super) fn answered(&mut self, address: SocketAddr, rtt: Duration, now: Instant) -> bool {
        let Some(one) = self.all.get_mut(&address) else {
            return false;
        };
        let rtt = smooth(one.good.map(|good| good.rtt), rtt);
        one.good = Some(Answered {
            rtt,
            heard: now,
            answered: now,
        });
        one.since = now;
        true
    }

    /// Something came from the address; `false` when it never answered.
    pub(super) fn heard(&mut self, address: SocketAddr, now: Instant) -> bool {
        let good = self.all.get_mut(&address).and_then(|one| one.good.as_mut());
        good.map(|good| good.heard = now).is_some()
    }

    pub(super) fn doubt(&mut self, address: SocketAddr) {
        if let Some(one) = self.all.get_mut(&address) {
            one.doubt();
        }
    }

    pub(super) fn doubt_all(&mut self) {
        self.all.values_mut().for_each(Candidate::doubt);
    }

    /// This device moved to other networks, so the classes of addresses change.
    pub(super) fn classify(&mut self, near: &[IpRange]) {
        for (address, one) in &mut self.all {
            one.class = Class::of(address.ip(), near);
        }
    }

    /// The addresses that did not answer for `time`.
    pub(super) fn silent(&self, time: Duration, now: Instant) -> Vec<SocketAddr> {
        let silent = |good: Answered| now.saturating_duration_since(good.answered) > time;
        self.all
            .iter()
            .filter(|(_, one)| one.good.is_none_or(silent))
            .map(|(address, _)| *address)
            .collect()
    }

    /// The best of the addresses from which something came within `time`.
    pub(super) fn best(&self, time: Duration, now: Instant) -> Option<SocketAddr> {
        let lately = |good: &Answered| now.saturating_duration_since(good.heard) < time;
        let lately = self
            .all
            .iter()
            .filter_map(|(at, one)| Some((one.class, one.good.filter(lately)?.rtt, *at)));
        lately.min().map(|(_, _, address)| address)
    }

    fn listed(&self) -> impl Iterator<Item = SocketAddr> {
        self.all
            .iter()
            .filter(|(_, one)| one.listed)
            .map(|(address, _)| *address)
    }
}

pub(super) fn smooth(before: Option<Duration>, new: Duration) -> Duration {
    before.map_or(new, |before| (before * 7 + new) / 8)
}
