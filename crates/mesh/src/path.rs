//! How one peer is reached: its candidates, the pings to them, and the choice between them.
//!
//! Life cycle: a *round* of pings goes to every candidate, and the peer is asked through the relay to do the same at
//! that moment, so that the NATs of both ends open. The first direct way that answers is taken at once; until then,
//! and whenever it falls silent, packets go through a relay. Rounds repeat with growing pauses while there is no
//! direct way, and at once when something changed. A direct way in use is pinged; one that nobody used for long is
//! not trusted with packets before it answered again.

pub(crate) mod address;
mod mtu;
mod pings;
mod round;
#[cfg(test)]
mod tests;

use address::Class;
use mtu::PathMtu;
use pings::{Ping, Pings};
use round::{Rounds, Step};
use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
    time::{Duration, Instant},
};

/// A peer whose last packet is older is idle.
const WARM: Duration = Duration::from_secs(120);
/// How often a direct way in use is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// In use and silent for this long, a way is pinged.
const QUIET: Duration = Duration::from_secs(4);
/// The same while we send: an answer to something is overdue.
const QUIET_SENDING: Duration = Duration::from_secs(2);
/// A direct way that was silent for this long is lost.
const LOST: Duration = Duration::from_secs(10);
/// The same when we sent, and pinged every second, and nothing came.
const LOST_SENDING: Duration = Duration::from_secs(6);
/// When something suggests that a way is gone, it has this long to answer.
const DOUBT: Duration = Duration::from_millis(1000);
const DOUBT_PING: Duration = Duration::from_millis(200);
/// NATs keep a mapping for 30 s at least in practice; a way silent for longer is not trusted at first use.
const FRESH: Duration = Duration::from_secs(20);
/// A way that answered this recently can replace a lost one.
const RECENT: Duration = Duration::from_secs(10);
const TEST: Duration = Duration::from_millis(1500);
/// Candidates that are remembered: what a peer may tell, twice.
const MOST_CANDIDATES: usize = 32;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    Direct(SocketAddr),
    Relay,
}

/// What the peer is to be sent beside packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Query {
    /// `mtu` asks for padding to the size of a sealed packet of that many bytes.
    Ping { tx: u64, mtu: Option<u16> },
    /// Our candidates, so that the peer probes them now.
    Candidates,
}

#[derive(Debug, Clone, Copy)]
struct Good {
    rtt: Duration,
    heard: Instant,
}

#[derive(Debug, Clone, Copy)]
struct Candidate {
    class: Class,
    /// Control or the peer told it; otherwise the peer was heard from there.
    told: bool,
    good: Option<Good>,
}

#[derive(Debug)]
struct Test {
    end: Instant,
    next: Instant,
    answers: BTreeMap<Way, Option<Duration>>,
}

#[derive(Debug)]
pub(crate) struct Paths {
    /// Direct ways are looked for at all.
    direct: bool,
    /// The relay can be used.
    relay: bool,
    candidates: BTreeMap<SocketAddr, Candidate>,
    current: Option<SocketAddr>,
    /// There was a direct way, it fell silent, and none was found since.
    lost: bool,
    rounds: Rounds,
    pings: Pings,
    mtu: PathMtu,
    relay_rtt: Option<Duration>,
    relay_ping: Option<Instant>,
    used: Option<Instant>,
    sent: Option<Instant>,
    doubt: Option<Instant>,
    look: Option<Instant>,
    test: Option<Test>,
    tested: Option<BTreeMap<Way, Option<Duration>>>,
    outbox: VecDeque<(Way, Query)>,
}

impl Paths {
    /// What the best path carries.
    pub(crate) const LARGEST_MTU: u16 = PathMtu::LARGEST;

    pub(crate) fn new(seed: u64) -> Self {
        Self {
            direct: false,
            relay: false,
            candidates: BTreeMap::new(),
            current: None,
            lost: false,
            rounds: Rounds::new(),
            pings: Pings::new(seed),
            mtu: PathMtu::unknown(),
            relay_rtt: None,
            relay_ping: None,
            used: None,
            sent: None,
            doubt: None,
            look: None,
            test: None,
            tested: None,
            outbox: VecDeque::new(),
        }
    }

    /// Whether direct ways may be looked for, and how long at most between two tries.
    pub(crate) fn allow(&mut self, direct: bool, longest_pause: Duration, now: Instant) {
        self.rounds.set_longest(longest_pause);
        if self.direct == direct {
            return;
        }
        self.direct = direct;
        if direct {
            self.rounds.restart(now);
        } else {
            (self.current, self.lost) = (None, false);
            self.candidates
                .values_mut()
                .for_each(|candidate| candidate.good = None);
            self.rounds.stop();
        }
    }

