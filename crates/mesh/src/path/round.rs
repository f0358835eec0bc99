//! When to ping all candidates: rounds of a few pings each, with growing pauses between them.

use std::time::{Duration, Instant};

/// Offsets of the pings of a round. Both ends ping at about the same time, and each NAT lets in what its own end
/// sent to before: so the first ones may be lost.
const STEPS: [Duration; 6] = [
    Duration::ZERO,
    Duration::from_millis(100),
    Duration::from_millis(300),
    Duration::from_millis(700),
    Duration::from_millis(1300),
    Duration::from_millis(2000),
];
/// The last ping is answered by then, or never.
const END: Duration = Duration::from_millis(3000);
const SHORTEST: Duration = Duration::from_secs(5);
/// A round that the other end causes begins so long after the one before, so that nobody makes this end send to
/// addresses of his choice without pause.
const GAP: Duration = Duration::from_secs(1);
/// Each one that follows within [`CALM`] waits twice as long, up to this.
const LONGEST_GAP: Duration = Duration::from_secs(5);
const CALM: Duration = Duration::from_secs(30);
/// Between two calls to the other end.
const CALL_PAUSE: Duration = Duration::from_millis(500);
const PING_BACK_PAUSE: Duration = Duration::from_millis(100);
/// So many pings back may go out at once: as many as the addresses by which one end reaches the other.
const PINGS_BACK: u32 = 8;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Ping,
    /// Whoever did not answer by now, will not.
    End,
}

#[derive(Debug)]
pub(super) struct Rounds {
    begun: Option<Instant>,
    step: usize,
    next: Option<Instant>,
    /// When the last round began, this one or one that is over.
    last: Option<Instant>,
    /// When a round begins because of what the other end told.
    due: Option<Instant>,
    /// When the other end caused a round last, and how long it waits for another one.
    caused: Option<(Instant, Duration)>,
    pause: Duration,
    longest: Duration,
    found: bool,
    failed: u32,
    calls: bool,
    called: Option<Instant>,
    /// When pings back are no more than one per pause.
    pinged_back: Option<Instant>,
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
            pinged_back: None,
        }
    }

    pub(super) fn set_longest(&mut self, longest: Duration) {
        self.longest = longest;
    }

    pub(super) fn failed(&self) -> u32 {
        self.failed
    }

    /// A round of our own, now, with pauses starting small again.
    pub(super) fn restart(&mut self, now: Instant) {
        self.pause = SHORTEST;
        self.begin(now);
        self.calls = true;
    }

    /// A round because the other end may be elsewhere now: soon, when there was one just now.
    pub(super) fn renew(&mut self, now: Instant) {
        self.pause = SHORTEST;
        self.calls = true;
        if self.begun.is_some() && self.step == 0 {
            // The one that is about to begin does it.
            return;
        }
        let soonest = self.soonest(now);
        match now >= soonest {
            true => self.begin_for_other(now),
            false => self.due = Some(soonest),
        }
    }

    /// A round because the other end makes one now, unless there was one just now.
    pub(super) fn answer(&mut self, now: Instant) {
        if now >= self.soonest(now) {
            self.begin_for_other(now);
        }
    }

    pub(super) fn stop(&mut self) {
        (self.begun, self.next, self.due) = (None, None, None);
    }

    /// A direct way was found: what is left to find can wait.
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

    /// What is to be done now.
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
        self.next = Some(begun + STEPS.get(self.step).copied().unwrap_or(END));
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

    /// Whether a packet from an unknown address may be answered with a ping: a flood of them may not.
    pub(super) fn may_ping_back(&mut self, now: Instant) -> bool {
        let calm = self.pinged_back.map_or(now, |calm| calm.max(now)) + PING_BACK_PAUSE;
        let may = calm <= now + PING_BACK_PAUSE * PINGS_BACK;
        if may {
            self.pinged_back = Some(calm);
        }
        may
    }

    /// When the other end may cause a round.
    fn soonest(&self, now: Instant) -> Instant {
        let gap = self.caused.filter(|(at, _)| now < *at + CALM);
        let gap = gap.map_or(GAP, |(_, gap)| gap);
        self.last.map_or(now, |last| last + gap)
    }

    fn begin_for_other(&mut self, now: Instant) {
        let before = self.caused.filter(|(at, _)| now < *at + CALM);
        let gap = before.map_or(GAP, |(_, gap)| (gap * 2).min(LONGEST_GAP));
        self.caused = Some((now, gap));
        self.begin(now);
    }

    fn begin(&mut self, now: Instant) {
        (self.begun, self.step, self.next) = (Some(now), 0, Some(now));
        (self.last, self.due) = (Some(now), None);
        self.found = false;
    }
}
