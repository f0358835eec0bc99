//! How one peer is reached: its candidates, the pings to them, and the choice of a path.
//!
//! Life cycle: a *round* of pings goes to every candidate, and the peer is asked through the relay to do the same at
//! that moment, so that the NATs of both ends open. The first direct way that answers is used at once; until then, and
//! whenever it falls silent, packets go through a relay. Rounds repeat with growing pauses while there is no direct
//! way, and at once when something changed. The direct way in use is pinged; after it was unused for long, packets go
//! through the relay until it has answered again.

pub(crate) mod address;
mod candidates;
mod choice;
mod ladder;
mod pings;
mod round;
#[cfg(test)]
mod tests;
mod trial;
mod watch;

use address::{Class, is_probable};
use candidates::{Answered, Candidates, smooth};
use flotilla_protocol::cidr::IpRange;
use ladder::MtuLadder;
use pings::{Ping, Pings};
use round::{Rounds, Step};
use std::{
    collections::VecDeque,
    net::SocketAddr,
    time::{Duration, Instant},
};
use trial::{Answers, Trial};
use watch::Watch;

/// A peer is idle when its last packet is older than this.
const IDLE_AFTER: Duration = Duration::from_secs(120);
/// NATs keep a mapping for at least 30 s in practice, so a way that was silent for longer than this is not trusted.
const TRUSTED_SILENCE: Duration = Duration::from_secs(20);
/// When the way in use was silent for this long, a packet by another way makes it doubtful.
const SUSPICIOUS: Duration = Duration::from_secs(1);

/// A way to the peer: directly to one of its addresses, or through the relay that it is reached at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    Direct(SocketAddr),
    Relay,
}

/// A probe to be sent to the peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Query {
    /// A ping. `mtu` asks for padding to the size of a sealed packet of that many bytes.
    Ping { tx: u64, mtu: Option<u16> },
    /// This device's candidates, so that the peer probes them at once.
    Candidates,
}

#[derive(Debug)]
pub(crate) struct Paths {
    /// Whether direct ways are looked for.
    direct: bool,
    /// Whether the relay can be used.
    relay: bool,
    candidates: Candidates,
    current: Option<SocketAddr>,
    /// A direct way fell silent, and none was found since.
    lost: bool,
    rounds: Rounds,
    pings: Pings,
    mtu: MtuLadder,
    relay_mtu: MtuLadder,
    relay_rtt: Option<Duration>,
    relay_ping: Option<Instant>,
    used: Option<Instant>,
    sent: Option<Instant>,
    watch: Watch,
    trial: Option<Trial>,
    tried: Option<Answers>,
    outbox: VecDeque<(Way, Query)>,
}

impl Paths {
    /// The largest size that any path carries.
    pub(crate) const LARGEST_MTU: u16 = MtuLadder::LARGEST;

    pub(crate) fn new(seed: u64) -> Self {
        Self {
            direct: false,
            relay: false,
            candidates: Candidates::default(),
            current: None,
            lost: false,
            rounds: Rounds::new(),
            pings: Pings::new(seed),
            mtu: MtuLadder::direct(),
            relay_mtu: MtuLadder::relayed(),
            relay_rtt: None,
            relay_ping: None,
            used: None,
            sent: None,
            watch: Watch::default(),
            trial: None,
            tried: None,
            outbox: VecDeque::new(),
        }
    }