    /// Whether the relay's way can be used now.
    pub(crate) fn set_relay(&mut self, usable: bool, now: Instant) {
        if usable && !self.relay {
            self.relay_ping = Some(now);
            // The peer can now be asked to probe at the same moment.
            if self.direct && self.current.is_none() {
                self.rounds.restart(now);
            }
        } else if !usable {
            (self.relay_rtt, self.relay_ping) = (None, None);
        }
        self.relay = usable;
    }

    /// Where the peer says, or control says, that it may be reached.
    pub(crate) fn set_candidates(&mut self, told: &[SocketAddr], own: &[SocketAddr], now: Instant) {
        let before: Vec<_> = self.told().collect();
        let current = self.current;
        self.candidates
            .retain(|address, one| one.good.is_some() || !one.told || Some(*address) == current);
        self.candidates.values_mut().for_each(|one| one.told = false);
        for address in told.iter().take(MOST_CANDIDATES) {
            self.learn(*address, own).told = true;
        }
        if before == self.told().collect::<Vec<_>>() {
            return;
        }
        if let Some(current) = current
            && !told.contains(&current)
        {
            self.suspect(now);
        }
        if self.direct {
            self.rounds.restart(now);
        }
    }

    /// The peer asks to be probed now.
    pub(crate) fn handle_call(&mut self, told: &[SocketAddr], own: &[SocketAddr], now: Instant) {
        self.set_candidates(told, own, now);
        if self.direct && self.current.is_none() {
            self.rounds.answer(now);
        }
    }

    /// The network is another one, or the machine slept: what was good may not be.
    pub(crate) fn handle_change(&mut self, now: Instant) {
        self.candidates.values_mut().for_each(|one| one.good = None);
        if self.current.is_some() {
            self.suspect(now);
        }
        if self.direct {
            self.rounds.restart(now);
        }
        self.relay_ping = self.relay.then_some(now);
    }

    /// The peer pinged us. It is pinged back where that is news.
    pub(crate) fn handle_ping(&mut self, way: Way, own: &[SocketAddr], now: Instant) {
        let Way::Direct(from) = way else { return };
        if !self.direct {
            return;
        }
        let good = self.learn(from, own).good;
        if good.is_none_or(|good| now.saturating_duration_since(good.heard) > DOUBT) {
            self.ping(way, None, now);
        }
    }

    /// The peer answered.
    pub(crate) fn handle_pong(&mut self, tx: u64, way: Way, now: Instant) {
        let Some(ping) = self.pings.answered(tx, way, now) else {
            return;
        };
        let rtt = now.saturating_duration_since(ping.at);
        if let Some(test) = &mut self.test {
            test.answers
                .entry(way)
                .and_modify(|answer| *answer = answer.or(Some(rtt)));
        }
        match way {
            Way::Relay => self.relay_rtt = Some(smooth(self.relay_rtt, rtt)),
            Way::Direct(from) => {
                let Some(candidate) = self.candidates.get_mut(&from) else {
                    return;
                };
                let rtt = smooth(candidate.good.map(|good| good.rtt), rtt);
                candidate.good = Some(Good { rtt, heard: now });
                if let Some(mtu) = ping.mtu
                    && self.current == Some(from)
                {
                    self.mtu.confirm(mtu, now);
                }
                self.consider(from, now);
            }
        }
    }

    /// Something authentic came that way.
    pub(crate) fn handle_heard(&mut self, way: Way, own: &[SocketAddr], now: Instant) {
        let Way::Direct(from) = way else { return };
        if let Some(good) = self.candidates.get_mut(&from).and_then(|one| one.good.as_mut()) {
            good.heard = now;
        } else if self.direct && self.rounds.may_ping_back(now) {
            // An address is not believed because packets come from it, only when it answers.
            self.learn(from, own);
            self.ping(Way::Direct(from), None, now);
            if self.current.is_some() && self.current_age(now) > DOUBT {
                self.suspect(now);
            }
        }
    }

    /// Packets were received. Whether that made an idle peer one in use.
    pub(crate) fn note_received(&mut self, now: Instant) -> bool {
        let woke = !self.is_warm(now);
        self.used = Some(now);
        if woke {
            self.wake(now);
        }
        woke
    }

