//! The clocks of this room: the wall clock for moments that people and peers see, a clock that never jumps for all
//! others.

use std::time::{Duration, Instant};

use flotilla_protocol::Timestamp;
use rustix::time::{ClockId, clock_gettime};

/// A difference larger than this between the two clocks means that the machine slept; less may come from the time
/// between the two readings.
const SLEPT: Duration = Duration::from_secs(3);

#[expect(clippy::disallowed_methods, reason = "this is where the clock is read")]
pub(crate) fn timestamp() -> Timestamp {
    Timestamp::now()
}

/// Milliseconds since 1970; 0 for a clock before that.
pub(crate) fn unix_ms() -> u64 {
    u64::try_from(timestamp().as_millisecond()).unwrap_or_default()
}

/// The wall-clock time of `moment`, when it is `now`.
pub(crate) fn timestamp_of(moment: Instant, now: Instant) -> Timestamp {
    let ago = now.saturating_duration_since(moment);
    timestamp().checked_sub(ago).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Notices that the machine slept, from two kernel clocks of which only one runs during sleep.
#[derive(Debug)]
pub(crate) struct SleepDetector {
    asleep: Duration,
}

impl SleepDetector {
    pub(crate) fn new() -> Self {
        Self {
            asleep: asleep_so_far(),
        }
    }

    /// Whether the machine slept since the last call.
    pub(crate) fn take_slept(&mut self) -> bool {
        let asleep = asleep_so_far();
        let slept = asleep.saturating_sub(self.asleep) > SLEPT;
        self.asleep = asleep;
        slept
    }
}

fn asleep_so_far() -> Duration {
    let [all, awake] = [ClockId::Boottime, ClockId::Monotonic].map(|clock| {
        let time = clock_gettime(clock);
        Duration::new(
            u64::try_from(time.tv_sec).unwrap_or_default(),
            u32::try_from(time.tv_nsec).unwrap_or_default(),
        )
    });
    all.saturating_sub(awake)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_that_is_awake_did_not_sleep() {
        let mut detector = SleepDetector::new();
        assert!(!detector.take_slept());
        detector.asleep = detector.asleep.saturating_sub(SLEPT);
        assert!(!detector.take_slept());
        detector.asleep = Duration::ZERO;
        assert_eq!(detector.take_slept(), asleep_so_far() > SLEPT);
    }

    #[test]
    fn a_moment_of_the_past_is_told_by_the_wall_clock() {
        let now = Instant::now();
        let hour = Duration::from_secs(3600);
        let Some(past) = now.checked_sub(hour) else { return };
        let apart = timestamp().duration_since(timestamp_of(past, now));
        assert!((apart.as_secs() - 3600).abs() <= 1, "{apart:?}");
    }
}
