//! What stands between this device and the rest of the world, told by relays that say where they see us.
//!
//! Rounds of requests go to every relay, on two ports where it has them. One socket that is seen at two ports of an
//! address has a NAT in front that maps each destination anew (RFC 4787 §4.1), whose next port cannot be foreseen.
//! The answers also tell which relay is nearest.

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

/// Offsets of the requests of a round; only what did not answer is asked again.
const STEPS: [Duration; 4] = [
    Duration::ZERO,
    Duration::from_millis(300),
    Duration::from_millis(900),
    Duration::from_millis(1800),
];
/// From this step on a round does not wait for targets that have not answered.
const PATIENT_STEP: usize = 2;
/// With no answer by then, UDP is blocked.
const END: Duration = Duration::from_secs(3);
/// Between rounds: seldom enough to be no burden, often enough to notice a router's restart.
const PAUSE: Duration = Duration::from_secs(60);
const PAUSE_BLOCKED: Duration = Duration::from_secs(20);
/// Other addresses of relays are asked so long after the last round began at the soonest: who runs a relay
/// chooses its addresses, and may change them without end.
const GAP: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Copy)]
struct Answer {
    observed: SocketAddr,
    rtt: Duration,
    round: u64,
}

/// Where a request goes, and to which relay that address belongs.
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
    /// What the last round told that had enough answers: half a round would look like another network.
    seen: Vec<SocketAddr>,
    /// Outside addresses of NATs that map each destination anew.
    unsteady: BTreeSet<IpAddr>,
    asked: BTreeMap<u64, (Target, Instant)>,
    round: u64,
    begun: Option<Instant>,
    /// When the last round began, this one or one that is over.
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

    /// The addresses of all relays, each with the port of its second reflex, if it has one.
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

    /// Another network, perhaps.
    pub(crate) fn restart(&mut self, now: Instant) {
        self.round += 1;
        (self.begun, self.last, self.step) = (Some(now), Some(now), 0);
        self.next = (!self.targets.is_empty()).then_some(now);
        self.asked
            .retain(|_, (_, at)| now.saturating_duration_since(*at) < END);
    }

    /// A round now, unless one is under way.
    pub(crate) fn hasten(&mut self, now: Instant) {
        if self.begun.is_none() {
            self.renew(now);
        }
    }

    /// A round now, or soon when there was one just now.
    fn renew(&mut self, now: Instant) {
        match self.last.map(|last| last + GAP).filter(|soonest| now < *soonest) {
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

    /// The requests to send now.
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
        self.next = Some(begun + STEPS.get(self.step).copied().unwrap_or(END));
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

    pub(crate) fn nat(&self, own: &[SocketAddr], stream_works: bool) -> Nat {
        let v4: Vec<_> = self.seen.iter().filter(|one| one.is_ipv4()).collect();
        if v4.is_empty() {
            return match self.seen.is_empty() {
                false => Nat::EndpointIndependent,
                true if self.blocked || (stream_works && self.step > 2) => Nat::UdpBlocked,
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

    /// The addresses at which others see this device, too. Those of a NAT that maps each destination anew are left out:
    /// another peer would not reach us there.
    pub(crate) fn observed(&self) -> BTreeSet<SocketAddr> {
        let seen = self.seen.iter().copied();
        seen.filter(|one| !self.unsteady.contains(&one.ip())).collect()
    }

    /// The nearest address of a relay, and its round trip. At an address that two relays share, either may have answered:
    /// it counts only where there is no other.
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
        // Relays on either side of a NAT see different addresses, and each may be foreseen, though both be behind one
        // address themselves. It cannot be when one address shows two ports, or one relay sees two addresses.
        let differ = |(one, a): &(Target, SocketAddr), (other, b): &(Target, SocketAddr)| {
            let is_one_place = one.relay == other.relay && one.address.ip() == other.address.ip();
            a != b && (a.ip() == b.ip() || is_one_place)
        };
        let is_unsteady = |(target, address): &(Target, SocketAddr)| {
            // One answer alone cannot tell, and is no news.
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