    /// Packets are to be sent. Whether that made an idle peer one in use.
    pub(crate) fn note_sent(&mut self, now: Instant) -> bool {
        let woke = !self.is_warm(now);
        if woke && self.current.is_some() && self.current_age(now) > FRESH {
            if self.relay {
                self.current = None;
            }
            self.rounds.restart(now);
        }
        (self.used, self.sent) = (Some(now), Some(now));
        if woke {
            self.wake(now);
        }
        woke
    }

    /// Pings every way; the answers are in [`Self::poll_test`].
    pub(crate) fn test(&mut self, now: Instant) {
        let direct = self
            .candidates
            .keys()
            .filter(|_| self.direct)
            .map(|address| Way::Direct(*address));
        let ways = direct.chain(self.relay.then_some(Way::Relay));
        self.test = Some(Test {
            end: now + TEST,
            next: now,
            answers: ways.map(|way| (way, None)).collect(),
        });
    }

    pub(crate) fn poll_test(&mut self) -> Option<BTreeMap<Way, Option<Duration>>> {
        self.tested.take()
    }

    pub(crate) fn has_queries(&self) -> bool {
        !self.outbox.is_empty()
    }

    /// Our own candidates changed: the peer should learn of it now.
    pub(crate) fn call(&mut self, now: Instant) {
        if self.direct && (self.current.is_none() || self.doubt.is_some()) {
            self.rounds.restart(now);
        }
    }

    pub(crate) fn poll_query(&mut self) -> Option<(Way, Query)> {
        self.outbox.pop_front()
    }

    /// The direct way in use.
    pub(crate) fn current(&self) -> Option<(SocketAddr, Class)> {
        let current = self.current?;
        Some((current, self.candidates.get(&current)?.class))
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.lost
    }

    /// Whether a whole round of pings found no direct way.
    pub(crate) fn has_failed(&self) -> bool {
        self.rounds.failed() > 0
    }

    pub(crate) fn rtt(&self) -> Option<Duration> {
        match self.current {
            Some(current) => self.candidates.get(&current)?.good.map(|good| good.rtt),
            None => self.relay_rtt,
        }
    }

    /// Largest IP packet on the way in use.
    pub(crate) fn mtu(&self) -> u16 {
        self.mtu.get()
    }

    pub(crate) fn is_warm(&self, now: Instant) -> bool {
        self.used
            .is_some_and(|used| now.saturating_duration_since(used) < WARM)
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let test = self.test.as_ref().map(|test| test.next.min(test.end));
        let mtu = self.current.and(self.mtu.timeout());
        [self.rounds.timeout(), self.look, self.relay_ping, test, mtu]
            .into_iter()
            .flatten()
            .min()
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        self.look_at_current(now);
        match self.rounds.poll(now) {
            Some(Step::Ping) => self.ping_all(now),
            // Nobody watches the way to an idle peer but the rounds.
            Some(Step::End) if self.current.is_some() && self.current_age(now) > FRESH => self.lose(now),
            _ => {}
        }
        if self.relay_ping.is_some_and(|at| now >= at) {
            self.ping(Way::Relay, None, now);
            let pause = if self.is_warm(now) && self.current.is_none() {
                5
            } else {
                300
            };
            self.relay_ping = Some(now + Duration::from_secs(pause));
        }
        if let Some(current) = self.current
            && let Some(mtu) = self.mtu.poll(now)
        {
            self.ping(Way::Direct(current), Some(mtu), now);
        }
        if let Some(test) = self.test.take_if(|test| now >= test.end) {
            self.tested = Some(test.answers);
        }
        if let Some(test) = self.test.as_mut().filter(|test| now >= test.next) {
            test.next = now + TEST / 3;
            let ways: Vec<_> = test.answers.keys().copied().collect();
            ways.into_iter().for_each(|way| self.ping(way, None, now));
        }
    }

    fn ping_all(&mut self, now: Instant) {
        if self.rounds.poll_call(now) && self.relay {
            self.outbox.push_back((Way::Relay, Query::Candidates));
        }
        let stale = |one: &Candidate| {
            one.good
                .is_none_or(|good| now.saturating_duration_since(good.heard) > FRESH)
        };
        let all: Vec<_> = self
            .candidates
            .iter()
            .filter(|(_, one)| stale(one))
            .map(|(at, _)| *at)
            .collect();
        all.into_iter()
            .for_each(|address| self.ping(Way::Direct(address), None, now));
    }

