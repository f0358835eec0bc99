//! Watches whether the direct way in use still works.
//!
//! Life cycle: quiet while packets come in → *pinged* when it is silent for too long → *lost*. When the way is doubted
//! for any reason, it is pinged at once and often, and has a second to answer.

use std::time::{Duration, Instant};

/// How often the way in use is checked.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// A way is pinged after this silence.
const QUIET: Duration = Duration::from_secs(4);
/// The same while packets are sent, because an answer is overdue.
const QUIET_SENDING: Duration = Duration::from_secs(2);
/// A way is lost after this silence.
const LOST: Duration = Duration::from_secs(10);
/// The same when packets and a ping every second were sent and nothing came.
const LOST_SENDING: Duration = Duration::from_secs(6);
const DOUBT: Duration = Duration::from_secs(1);
const DOUBT_PAUSE: Duration = Duration::from_millis(200);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WatchVerdict {
    Ping,
    Lost,
}

/// What is known of the way when it is checked.
#[derive(Debug, Clone, Copy)]
pub(super) struct PathActivity {
    pub(super) heard: Option<Instant>,
    pub(super) sent: Option<Instant>,
    /// Packets passed recently. Without any, the way is not watched.
    pub(super) warm: bool,
}

impl PathActivity {
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
    /// Starts to watch a way that just answered.
    pub(super) fn begin(&mut self, now: Instant) {
        (self.doubt, self.next) = (None, Some(now + CHECK_INTERVAL));
    }

    pub(super) fn stop(&mut self) {
        *self = Self::default();
    }

    pub(super) fn check_now(&mut self, now: Instant) {
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

    pub(super) fn check(&mut self, activity: PathActivity, now: Instant) -> Option<WatchVerdict> {
        if self.next.is_none_or(|at| now < at) {
            return None;
        }
        self.next = None;
        if let Some(since) = self.doubt {
            if activity.heard.is_some_and(|heard| heard > since) {
                self.doubt = None;
            } else if now >= since + DOUBT {
                return Some(WatchVerdict::Lost);
            } else {
                self.next = Some(now + DOUBT_PAUSE);
                return Some(WatchVerdict::Ping);
            }
        }
        if !activity.warm {
            return None;
        }
        let (silence, sending) = (activity.silence(now), activity.sent > activity.heard);
        if silence >= LOST || (sending && silence >= LOST_SENDING) {
            return Some(WatchVerdict::Lost);
        }
        self.next = Some(now + CHECK_INTERVAL);
        (silence >= QUIET || (sending && silence >= QUIET_SENDING)).then_some(WatchVerdict::Ping)
    }
}
