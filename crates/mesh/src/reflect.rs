//! Which NAT this device is behind, from the addresses at which relays see it.
//!
//! Rounds of requests go to every relay, on two ports where it has them. When one address sees the device's socket at
//! two different ports, its NAT makes a new mapping for each destination (RFC 4787 §4.1), and the next port cannot be
//! predicted. The answers also tell which relay is nearest.

#[cfg(test)]
mod tests;

use crate::path::address::canonical;
use flotilla_protocol::{id::RelayId, mesh::Nat};
use flotilla_wire::Frame;
use rand::{Rng, rngs::StdRng};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

/// Offsets of a round's requests; targets that have answered are not asked again.
const STEPS: [Duration; 4] = [
    Duration::ZERO,
    Duration::from_millis(300),
    Duration::from_millis(900),
    Duration::from_millis(1800),
];
/// From this step on a round ends without waiting for the remaining targets.
const PATIENT_STEP: usize = 2;
/// When no relay has answered by then, UDP is blocked.
const ROUND_END: Duration = Duration::from_secs(3);
/// The pause between rounds: long enough to be no burden, and short enough to notice that a router was restarted.
const PAUSE: Duration = Duration::from_secs(60);
const PAUSE_BLOCKED: Duration = Duration::from_secs(20);
/// The least time from the start of a round to the next when addresses of relays change, because owners of relays
/// choose those and may change them without end.
const MIN_ROUND_GAP: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Copy)]
struct Answer {
    observed: SocketAddr,
    rtt: Duration,
    round: u64,
}

/// The address of a request, and the relay that it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Target {
    relay: RelayId,
    address: SocketAddr,
}

#[derive(Debug)]
pub(crate) struct Reflect {
    rng: StdRng,
    targets: BTreeSet<Target>,
    answers: BTreeMap<Target, Answer>,
    /// The addresses from the last round that had enough answers. A round with few answers would look like another
    /// network.
    seen: Vec<SocketAddr>,
    /// Outside addresses of NATs that make a new mapping for each destination.
    unsteady: BTreeSet<IpAddr>,
    asked: BTreeMap<u64, (Target, Instant)>,
    round: u64,
    begun: Option<Instant>,
    /// When the last round began, running or over.
    last: Option<Instant>,
    step: usize,
    next: Option<Instant>,
    blocked: bool,
}

impl Reflect {
    pub(crate) fn new(rng: StdRng) -> Self {
        Self {
            rng,
            targets: BTreeSet::new(),
            answers: BTreeMap::new(),
            seen: Vec::new(),
            unsteady: BTreeSet::new(),
            asked: BTreeMap::new(),
            round: 0,
            begun: None,
            last: None,
            step: 0,
            next: None,
            blocked: false,
        }
    }

    /// Sets the addresses of all relays, each with its second reflex port, if it has one.
    pub(crate) fn set_targets(
        &mut self,
        relays: &BTreeMap<RelayId, (Vec<SocketAddr>, Option<u16>)>,
        now: Instant,
    ) {
        let mut targets = BTreeSet::new();
        for (relay, (addresses, second)) in relays {
            for address in addresses {
                let ports = [Some(address.port()), *second];
                targets.extend(ports.into_iter().flatten().map(|port| Target {
                    relay: *relay,
                    address: SocketAddr::new(address.ip(), port),
                }));
            }
        }
        if targets != self.targets {
            self.answers.retain(|target, _| targets.contains(target));
            self.targets = targets;
            self.renew(now);
        }
    }

    /// The network may have changed: forgets all answers and starts a round.
    pub(crate) fn restart(&mut self, now: Instant) {
        self.round += 1;
        (self.begun, self.last, self.step) = (Some(now), Some(now), 0);
        self.next = (!self.targets.is_empty()).then_some(now);
        self.asked
            .retain(|_, (_, at)| now.saturating_duration_since(*at) < ROUND_END);
    }

    /// Starts a round, unless one is running.
    pub(crate) fn retry_now(&mut self, now: Instant) {
        if self.begun.is_none() {
            self.renew(now);
        }
    }

    /// Starts a round: at once, or soon when one has just begun.
    fn renew(&mut self, now: Instant) {
        match self
            .last
            .map(|last| last + MIN_ROUND_GAP)
            .filter(|soonest| now < *soonest)
        {
            Some(soonest) => (self.begun, self.next) = (None, Some(soonest)),
            None => self.restart(now),
        }
    }

    pub(crate) fn handle_answer(
        &mut self,
        tx: u64,
        from: SocketAddr,
        observed: SocketAddr,
        now: Instant,
    ) -> bool {
        // Guessing the number is not enough: the answer has to come from the address that was asked.
        let asked = self.asked.get(&tx).filter(|(target, _)| target.address == from);
        let Some((target, at)) = asked.copied() else {
            return false;
        };
        self.asked.remove(&tx);
        self.blocked = false;
        let answer = Answer {
            observed: canonical(observed),
            rtt: now.saturating_duration_since(at),
            round: self.round,
        };
        self.answers.insert(target, answer);
        if self.step >= PATIENT_STEP || self.of_round().count() == self.targets.len() {
            self.settle();
        }
        true
    }

