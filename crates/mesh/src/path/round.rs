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
/// Between two calls to the other end.
const CALL_PAUSE: Duration = Duration::from_millis(500);
const PING_BACK_PAUSE: Duration = Duration::from_millis(100);

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
    pause: Duration,
    longest: Duration,
    found: bool,
    failed: u32,
    calls: bool,
    called: Option<Instant>,
    pinged_back: Option<Instant>,
}

impl Rounds {
    pub(super) fn new() -> Self {
        Self {
            begun: None,
            step: 0,
            next: None,
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

    /// A round because the other end makes one now.
    pub(super) fn answer(&mut self, now: Instant) {
        if self
            .begun
            .is_none_or(|begun| now >= begun + Duration::from_secs(1))
        {
            self.begin(now);
        }
    }

    pub(super) fn stop(&mut self) {
        (self.begun, self.next) = (None, None);
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
        self.next
    }

    /// What is to be done now.
    pub(super) fn poll(&mut self, now: Instant) -> Option<Step> {
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
        let may = self.pinged_back.is_none_or(|last| now >= last + PING_BACK_PAUSE);
        if may {
            self.pinged_back = Some(now);
        }
        may
    }

    fn begin(&mut self, now: Instant) {
        (self.begun, self.step, self.next) = (Some(now), 0, Some(now));
        self.found = false;
    }
}
