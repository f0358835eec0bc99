//! The time on a device whose clock may be wrong.
//!
//! Small boards start in 1970, and some stay there; other clocks are years ahead. Nothing depends on a right clock:
//! control judges nothing by it, and a device judges control's certificate as of a moment at which that is good
//! (`identity::verify`). A clock that says a time before this program was built is wrong for certain, and is replaced by
//! the time that control told last. Any other clock is believed, even against control, whose clock may have been the
//! wrong one.

use flotilla_identity::Clock;
use flotilla_protocol::Timestamp;
use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

/// The device's clock, replaced by control's last time or the build's where it is wrong for certain. Clones share what
/// control told.
#[derive(Debug, Clone)]
pub(crate) struct AgentClock {
    /// Milliseconds since the epoch.
    control_time: Arc<AtomicI64>,
}

impl AgentClock {
    pub(crate) fn new(last_heard: Option<Timestamp>) -> Self {
        let control_time = last_heard.map_or(0, Timestamp::as_millisecond);
        Self {
            control_time: Arc::new(AtomicI64::new(control_time)),
        }
    }

    pub(crate) fn heard_from_control(&self, at: Timestamp) {
        self.control_time.store(at.as_millisecond(), Ordering::Relaxed);
    }

    /// The moment that this device believes in; never before the build of this program.
    pub(crate) fn now(&self) -> Timestamp {
        self.believe(Self::system())
    }

    fn believe(&self, system: Timestamp) -> Timestamp {
        let built = built_at();
        if system >= built {
            return system;
        }
        let control_time = Timestamp::from_millisecond(self.control_time.load(Ordering::Relaxed));
        control_time.unwrap_or(built).max(built)
    }

    /// The device's own clock, right or wrong. Control is sent this one, so that it can tell how far the clock is off.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the agent reads the device's clock"
    )]
    pub(crate) fn system() -> Timestamp {
        let now = Timestamp::now();
        #[cfg(debug_assertions)]
        let now = set_by_a_test(now);
        now
    }

    /// The clock by which TLS judges certificates.
    pub(crate) fn for_tls(&self) -> Clock {
        let clock = self.clone();
        Clock::new(move || clock.now())
    }
}

fn built_at() -> Timestamp {
    let seconds = env!("FLOTILLA_BUILT_AT").parse().unwrap_or(0);
    Timestamp::from_second(seconds).unwrap_or_default()
}

/// The time in builds for tests, in which a file says by how many seconds the clock is off. Agents are static programs,
/// so no preloaded library can set the clock of one of them.
#[cfg(debug_assertions)]
fn set_by_a_test(now: Timestamp) -> Timestamp {
    let file = std::env::var_os("FLOTILLA_TEST_CLOCK");
    let text = file.and_then(|file| std::fs::read_to_string(file).ok());
    let offset = text.and_then(|text| text.trim().parse().ok());
    let set = offset.and_then(|seconds| now.checked_add(jiff::SignedDuration::from_secs(seconds)).ok());
    set.unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_clock_before_the_build_is_replaced_by_what_control_said_last() {
        let clock = AgentClock::new(None);
        assert!(clock.believe(Timestamp::UNIX_EPOCH) > at("2025-01-01T00:00:00Z"));
        clock.heard_from_control(at("2090-01-01T00:00:00Z"));
        assert_eq!(clock.believe(Timestamp::UNIX_EPOCH), at("2090-01-01T00:00:00Z"));
        // Control's clock was wrong, and is right again.
        clock.heard_from_control(at("2089-09-01T00:00:00Z"));
        assert_eq!(clock.believe(Timestamp::UNIX_EPOCH), at("2089-09-01T00:00:00Z"));
        clock.heard_from_control(Timestamp::UNIX_EPOCH);
        assert_eq!(clock.believe(Timestamp::UNIX_EPOCH), built_at());
    }

    #[test]
    fn a_clock_that_may_be_right_is_believed_whatever_control_said() {
        let clock = AgentClock::new(Some(at("2099-01-01T00:00:00Z")));
        for own in ["2098-09-01T00:00:00Z", "2103-01-01T00:00:00Z"].map(at) {
            assert_eq!(clock.believe(own), own);
        }
    }
}