    /// The requests that are due.
    pub(crate) fn handle_timeout(&mut self, now: Instant) -> Vec<(SocketAddr, Vec<u8>)> {
        if self.next.is_none_or(|next| now < next) {
            return Vec::new();
        }
        let Some(begun) = self.begun else {
            self.restart(now);
            return self.handle_timeout(now);
        };
        if self.step == STEPS.len() {
            self.end(now);
            return Vec::new();
        }
        self.step += 1;
        if self.step == PATIENT_STEP && self.of_round().next().is_some() {
            self.settle();
        }
        self.next = Some(begun + STEPS.get(self.step).copied().unwrap_or(ROUND_END));
        let round = self.round;
        let silent: Vec<_> = self.targets.iter().copied().collect();
        let silent = silent
            .into_iter()
            .filter(|target| self.answers.get(target).is_none_or(|one| one.round != round));
        let silent: Vec<_> = silent.collect();
        silent
            .into_iter()
            .filter_map(|target| Some((target.address, self.ask(target, now)?)))
            .collect()
    }

    pub(crate) fn timeout(&self) -> Option<Instant> {
        self.next
    }

    pub(crate) fn nat(&self, own: &[SocketAddr], tls_works: bool) -> Nat {
        let v4: Vec<_> = self.seen.iter().filter(|one| one.is_ipv4()).collect();
        if v4.is_empty() {
            return match self.seen.is_empty() {
                false => Nat::EndpointIndependent,
                true if self.blocked || (tls_works && self.step > 2) => Nat::UdpBlocked,
                true => Nat::Unknown,
            };
        }
        let is_seen_twice = |one| v4.iter().filter(|other| **other == one).count() > 1;
        if !self.unsteady.is_empty() {
            Nat::EndpointDependent
        } else if v4.iter().any(|one| is_seen_twice(*one)) || v4.iter().all(|one| own.contains(one)) {
            Nat::EndpointIndependent
        } else {
            Nat::Unknown
        }
    }

    /// The addresses at which peers may see this device. Those of a NAT with a new mapping for each destination are
    /// left out, because peers could not reach the device there.
    pub(crate) fn observed(&self) -> BTreeSet<SocketAddr> {
        let seen = self.seen.iter().copied();
        seen.filter(|one| !self.unsteady.contains(&one.ip())).collect()
    }

    /// The nearest address of a relay, and its round trip. An address that two relays share counts only when there is
    /// no other, because either may have answered.
    pub(crate) fn nearest(&self, relay: RelayId) -> Option<(SocketAddr, Duration)> {
        let of_it = self.answers.iter().filter(|(target, _)| target.relay == relay);
        let is_shared = |address| {
            let mut others = self.targets.iter().filter(|target| target.relay != relay);
            others.any(|target| target.address == address)
        };
        of_it
            .map(|(target, answer)| (target.address, answer.rtt))
            .min_by_key(|(address, rtt)| (is_shared(*address), *rtt))
    }

    fn end(&mut self, now: Instant) {
        let round = self.round;
        self.answers.retain(|_, answer| answer.round == round);
        self.settle();
        self.asked.clear();
        self.blocked = self.answers.is_empty();
        self.begun = None;
        self.next = Some(now + if self.blocked { PAUSE_BLOCKED } else { PAUSE });
    }

    fn of_round(&self) -> impl Iterator<Item = (Target, SocketAddr)> {
        self.answers
            .iter()
            .filter(|(_, answer)| answer.round == self.round)
            .map(|(target, answer)| (*target, answer.observed))
    }

    fn settle(&mut self) {
        let seen: Vec<_> = self
            .of_round()
            .filter(|(_, observed)| observed.is_ipv4())
            .collect();
        // Relays on different sides of a NAT see different addresses, and each of these may be predictable even if two
        // relays share an address. Unpredictable is only an address that shows two ports, or a relay that sees two
        // addresses.
        let differ = |(one, a): &(Target, SocketAddr), (other, b): &(Target, SocketAddr)| {
            let is_one_place = one.relay == other.relay && one.address.ip() == other.address.ip();
            a != b && (a.ip() == b.ip() || is_one_place)
        };
        let is_unsteady = |(target, address): &(Target, SocketAddr)| {
            // A single answer cannot show that, and changes nothing.
            let alone = seen
                .iter()
                .filter(|(_, other)| other.ip() == address.ip())
                .count()
                == 1;
            (alone && self.unsteady.contains(&address.ip()))
                || seen.iter().any(|other| differ(&(*target, *address), other))
        };
        let unsteady = seen.iter().filter(|one| is_unsteady(one));
        self.unsteady = unsteady.map(|(_, address)| address.ip()).collect();
        self.seen = self.of_round().map(|(_, observed)| observed).collect();
    }

    fn ask(&mut self, target: Target, now: Instant) -> Option<Vec<u8>> {
        let tx = self.rng.random();
        let mut bytes = vec![0; flotilla_wire::REFLECT_REQUEST_LEN];
        Frame::ReflectRequest { tx }.write(&mut bytes)?;
        self.asked.insert(tx, (target, now));
        Some(bytes)
    }
}