    fn look_at_current(&mut self, now: Instant) {
        if self.look.is_none_or(|at| now < at) {
            return;
        }
        self.look = None;
        let (Some(current), silent) = (self.current, self.current_age(now)) else {
            self.doubt = None;
            return;
        };
        if let Some(since) = self.doubt {
            let answered = self.current_heard().is_some_and(|heard| heard > since);
            if answered {
                self.doubt = None;
            } else if now >= since + DOUBT {
                return self.lose(now);
            } else {
                self.ping(Way::Direct(current), None, now);
                self.look = Some(now + DOUBT_PING);
                return;
            }
        }
        if !self.is_warm(now) {
            return;
        }
        let sending = self.sent > self.current_heard();
        if silent >= LOST || (sending && silent >= LOST_SENDING) {
            return self.lose(now);
        }
        if silent >= QUIET || (sending && silent >= QUIET_SENDING) {
            self.ping(Way::Direct(current), None, now);
        }
        self.look = Some(now + LOOK);
    }

    /// Takes a way that just answered, if it is better than the one in use.
    fn consider(&mut self, answered: SocketAddr, now: Instant) {
        let Some(new) = self.candidates.get(&answered).copied() else {
            return;
        };
        let Some(new_good) = new.good else { return };
        let current = self.current.and_then(|current| self.candidates.get(&current));
        let better = match current.map(|one| (one.class, one.good)) {
            None | Some((_, None)) => true,
            Some((class, Some(_))) if class != new.class => new.class < class,
            Some((_, Some(good))) => {
                let clearly = good
                    .rtt
                    .mul_f32(0.8)
                    .min(good.rtt.saturating_sub(Duration::from_millis(3)));
                let doubtful = self.doubt.is_some_and(|since| good.heard <= since);
                doubtful || new_good.rtt < clearly
            }
        };
        if better && self.current != Some(answered) {
            self.take(answered, now);
        }
    }

    fn take(&mut self, address: SocketAddr, now: Instant) {
        self.current = Some(address);
        (self.lost, self.doubt) = (false, None);
        self.rounds.succeed(now);
        self.mtu.restart(now);
        self.look = Some(now + LOOK);
    }

    fn lose(&mut self, now: Instant) {
        if let Some(current) = self.current.take()
            && let Some(candidate) = self.candidates.get_mut(&current)
        {
            candidate.good = None;
        }
        (self.doubt, self.look) = (None, None);
        let recent = |one: &Candidate| {
            one.good
                .filter(|good| now.saturating_duration_since(good.heard) < RECENT)
        };
        let next = self
            .candidates
            .iter()
            .filter_map(|(at, one)| Some((one.class, recent(one)?.rtt, *at)))
            .min();
        match next {
            Some((_, _, address)) => self.take(address, now),
            None => {
                self.lost = true;
                self.relay_ping = self.relay.then_some(now);
                self.rounds.restart(now);
            }
        }
    }

    fn suspect(&mut self, now: Instant) {
        if self.doubt.is_none() {
            self.doubt = Some(now);
            self.look = Some(now);
        }
    }

    fn wake(&mut self, now: Instant) {
        if self.current.is_some() {
            self.look = Some(now);
        }
        self.relay_ping = self.relay.then_some(now);
    }

    fn learn(&mut self, address: SocketAddr, own: &[SocketAddr]) -> &mut Candidate {
        if self.candidates.len() >= MOST_CANDIDATES && !self.candidates.contains_key(&address) {
            let spare = self
                .candidates
                .iter()
                .find(|(_, one)| one.good.is_none() && !one.told);
            let spare = spare.or_else(|| self.candidates.iter().find(|(at, _)| Some(**at) != self.current));
            if let Some(spare) = spare.map(|(address, _)| *address) {
                self.candidates.remove(&spare);
            }
        }
        self.candidates.entry(address).or_insert_with(|| Candidate {
            class: Class::of(address.ip(), own),
            told: false,
            good: None,
        })
    }

    fn told(&self) -> impl Iterator<Item = SocketAddr> {
        self.candidates
            .iter()
            .filter(|(_, one)| one.told)
            .map(|(address, _)| *address)
    }

    fn ping(&mut self, way: Way, mtu: Option<u16>, now: Instant) {
        let tx = self.pings.send(Ping { way, at: now, mtu });
        self.outbox.push_back((way, Query::Ping { tx, mtu }));
    }

    fn current_heard(&self) -> Option<Instant> {
        self.candidates.get(&self.current?)?.good.map(|good| good.heard)
    }

    fn current_age(&self, now: Instant) -> Duration {
        self.current_heard()
            .map_or(Duration::MAX, |heard| now.saturating_duration_since(heard))
    }
}

fn smooth(before: Option<Duration>, new: Duration) -> Duration {
    before.map_or(new, |before| (before * 7 + new) / 8)
}
