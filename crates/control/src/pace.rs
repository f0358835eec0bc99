//! Lets so much through at once, and from then on so much a second (the generic cell rate algorithm).
//!
//! It reads no clock. A clock that jumps back forgives; one that jumps ahead grants what the time would have.

use flotilla_protocol::Timestamp;
use jiff::SignedDuration;
use std::time::Duration;

/// How fast something may go on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    per_second: u32,
    burst: SignedDuration,
    /// Until when all that went through is paid for by time. Further ahead than `burst` is a debt.
    paid: Timestamp,
}

impl Pace {
    /// `burst` at once, `per_second` from then on.
    pub(crate) fn new(per_second: u32, burst: u32) -> Self {
        let mut pace = Self {
            per_second,
            burst: SignedDuration::ZERO,
            paid: Timestamp::UNIX_EPOCH,
        };
        pace.burst = pace.worth(burst.try_into().unwrap_or(usize::MAX));
        pace
    }

    /// Takes an amount, however much it is; answers how long to wait before the next.
    pub(crate) fn charge(&mut self, amount: usize, now: Timestamp) -> Duration {
        let limit = after(now, self.burst);
        self.paid = after(self.paid.clamp(now, limit), self.worth(amount));
        Duration::try_from(self.paid.duration_since(limit)).unwrap_or_default()
    }

    /// Takes an amount if there is enough left for it; whether there was.
    pub(crate) fn afford(&mut self, amount: usize, now: Timestamp) -> bool {
        let limit = after(now, self.burst);
        let paid = after(self.paid.clamp(now, limit), self.worth(amount));
        let is_enough = paid <= limit;
        if is_enough {
            self.paid = paid;
        }
        is_enough
    }

    fn worth(&self, amount: usize) -> SignedDuration {
        let amount = i64::try_from(amount).unwrap_or(i64::MAX);
        SignedDuration::from_micros(amount.saturating_mul(1_000_000) / i64::from(self.per_second.max(1)))
    }
}

fn after(at: Timestamp, time: SignedDuration) -> Timestamp {
    at.saturating_add(time).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(1_800_000_000_000 + millis).unwrap()
    }

    #[test]
    fn a_burst_goes_through_at_once_and_the_rest_at_the_pace() {
        let mut pace = Pace::new(100, 50);
        assert_eq!(pace.charge(50, at(0)), Duration::ZERO);
        assert_eq!(pace.charge(10, at(0)), Duration::from_millis(100));
        assert_eq!(pace.charge(10, at(100)), Duration::from_millis(100));
        assert_eq!(
            pace.charge(50, at(10_000)),
            Duration::ZERO,
            "a rest fills it again"
        );
    }

    #[test]
    fn what_cannot_be_afforded_costs_nothing() {
        let mut pace = Pace::new(100, 50);
        assert!(!pace.afford(51, at(0)));
        assert!(pace.afford(50, at(0)));
        assert!(!pace.afford(1, at(9)));
        assert!(pace.afford(1, at(10)));
    }

    #[test]
    fn a_clock_that_jumps_back_holds_nobody_up() {
        let mut pace = Pace::new(100, 50);
        pace.charge(50, at(1_000_000));
        assert_eq!(pace.charge(10, at(0)), Duration::from_millis(100));
    }
}
