//! Limits how often something may happen: a burst at once, and after it so much in a time (the generic cell rate
//! algorithm).
//!
//! - [`Rate`]: what is allowed.
//! - [`Pace`]: what one source has taken of it.
//! - [`Paces`]: the same for many sources, of which a bounded number is remembered.
//!
//! The caller passes the time, on the clock of its choice ([`Moment`]), so that machines without a clock can use it. A
//! clock that is set back makes the limit count as used up, and no more than that: no caller waits until the clock has
//! caught up. The `governor` crate keeps time by itself, makes callers wait for as long as a clock was set back, takes nothing
//! on credit, and has no bound on the sources that it remembers.

mod moment;
mod paces;

pub use moment::Moment;
pub use paces::Paces;

use std::time::Duration;

/// So many units in a time in the long run, and so many at once after a rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    units: u64,
    per: Duration,
    burst: u64,
}

impl Rate {
    /// `units` in each `per`, and up to `burst` units at once. No units at all count as one.
    pub const fn new(units: u64, per: Duration, burst: u64) -> Self {
        Self { units, per, burst }
    }

    pub const fn per_second(units: u64, burst: u64) -> Self {
        Self::new(units, Duration::from_secs(1), burst)
    }

    /// The time in which so many units become free.
    fn worth(&self, units: u64) -> Duration {
        let nanos = self.per.as_nanos().saturating_mul(units.into()) / u128::from(self.units.max(1));
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

/// What is left of a [`Rate`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace<T> {
    rate: Rate,
    /// When all that was taken is free again; `None` when it is.
    full: Option<T>,
}

impl<T: Moment> Pace<T> {
    /// A pace of which nothing is taken.
    pub const fn new(rate: Rate) -> Self {
        Self { rate, full: None }
    }

    /// Takes so many units if they are left; answers whether they were.
    pub fn take(&mut self, units: u64, now: T) -> bool {
        let is_left = self.wait(units, now).is_zero();
        if is_left {
            self.charge(units, now);
        }
        is_left
    }

    /// Takes so many units in any case; answers how long to wait before more is taken.
    pub fn charge(&mut self, units: u64, now: T) -> Duration {
        let wait = self.wait(units, now);
        self.full = Some(self.full.unwrap_or(now).after(self.rate.worth(units)));
        wait
    }

    /// How long it takes until so many units are left.
    pub fn wait(&mut self, units: u64, now: T) -> Duration {
        let room = self.rate.worth(self.rate.burst);
        let taken = self.full.map_or(Duration::ZERO, |full| full.since(now));
        // More can be taken on credit, or the clock was set back: either way it counts as all that there is.
        let taken = taken.min(room);
        self.full = (!taken.is_zero()).then(|| now.after(taken));
        (taken + self.rate.worth(units)).saturating_sub(room)
    }
}

#[cfg(test)]
mod tests;
