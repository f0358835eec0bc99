//! A test of all ways to a peer, as a caller asks for it.

use super::{Paths, Way};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// How long answers are waited for; each way is pinged three times meanwhile.
const TIME: Duration = Duration::from_millis(1500);

/// Each way with its round trip, if it answered.
pub(crate) type Answers = BTreeMap<Way, Option<Duration>>;

impl Paths {
    /// Pings every way; the answers are in [`Self::poll_test`]. A test that is under way is not begun anew: its answers
    /// are for all who ask, who otherwise could put it off, and ping, without end.
    pub(crate) fn test(&mut self, now: Instant) {
        if self.trial.is_some() {
            return;
        }
        let direct = self
            .candidates
            .addresses()
            .filter(|_| self.direct)
            .map(Way::Direct);
        let ways = direct.chain(self.relay.then_some(Way::Relay));
        self.trial = Some(Trial::new(ways, now));
    }

    pub(crate) fn is_tested(&self) -> bool {
        self.trial.is_some()
    }

    pub(crate) fn poll_test(&mut self) -> Option<Answers> {
        self.tried.take()
    }
}

#[derive(Debug)]
pub(super) struct Trial {
    end: Instant,
    next: Instant,
    answers: Answers,
}

impl Trial {
    pub(super) fn new(ways: impl Iterator<Item = Way>, now: Instant) -> Self {
        Self {
            end: now + TIME,
            next: now,
            answers: ways.map(|way| (way, None)).collect(),
        }
    }

    pub(super) fn answered(&mut self, way: Way, rtt: Duration) {
        self.answers
            .entry(way)
            .and_modify(|answer| *answer = answer.or(Some(rtt)));
    }

    pub(super) fn timeout(&self) -> Instant {
        self.next.min(self.end)
    }

    /// The ways to ping now.
    pub(super) fn poll(&mut self, now: Instant) -> Vec<Way> {
        if now < self.next {
            return Vec::new();
        }
        self.next = now + TIME / 3;
        self.answers.keys().copied().collect()
    }

    pub(super) fn is_over(&self, now: Instant) -> bool {
        now >= self.end
    }

    pub(super) fn into_answers(self) -> Answers {
        self.answers
    }
}
