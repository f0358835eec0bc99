//! When to ping all candidates: in rounds of a few pings each, with growing pauses between them.

use flotilla_pace::{Pace, Rate};
use std::time::{Duration, Instant};

/// Offsets of a round's pings. Both ends ping at about the same time, and each NAT lets in only what its own end has
/// sent to, so the first pings may be lost.
const STEPS: [Duration; 6] = [
    Duration::ZERO,
    Duration::from_millis(100),
    Duration::from_millis(300),
    Duration::from_millis(700),
    Duration::from_millis(1300),
    Duration::from_millis(2000),
];
/// By this time the last ping is answered, or will not be.
const ROUND_END: Duration = Duration::from_millis(3000);
const SHORTEST: Duration = Duration::from_secs(5);
/// The least pause before a round that the other end causes, so that it cannot make this end send to addresses of its
/// choice without pause.
const MIN_ROUND_GAP: Duration = Duration::from_secs(1);
/// Each such round that follows within [`CALM`] waits twice as long, up to this.
const MAX_ROUND_GAP: Duration = Duration::from_secs(5);
const CALM: Duration = Duration::from_secs(30);
/// The least pause between two calls to the other end.
const CALL_PAUSE: Duration = Duration::from_millis(500);
/// One ping back each tenth of a second, and so many at once: as many as the addresses by which one end reaches the
/// other.
const PINGS_BACK: Rate = Rate::new(1, Duration::from_millis(100), 8);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Ping,
    /// The round is over; candidates that have not answered are taken for silent.
    End,
}

#[derive(Debug)]
pub(super) struct Rounds {
    begun: Option<Instant>,
    step: usize,
    next: Option<Instant>,
    /// When the last round began, running or over.
    last: Option<Instant>,
    /// When a round begins that the other end caused.
    due: Option<Instant>,
    /// When the other end last caused a round, and how long the next such round has to wait after it.
    caused: Option<(Instant, Duration)>,
    pause: Duration,
    longest: Duration,
    found: bool,
    failed: u32,
    calls: bool,
    called: Option<Instant>,
    pings_back: Pace<Instant>,
}

impl Rounds {
    pub(super) fn new() -> Self {
        Self {
            begun: None,
            step: 0,
            next: None,
            last: None,
            due: None,
            caused: None,
            pause: SHORTEST,
            longest: SHORTEST,
            found: false,
            failed: 0,
            calls: false,
            called: None,
            pings_back: Pace::new(PINGS_BACK),
        }
    }

    pub(super) fn set_longest(&mut self, longest: Duration) {
        self.longest = longest;
    }

    pub(super) fn failed(&self) -> u32 {
        self.failed
    }

    /// Starts a round at once, with short pauses again.
    pub(super) fn restart(&mut self, now: Instant) {
        self.pause = SHORTEST;
        self.begin(now);
        self.calls = true;
    }

    /// Starts a round because the other end may have moved: at once, or soon when a round has just begun.
    pub(super) fn renew(&mut self, now: Instant) {
        self.pause = SHORTEST;
        self.calls = true;
        if self.begun.is_some() && self.step == 0 {
            // The round that is about to begin serves this too.
            return;
        }
        let soonest = self.soonest(now);
        match now >= soonest {
            true => self.begin_for_other(now),
            false => self.due = Some(soonest),
        }
    }

    /// Starts a round because the other end started one, unless one has just begun.
    pub(super) fn answer(&mut self, now: Instant) {
        if now >= self.soonest(now) {
            self.begin_for_other(now);
        }
    }

    pub(super) fn stop(&mut self) {
        (self.begun, self.next, self.due) = (None, None, None);
    }

    /// A direct way was found, so the search for better ones may wait.
    pub(super) fn succeed(&mut self, now: Instant) {
        (self.found, self.failed) = (true, 0);
        self.pause = self.longest;
        if self.begun.is_none() {
            self.next = Some(now + self.pause);
        }
    }

    pub(super) fn timeout(&self) -> Option<Instant> {
        [self.next, self.due].into_iter().flatten().min()
    }

    /// The step that is due.
    pub(super) fn poll(&mut self, now: Instant) -> Option<Step> {
        if self.due.is_some_and(|due| now >= due) {
            self.begin_for_other(now);
        }
        if self.next.is_none_or(|next| now < next) {
            return None;
        }
        if self.begun.is_none() {
            self.begin(now);
            self.calls = true;
        }
        let begun = self.begun.unwrap_or(now);
        if self.step == STEPS.len() {
            self.begun = None;
            self.failed = self.failed.saturating_add(u32::from(!self.found));
            self.next = Some(now + self.pause);
            self.pause = (self.pause * 2).min(self.longest);
            return Some(Step::End);
        }
        self.step += 1;
        self.next = Some(begun + STEPS.get(self.step).copied().unwrap_or(ROUND_END));
        Some(Step::Ping)
    }

    /// Whether the other end is to be called with this step.
    pub(super) fn poll_call(&mut self, now: Instant) -> bool {
        let due = self.calls && self.called.is_none_or(|called| now >= called + CALL_PAUSE);
        if due {
            (self.calls, self.called) = (false, Some(now));
        }
        due
    }

    /// Whether a packet from an unknown address may be answered with a ping, which is limited against floods.
    pub(super) fn may_ping_back(&mut self, now: Instant) -> bool {
        self.pings_back.take(1, now)
    }

    /// The earliest moment of a round that the other end causes.
    fn soonest(&self, now: Instant) -> Instant {
        let gap = self.caused.filter(|(at, _)| now < *at + CALM);
        let gap = gap.map_or(MIN_ROUND_GAP, |(_, gap)| gap);
        self.last.map_or(now, |last| last + gap)
    }

    fn begin_for_other(&mut self, now: Instant) {
        let before = self.caused.filter(|(at, _)| now < *at + CALM);
        let gap = before.map_or(MIN_ROUND_GAP, |(_, gap)| (gap * 2).min(MAX_ROUND_GAP));
        self.caused = Some((now, gap));
        self.begin(now);
    }

    fn begin(&mut self, now: Instant) {
        (self.begun, self.step, self.next) = (Some(now), 0, Some(now));
        (self.last, self.due) = (Some(now), None);
        self.found = false;
    }
}
