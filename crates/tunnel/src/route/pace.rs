//! When the mesh's address and route, if another program takes them away, are put back.
//!
//! Life cycle: nothing was put back lately, and every change is looked at at once → something was put back: the next
//! look is [`RESTORE`] later → that look is due at [`poll_timeout`](Pace::poll_timeout).

use std::time::{Duration, Instant};

/// From one time that something is put back to the next. A program that takes it away without end gets no race.
const RESTORE: Duration = Duration::from_secs(2);

/// Repairs that are closer together than this are of one trouble, and are told once.
const SAME: Duration = Duration::from_secs(60);

#[derive(Debug, Default)]
pub(super) struct Pace {
    restored: Option<Instant>,
    again: Option<Instant>,
}

impl Pace {
    /// Whether to look now what is missing; if not, a look is due later.
    pub(super) fn admit(&mut self, now: Instant) -> bool {
        let soonest = self.restored.map(|restored| restored + RESTORE);
        self.again = soonest.filter(|soonest| now < *soonest);
        self.again.is_none()
    }

    /// Something was put back, or could not be. Whether that is news.
    pub(super) fn note_restored(&mut self, now: Instant) -> bool {
        let before = self.restored.replace(now);
        before.is_none_or(|before| now >= before + SAME)
    }

    /// When a look is due that was not admitted.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.again
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_away_without_end_is_put_back_every_two_seconds_and_at_the_end() {
        let (mut pace, begin) = (Pace::default(), Instant::now());
        let (mut restored, mut told, mut now) = (0, 0, begin);
        while now < begin + Duration::from_secs(60) {
            if pace.admit(now) {
                restored += 1;
                told += usize::from(pace.note_restored(now));
            }
            now += Duration::from_millis(50);
        }
        assert_eq!((restored, told), (30, 1));
        let due = pace.poll_timeout().unwrap();
        assert!(due <= now + RESTORE && pace.admit(due));
        assert_eq!(pace.poll_timeout(), None);
        assert!(pace.admit(due), "nothing was missing");
        assert!(pace.note_restored(now + SAME), "it is another trouble");
    }
}
