//! Whether the direct way in use still works.
//!
//! Life cycle: quiet while something comes in → *asked* when it is silent for too long → *lost*. A doubt, for
//! whatever reason, asks at once and often, and gives a second to answer.

use std::time::{Duration, Instant};

/// How often a way in use is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// Silent for this long, it is asked.
const QUIET: Duration = Duration::from_secs(4);
/// The same while we send: an answer to something is overdue.
const QUIET_SENDING: Duration = Duration::from_secs(2);
/// Silent for this long, it is lost.
const LOST: Duration = Duration::from_secs(10);
/// The same when we sent, and asked every second, and nothing came.
const LOST_SENDING: Duration = Duration::from_secs(6);
const DOUBT: Duration = Duration::from_secs(1);
const DOUBT_PAUSE: Duration = Duration::from_millis(200);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Finding {
    Ask,
    Lost,
}

/// What is known of the way at the moment of a look.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sight {
    pub(super) heard: Option<Instant>,
    pub(super) sent: Option<Instant>,
    /// Packets went through lately: otherwise nobody cares.
    pub(super) warm: bool,
}

impl Sight {
    fn silence(&self, now: Instant) -> Duration {
        self.heard
            .map_or(Duration::MAX, |heard| now.saturating_duration_since(heard))
    }
}

#[derive(Debug, Default)]
pub(super) struct Watch {
    doubt: Option<Instant>,
    next: Option<Instant>,
}

impl Watch {
    /// A way that just answered is in use now.
    pub(super) fn begin(&mut self, now: Instant) {
        (self.doubt, self.next) = (None, Some(now + LOOK));
    }

    pub(super) fn stop(&mut self) {
        *self = Self::default();
    }

    pub(super) fn look_now(&mut self, now: Instant) {
        self.next = Some(now);
    }

    pub(super) fn suspect(&mut self, now: Instant) {
        if self.doubt.is_none() {
            (self.doubt, self.next) = (Some(now), Some(now));
        }
    }

    /// Since when the way is doubted.
    pub(super) fn doubt(&self) -> Option<Instant> {
        self.doubt
    }

    pub(super) fn timeout(&self) -> Option<Instant> {
        self.next
    }

    pub(super) fn look(&mut self, sight: Sight, now: Instant) -> Option<Finding> {
        if self.next.is_none_or(|at| now < at) {
            return None;
        }
        self.next = None;
        if let Some(since) = self.doubt {
            if sight.heard.is_some_and(|heard| heard > since) {
                self.doubt = None;
            } else if now >= since + DOUBT {
                return Some(Finding::Lost);
            } else {
                self.next = Some(now + DOUBT_PAUSE);
                return Some(Finding::Ask);
            }
        }
        if !sight.warm {
            return None;
        }
        let (silence, sending) = (sight.silence(now), sight.sent > sight.heard);
        if silence >= LOST || (sending && silence >= LOST_SENDING) {
            return Some(Finding::Lost);
        }
        self.next = Some(now + LOOK);
        (silence >= QUIET || (sending && silence >= QUIET_SENDING)).then_some(Finding::Ask)
    }
}
