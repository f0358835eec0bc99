//! The addresses at which a peer may be, and which of them answered.

use super::address::Class;
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    time::{Duration, Instant},
};

/// What a peer may tell, twice.
pub(super) const MOST: usize = 32;

#[derive(Debug, Clone, Copy)]
pub(super) struct Good {
    pub(super) rtt: Duration,
    /// When anything came from there.
    pub(super) heard: Instant,
    /// When it answered, and so was reached from here.
    pub(super) answered: Instant,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    pub(super) class: Class,
    /// Control or the peer told it; otherwise the peer was heard from there.
    told: bool,
    pub(super) good: Option<Good>,
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

    /// Takes a new list from the peer or from control; whether it is another one. Addresses that answered stay.
    pub(super) fn tell(
        &mut self,
        told: &[SocketAddr],
        own: &[SocketAddr],
        current: Option<SocketAddr>,
    ) -> bool {
        let before: Vec<_> = self.told().collect();
        self.all
            .retain(|address, one| one.good.is_some() || !one.told || Some(*address) == current);
        self.all.values_mut().for_each(|one| one.told = false);
        for address in told.iter().take(MOST) {
            self.learn(*address, own, current).told = true;
        }
        before != self.told().collect::<Vec<_>>()
    }

    pub(super) fn learn(
        &mut self,
        address: SocketAddr,
        own: &[SocketAddr],
        current: Option<SocketAddr>,
    ) -> &mut Candidate {
        if self.all.len() >= MOST && !self.all.contains_key(&address) {
            let spare = self.all.iter().find(|(_, one)| one.good.is_none() && !one.told);
            let spare = spare.or_else(|| self.all.iter().find(|(at, _)| Some(**at) != current));
            if let Some(spare) = spare.map(|(address, _)| *address) {
                self.all.remove(&spare);
            }
        }
        self.all.entry(address).or_insert_with(|| Candidate {
            class: Class::of(address.ip(), own),
            told: false,
            good: None,
        })
    }

    /// The address answered; `false` when nobody knows it anymore.
    pub(super) fn answered(&mut self, address: SocketAddr, rtt: Duration, now: Instant) -> bool {
        let Some(one) = self.all.get_mut(&address) else {
            return false;
        };
        let rtt = smooth(one.good.map(|good| good.rtt), rtt);
        one.good = Some(Good {
            rtt,
            heard: now,
            answered: now,
        });
        true
    }

    /// Something came from there; `false` when it never answered.
    pub(super) fn heard(&mut self, address: SocketAddr, now: Instant) -> bool {
        let good = self.all.get_mut(&address).and_then(|one| one.good.as_mut());
        good.map(|good| good.heard = now).is_some()
    }

    pub(super) fn doubt(&mut self, address: SocketAddr) {
        if let Some(one) = self.all.get_mut(&address) {
            one.good = None;
        }
    }

    pub(super) fn doubt_all(&mut self) {
        self.all.values_mut().for_each(|one| one.good = None);
    }

    /// This device has other addresses now, so that other addresses are near.
    pub(super) fn classify(&mut self, own: &[SocketAddr]) {
        for (address, one) in &mut self.all {
            one.class = Class::of(address.ip(), own);
        }
    }

    /// Those that did not answer for a while.
    pub(super) fn silent(&self, time: Duration, now: Instant) -> Vec<SocketAddr> {
        let silent = |good: Good| now.saturating_duration_since(good.answered) > time;
        self.all
            .iter()
            .filter(|(_, one)| one.good.is_none_or(silent))
            .map(|(address, _)| *address)
            .collect()
    }

    /// The best of those that were heard lately.
    pub(super) fn best(&self, time: Duration, now: Instant) -> Option<SocketAddr> {
        let lately = |good: &Good| now.saturating_duration_since(good.heard) < time;
        let lately = self
            .all
            .iter()
            .filter_map(|(at, one)| Some((one.class, one.good.filter(lately)?.rtt, *at)));
        lately.min().map(|(_, _, address)| address)
    }

    fn told(&self) -> impl Iterator<Item = SocketAddr> {
        self.all
            .iter()
            .filter(|(_, one)| one.told)
            .map(|(address, _)| *address)
    }
}

pub(super) fn smooth(before: Option<Duration>, new: Duration) -> Duration {
    before.map_or(new, |before| (before * 7 + new) / 8)
}
