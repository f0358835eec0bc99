//! When the mesh's address and route are put back after another program took them away.
//!
//! Life cycle: nothing was put back recently, and every change is checked at once → something was put back: the next
//! check is [`RESTORE`] later → that check is due at [`poll_timeout`](RestorePace::poll_timeout).

use std::time::{Duration, Instant};

/// The shortest time between two repairs, so that a program that takes them away again and again does not cause an
/// endless loop.
const RESTORE: Duration = Duration::from_secs(2);

/// Repairs that are closer together than this have the same cause, and are logged once.
const SAME_CAUSE: Duration = Duration::from_secs(60);

#[derive(Debug, Default)]
pub(super) struct RestorePace {
    restored: Option<Instant>,
    again: Option<Instant>,
}

impl RestorePace {
    /// Whether to check at once what is missing; if not, a check is due later.
    pub(super) fn admit(&mut self, now: Instant) -> bool {
        let soonest = self.restored.map(|restored| restored + RESTORE);
        self.again = soonest.filter(|soonest| now < *soonest);
        self.again.is_none()
    }

    /// Something was put back, or could not be. Returns whether that is to be logged.
    pub(super) fn note_restored(&mut self, now: Instant) -> bool {
        let before = self.restored.replace(now);
        before.is_none_or(|before| now >= before + SAME_CAUSE)
    }

    /// When the check that was not admitted is due.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.again
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_away_without_end_is_put_back_every_two_seconds_and_at_the_end() {
        let (mut pace, begin) = (RestorePace::default(), Instant::now());
        let (mut restored, mut logged, mut now) = (0, 0, begin);
        while now < begin + Duration::from_secs(60) {
            if pace.admit(now) {
                restored += 1;
                logged += usize::from(pace.note_restored(now));
            }
            now += Duration::from_millis(50);
        }
        assert_eq!((restored, logged), (30, 1));
        let due = pace.poll_timeout().unwrap();
        assert!(due <= now + RESTORE && pace.admit(due));
        assert_eq!(pace.poll_timeout(), None);
        assert!(pace.admit(due), "nothing was missing");
        assert!(pace.note_restored(now + SAME_CAUSE), "it is another trouble");
    }
}