    /// Sets whether direct ways may be looked for, and the longest pause between two rounds.
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
            self.candidates.doubt_all();
            self.watch.stop();
            self.rounds.stop();
        }
    }

    /// Sets whether the way through the relay can be used.
    pub(crate) fn set_relay(&mut self, usable: bool, now: Instant) {
        if usable && !self.relay {
            self.relay_ping = Some(now);
            // The relay makes it possible to ask the peer to probe at the same moment; which relay that is depends on
            // the peer too.
            if self.direct && self.current.is_none() {
                self.rounds.renew(now);
            }
        } else if !usable {
            (self.relay_rtt, self.relay_ping) = (None, None);
            self.relay_mtu = MtuLadder::relayed();
        }
        self.relay = usable;
    }

    /// Sets the candidates that the peer or control listed; `near` are the networks that this device is in.
    pub(crate) fn set_candidates(&mut self, listed: &[SocketAddr], near: &[IpRange], now: Instant) {
        if !self.candidates.set_listed(listed, near, self.current, now) {
            return;
        }
        if self.current.is_some_and(|current| !listed.contains(&current)) {
            self.watch.suspect(now);
        }
        if self.direct {
            self.rounds.renew(now);
        }
    }

    /// The peer asks to be probed at once.
    pub(crate) fn handle_call(&mut self, listed: &[SocketAddr], near: &[IpRange], now: Instant) {
        self.set_candidates(listed, near, now);
        if self.direct && self.current.is_none() {
            self.rounds.answer(now);
        }
    }

    /// The network changed, or the machine slept, so every way is doubtful. With `moved` the old way is given up at
    /// once, without waiting until it proves dead.
    pub(crate) fn handle_change(&mut self, moved: bool, near: &[IpRange], now: Instant) {
        self.candidates.doubt_all();
        self.candidates.classify(near);
        if moved && self.relay {
            self.current = None;
        } else if self.current.is_some() {
            self.watch.suspect(now);
        }
        if self.direct {
            self.rounds.restart(now);
        }
        self.relay_ping = self.relay.then_some(now);
    }

    /// The peer pinged this device. It is pinged back when that tells something new.
    pub(crate) fn handle_ping(&mut self, way: Way, near: &[IpRange], now: Instant) {
        let Way::Direct(from) = way else { return };
        if !self.direct || !is_probable(from, None) {
            return;
        }
        let one = *self.candidates.learn(from, near, self.current, now);
        let is_better = self.current().is_none_or(|(_, class)| one.class < class);
        let is_old = |good: Answered| {
            let at = if is_better { good.answered } else { good.heard };
            now.saturating_duration_since(at) > SUSPICIOUS
        };
        if one.good.is_none_or(is_old) && self.rounds.may_ping_back(now) {
            self.ping(way, None, now);
        }
    }

    /// The peer answered a ping.
    pub(crate) fn handle_pong(&mut self, tx: u64, way: Way, now: Instant) {
        let Some(ping) = self.pings.answered(tx, way, now) else {
            return;
        };
        let rtt = now.saturating_duration_since(ping.at);
        if let Some(trial) = &mut self.trial {
            trial.answered(way, rtt);
        }
        match way {
            Way::Relay => {
                self.relay_rtt = Some(smooth(self.relay_rtt, rtt));
                if let Some(mtu) = ping.mtu {
                    self.relay_mtu.confirm(mtu, now);
                }
            }
            Way::Direct(from) if self.direct && self.candidates.answered(from, rtt, now) => {
                self.consider(from, now);
                if let Some(mtu) = ping.mtu
                    && self.current == Some(from)
                {
                    self.mtu.confirm(mtu, now);
                }
            }
            Way::Direct(_) => {}
        }
    }

    /// Something authentic came by that way.
    pub(crate) fn handle_heard(&mut self, way: Way, near: &[IpRange], now: Instant) {
        let Way::Direct(from) = way else {
            return self.follow(now);
        };
        if !self.candidates.heard(from, now)
            && self.direct
            && is_probable(from, None)
            && self.rounds.may_ping_back(now)
        {
            // An address from which packets come is used only after it has answered a ping.
            self.candidates.learn(from, near, self.current, now);
            self.ping(Way::Direct(from), None, now);
            if self.current.is_some() && self.current_age(now) > SUSPICIOUS {
                self.watch.suspect(now);
            }
        }
    }

    /// Packets were received. Returns whether that ended the peer's idleness.
    pub(crate) fn note_received(&mut self, now: Instant) -> bool {
        let woke = !self.is_warm(now);
        self.used = Some(now);
        if woke {
            self.wake(now);
        }
        woke
    }

    /// Packets are to be sent. Returns whether that ended the peer's idleness.
    pub(crate) fn note_sent(&mut self, now: Instant) -> bool {
        let woke = !self.is_warm(now);
        if woke && self.current.is_some() && self.current_age(now) > TRUSTED_SILENCE {
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

    pub(crate) fn has_queries(&self) -> bool {
        !self.outbox.is_empty()
    }

    /// This device's candidates changed, and the peer should be told at once.
    pub(crate) fn call_peer(&mut self, now: Instant) {
        if self.direct && (self.current.is_none() || self.watch.doubt().is_some()) {
            self.rounds.restart(now);
        }
    }

    pub(crate) fn poll_query(&mut self) -> Option<(Way, Query)> {
        self.outbox.pop_front()
    }

    /// The direct way in use.
    pub(crate) fn current(&self) -> Option<(SocketAddr, Class)> {
        let current = self.current?;
        Some((current, self.candidates.get(current)?.class))
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
            Some(current) => self.candidates.get(current)?.good.map(|good| good.rtt),
            None => self.relay_rtt,
        }
    }

    pub(crate) fn is_warm(&self, now: Instant) -> bool {
        self.used
            .is_some_and(|used| now.saturating_duration_since(used) < IDLE_AFTER)
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let test = self.trial.as_ref().map(Trial::timeout);
        let mtu = self.mtu_in_use().timeout();
        [
            self.rounds.timeout(),
            self.watch.timeout(),
            self.relay_ping,
            test,
            mtu,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        self.check_current(now);
        match self.rounds.poll(now) {
            Some(Step::Ping) => self.ping_all(now),
            // The way to an idle peer is not watched, so only the end of a round shows that it is silent.
            Some(Step::End) if self.current.is_some() && self.current_age(now) > TRUSTED_SILENCE => {
                self.lose(now)
            }
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
        self.try_size(now);
        for way in self
            .trial
            .as_mut()
            .map(|trial| trial.poll(now))
            .unwrap_or_default()
        {
            self.ping(way, None, now);
        }
        if let Some(trial) = self.trial.take_if(|trial| trial.is_over(now)) {
            self.tried = Some(trial.into_answers());
        }
    }

    fn ping_all(&mut self, now: Instant) {
        if self.rounds.poll_call(now) && self.relay {
            self.outbox.push_back((Way::Relay, Query::Candidates));
        }
        self.candidates.forget(self.current, now);
        for address in self.candidates.silent(TRUSTED_SILENCE, now) {
            self.ping(Way::Direct(address), None, now);
        }
    }

    fn wake(&mut self, now: Instant) {
        self.watch.check_now(now);
        self.relay_ping = self.relay.then_some(now);
    }

    fn ping(&mut self, way: Way, mtu: Option<u16>, now: Instant) {
        let tx = self.pings.send(Ping { way, at: now, mtu });
        self.outbox.push_back((way, Query::Ping { tx, mtu }));
    }

    fn current_heard(&self) -> Option<Instant> {
        self.candidates.get(self.current?)?.good.map(|good| good.heard)
    }

    fn current_age(&self, now: Instant) -> Duration {
        self.current_heard()
            .map_or(Duration::MAX, |heard| now.saturating_duration_since(heard))
    }
}
