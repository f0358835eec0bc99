//! What stands between this device and the rest of the world, told by relays that say where they see us.
//!
//! Rounds of requests go to every relay, on two ports where it has them. One socket that is seen as two addresses
//! has a NAT in front that maps each destination anew (RFC 4787 §4.1), and nobody can foresee its next address.
//! The answers also tell which relay is nearest.

use crate::path::address::canonical;
use flotilla_protocol::{id::RelayId, mesh::Nat};
use flotilla_wire::Frame;
use rand::{Rng, rngs::StdRng};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    time::{Duration, Instant},
};

/// Offsets of the requests of a round; only what did not answer is asked again.
const STEPS: [Duration; 4] = [
    Duration::ZERO,
    Duration::from_millis(300),
    Duration::from_millis(900),
    Duration::from_millis(1800),
];
/// From this step on, whoever did not answer yet is not waited for.
const PATIENT_STEP: usize = 2;
/// With no answer by then, UDP is blocked.
const END: Duration = Duration::from_secs(3);
/// Between rounds: seldom enough to be no burden, often enough to notice a router's restart.
const PAUSE: Duration = Duration::from_secs(60);
const PAUSE_BLOCKED: Duration = Duration::from_secs(20);
/// Other addresses of relays are asked so long after the last round began at the soonest: whoever runs a relay chooses
/// its addresses.
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
    /// The NAT maps each destination anew.
    varies: bool,
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
            varies: false,
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
        // Whoever guesses a number still has to answer from the address that was asked.
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
        let Some(first) = v4.first() else {
            return match self.seen.is_empty() {
                false => Nat::EndpointIndependent,
                true if self.blocked || (stream_works && self.step > 2) => Nat::UdpBlocked,
                true => Nat::Unknown,
            };
        };
        if self.varies {
            Nat::EndpointDependent
        } else if v4.len() > 1 || own.contains(*first) {
            Nat::EndpointIndependent
        } else {
            Nat::Unknown
        }
    }

    /// Where others see us, too. A NAT that maps each destination anew shows nobody where another one will see us.
    pub(crate) fn observed(&self) -> BTreeSet<SocketAddr> {
        let seen = self.seen.iter().copied();
        seen.filter(|one| one.is_ipv6() || !self.varies).collect()
    }

    /// The nearest address of a relay, and its round trip.
    pub(crate) fn nearest(&self, relay: RelayId) -> Option<(SocketAddr, Duration)> {
        let of_it = self.answers.iter().filter(|(target, _)| target.relay == relay);
        of_it
            .map(|(target, answer)| (target.address, answer.rtt))
            .min_by_key(|(_, rtt)| *rtt)
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

    fn of_round(&self) -> impl Iterator<Item = SocketAddr> {
        self.answers
            .values()
            .filter(|answer| answer.round == self.round)
            .map(|answer| answer.observed)
    }

    fn settle(&mut self) {
        let seen: Vec<_> = self.of_round().collect();
        let v4: Vec<_> = seen.iter().filter(|one| one.is_ipv4()).collect();
        self.varies = match v4[..] {
            // One answer alone cannot tell, and it is no news when it comes by the same NAT.
            [one] => self.varies && self.seen.iter().any(|before| before.ip() == one.ip()),
            _ => v4.iter().any(|one| Some(one) != v4.first()),
        };
        self.seen = seen;
    }

    fn ask(&mut self, target: Target, now: Instant) -> Option<Vec<u8>> {
        let tx = self.rng.random();
        let mut bytes = vec![0; flotilla_wire::REFLECT_REQUEST_LEN];
        Frame::ReflectRequest { tx }.write(&mut bytes)?;
        self.asked.insert(tx, (target, now));
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    const RELAY: &str = "01937c5e-7b1a-7c3e-8b9e-0123456789ab";

    fn ready(now: Instant) -> Reflect {
        let mut reflect = Reflect::new(StdRng::from_seed([7; 32]));
        let addresses = vec!["192.0.2.1:7443".parse().unwrap()];
        let relays = [(RELAY.parse().unwrap(), (addresses, Some(7444)))];
        reflect.set_targets(&relays.into(), now);
        reflect
    }

    fn answer(reflect: &mut Reflect, now: Instant, observed: impl Fn(SocketAddr) -> Option<&'static str>) {
        for (to, bytes) in reflect.handle_timeout(now) {
            let Ok(Frame::ReflectRequest { tx }) = Frame::parse(&bytes) else {
                panic!("no reflect request");
            };
            if let Some(seen) = observed(to) {
                assert!(reflect.handle_answer(tx, to, seen.parse().unwrap(), now));
                assert!(
                    !reflect.handle_answer(tx, to, seen.parse().unwrap(), now),
                    "an answer counts once"
                );
            }
        }
    }

    #[test]
    fn one_address_for_two_destinations_can_be_foreseen_and_two_cannot() {
        let now = Instant::now();
        let mut reflect = ready(now);
        assert_eq!(reflect.nat(&[], false), Nat::Unknown);
        answer(&mut reflect, now, |_| Some("198.51.100.1:4000"));
        assert_eq!(reflect.nat(&[], false), Nat::EndpointIndependent);
        let mut reflect = ready(now);
        answer(&mut reflect, now, |to| {
            Some(if to.port() == 7443 {
                "198.51.100.1:4000"
            } else {
                "198.51.100.1:4001"
            })
        });
        assert_eq!(reflect.nat(&[], false), Nat::EndpointDependent);
    }

    #[test]
    fn a_mapping_that_differs_per_destination_is_not_where_others_find_us() {
        let mut now = Instant::now();
        let mut reflect = ready(now);
        let mapped = |to: SocketAddr| match to.port() {
            7443 => Some("198.51.100.1:4000"),
            _ => Some("198.51.100.1:4001"),
        };
        answer(&mut reflect, now, mapped);
        assert_eq!(reflect.observed().len(), 0);
        // Half a round is no other NAT.
        for _ in 0..10 {
            now = reflect.timeout().unwrap();
            answer(&mut reflect, now, |to| mapped(to).filter(|_| to.port() == 7443));
            assert_eq!(reflect.nat(&[], false), Nat::EndpointDependent);
            assert_eq!(reflect.observed().len(), 0);
        }
        reflect.restart(now);
        answer(&mut reflect, now, |_| Some("203.0.113.5:4000"));
        assert_eq!(reflect.nat(&[], false), Nat::EndpointIndependent);
        assert_eq!(reflect.observed().len(), 1);
    }

    #[test]
    fn relays_whose_addresses_change_all_the_time_are_asked_once_a_second() {
        let begin = Instant::now();
        let mut reflect = ready(begin);
        let mut asked = 0;
        for step in 1..=1000u16 {
            let now = begin + Duration::from_millis(10) * step.into();
            let addresses = vec![SocketAddr::from(([203, 0, 113, 9], step))];
            reflect.set_targets(&[(RELAY.parse().unwrap(), (addresses, None))].into(), now);
            asked += reflect.handle_timeout(now).len();
        }
        assert!((9..=40).contains(&asked), "{asked}");
        assert!(reflect.asked.len() <= 40, "{}", reflect.asked.len());
    }

    #[test]
    fn udp_is_blocked_when_nothing_answers_for_three_seconds() {
        let begin = Instant::now();
        let mut reflect = ready(begin);
        let mut now = begin;
        while reflect.nat(&[], false) == Nat::Unknown {
            now = reflect.timeout().unwrap();
            answer(&mut reflect, now, |_| None);
        }
        assert_eq!(reflect.nat(&[], false), Nat::UdpBlocked);
        assert_eq!(now - begin, Duration::from_secs(3));
        answer(&mut reflect, now + PAUSE_BLOCKED, |_| Some("198.51.100.1:4000"));
        assert_eq!(reflect.nat(&[], false), Nat::EndpointIndependent);
    }

    #[test]
    fn an_answer_from_elsewhere_is_not_believed() {
        let now = Instant::now();
        let mut reflect = ready(now);
        let (_, bytes) = reflect.handle_timeout(now).remove(0);
        let Ok(Frame::ReflectRequest { tx }) = Frame::parse(&bytes) else {
            panic!("no reflect request");
        };
        let liar = "203.0.113.9:7443".parse().unwrap();
        assert!(!reflect.handle_answer(tx, liar, liar, now));
    }
}
