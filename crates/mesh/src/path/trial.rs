//! A test of all ways to a peer, which a caller asked for.

use super::{Paths, Way};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// How long a test waits for answers; each way is pinged three times meanwhile.
const TEST_TIME: Duration = Duration::from_millis(1500);

/// The round trip of each way; `None` for a way that did not answer.
pub(crate) type Answers = BTreeMap<Way, Option<Duration>>;

impl Paths {
    /// Pings every way; [`Self::poll_test`] has the answers. A running test is not started again: its answers are for
    /// all callers, so that frequent callers neither delay its end nor cause more pings.
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
            end: now + TEST_TIME,
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

    /// The ways to ping, when that is due.
    pub(super) fn poll(&mut self, now: Instant) -> Vec<Way> {
        if now < self.next {
            return Vec::new();
        }
        self.next = now + TEST_TIME / 3;
        self.answers.keys().copied().collect()
    }

    pub(super) fn is_over(&self, now: Instant) -> bool {
        now >= self.end
    }

    pub(super) fn into_answers(self) -> Answers {
        self.answers
    }
}
