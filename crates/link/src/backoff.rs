//! How long an agent waits before it dials again.
//!
//! Life cycle: up → (link ends) → waiting, attempt after attempt → up. Each wait is a random part of a bound that
//! doubles from half a second. In the first minute of an outage the bound stays at 5 s, because a control that
//! restarts is back within it and the fleet should be connected again in seconds; later it is 30 s. A link that lived
//! half a minute ends the outage; a shorter one does not, so a control that accepts links and drops them at once is
//! not dialed ever faster.

use rand::Rng;
use std::time::{Duration, Instant};

const FIRST: Duration = Duration::from_millis(500);
const SOON: Duration = Duration::from_secs(5);
const LATER: Duration = Duration::from_secs(30);
const FIRST_MINUTE: Duration = Duration::from_secs(60);
const GOOD_LINK: Duration = Duration::from_secs(30);

/// The wait between two links. It reads no clock: the caller passes each event with its time.
#[derive(Debug, Clone, Default)]
pub struct Backoff {
    outage: Option<Instant>,
    attempts: u32,
    up: Option<Instant>,
}

impl Backoff {
    /// A link is up: control has answered the upgrade.
    pub fn handle_up(&mut self, now: Instant) {
        self.up = Some(now);
    }

    /// The link ended, or an attempt failed. Returns how long to wait before the next attempt.
    pub fn handle_down(&mut self, now: Instant, random: &mut impl Rng) -> Duration {
        let lived = self.up.take().map(|up| now.saturating_duration_since(up));
        if lived.is_some_and(|lived| lived >= GOOD_LINK) {
            self.outage = None;
            self.attempts = 0;
        }
        let outage = *self.outage.get_or_insert(now);
        let cap = if now.saturating_duration_since(outage) < FIRST_MINUTE {
            SOON
        } else {
            LATER
        };
        let bound = FIRST.saturating_mul(1 << self.attempts.min(16)).min(cap);
        self.attempts = self.attempts.saturating_add(1);
        random.random_range(Duration::ZERO..=bound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::{SeedableRng, rngs::StdRng};

    /// Fails `attempts` times and waits as the back-off says. Returns each wait with the time into the outage.
    fn outage(
        backoff: &mut Backoff,
        start: Instant,
        attempts: usize,
        seed: u64,
    ) -> Vec<(Duration, Duration)> {
        let mut random = StdRng::seed_from_u64(seed);
        let mut now = start;
        let mut waits = Vec::new();
        for _ in 0..attempts {
            let wait = backoff.handle_down(now, &mut random);
            waits.push((now - start, wait));
            now += wait;
        }
        waits
    }

    proptest! {
        #[test]
        fn waits_stay_below_5_s_for_a_minute_and_below_30_s_after(seed: u64) {
            for (into, wait) in outage(&mut Backoff::default(), Instant::now(), 60, seed) {
                let cap = if into < FIRST_MINUTE { SOON } else { LATER };
                prop_assert!(wait <= cap);
            }
        }

        #[test]
        fn after_a_good_link_the_first_wait_is_short_again(seed: u64, failures in 0usize..60) {
            let start = Instant::now();
            let mut backoff = Backoff::default();
            outage(&mut backoff, start, failures, seed);
            let up = start + Duration::from_secs(3600);
            backoff.handle_up(up);
            let mut random = StdRng::seed_from_u64(seed);
            prop_assert!(backoff.handle_down(up + GOOD_LINK, &mut random) <= FIRST);
        }

        #[test]
        fn a_link_that_died_young_ends_no_outage(seed: u64) {
            let start = Instant::now();
            let mut backoff = Backoff::default();
            let mut random = StdRng::seed_from_u64(seed);
            let mut longest = Duration::ZERO;
            for second in 0..40 {
                let now = start + Duration::from_secs(second);
                backoff.handle_up(now);
                longest = longest.max(backoff.handle_down(now + Duration::from_millis(100), &mut random));
            }
            prop_assert!(longest > FIRST);
        }
    }

    #[test]
    fn a_fleet_that_lost_its_control_does_not_come_back_in_step() {
        let waits: Vec<_> = (0..100)
            .map(|seed| outage(&mut Backoff::default(), Instant::now(), 1, seed)[0].1)
            .collect();
        let early = waits.iter().filter(|wait| **wait < FIRST / 2).count();
        assert!((20..80).contains(&early), "{early} of 100 in the first half");
    }
}
