//! Limits a rate: allows a burst, and after it so much per second (the generic cell rate algorithm).
//!
//! The caller passes the time. After a clock jumps back, at most the burst is missing; one that jumps ahead grants what
//! that time would have.

use flotilla_protocol::Timestamp;
use jiff::SignedDuration;
use std::time::Duration;

/// One limited rate.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    per_second: u32,
    burst: SignedDuration,
    /// Until when the amounts that were taken are covered by passing time. Further ahead than `burst` is a debt.
    paid: Timestamp,
}

impl Pace {
    /// A rate that allows `burst` at once, and `per_second` after that.
    pub(crate) fn new(per_second: u32, burst: u32) -> Self {
        let mut pace = Self {
            per_second,
            burst: SignedDuration::ZERO,
            paid: Timestamp::UNIX_EPOCH,
        };
        pace.burst = pace.worth(burst.try_into().unwrap_or(usize::MAX));
        pace
    }

    /// Takes an amount in any case; answers how long to wait before the next.
    pub(crate) fn charge(&mut self, amount: usize, now: Timestamp) -> Duration {
        let limit = after(now, self.burst);
        self.paid = after(self.paid.clamp(now, limit), self.worth(amount));
        Duration::try_from(self.paid.duration_since(limit)).unwrap_or_default()
    }

    /// Takes an amount if enough is left for it; answers whether it did.
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
    fn a_clock_that_jumps_back_makes_no_caller_wait_long() {
        let mut pace = Pace::new(100, 50);
        pace.charge(50, at(1_000_000));
        assert_eq!(pace.charge(10, at(0)), Duration::from_millis(100));
    }
}
