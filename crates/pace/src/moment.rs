//! The clocks by which a pace can be kept.

use flotilla_protocol::Timestamp;
use std::time::{Duration, Instant};

/// A moment on some clock.
pub trait Moment: Copy + Ord {
    /// The moment that is so much later. Where the clock ends, the result is one that it has.
    #[must_use]
    fn after(self, time: Duration) -> Self;

    /// The time since an earlier moment; none since a later one.
    fn since(self, earlier: Self) -> Duration;
}

impl Moment for Instant {
    fn after(self, time: Duration) -> Self {
        self.checked_add(time).unwrap_or(self)
    }

    fn since(self, earlier: Self) -> Duration {
        self.saturating_duration_since(earlier)
    }
}

impl Moment for Timestamp {
    fn after(self, time: Duration) -> Self {
        self.saturating_add(time).unwrap_or(Self::MAX)
    }

    fn since(self, earlier: Self) -> Duration {
        Duration::try_from(self.duration_since(earlier)).unwrap_or_default()
    }
}
