//! What time it is on a device that may not know.
//!
//! Small boards start in 1970, and some never learn better. A certificate must not be called "not yet valid" for
//! that, so the agent's time is never before the build of this program or the last moment it heard from control.

use flotilla_identity::Clock;
use flotilla_protocol::Timestamp;
use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

/// The device's clock with a floor that only rises. Clones share the floor.
#[derive(Debug, Clone)]
pub(crate) struct AgentClock {
    /// Milliseconds since the epoch.
    floor: Arc<AtomicI64>,
}

impl AgentClock {
    pub(crate) fn new(last_heard: Option<Timestamp>) -> Self {
        let built_at = env!("FLOTILLA_BUILT_AT").parse::<i64>().unwrap_or(0) * 1000;
        let heard = last_heard.map_or(0, Timestamp::as_millisecond);
        Self {
            floor: Arc::new(AtomicI64::new(built_at.max(heard))),
        }
    }

    pub(crate) fn heard_from_control(&self, at: Timestamp) {
        self.floor.fetch_max(at.as_millisecond(), Ordering::Relaxed);
    }

    /// A moment that is not before anything the agent knows to have happened.
    pub(crate) fn now(&self) -> Timestamp {
        self.at_least(Self::system())
    }

    fn at_least(&self, system: Timestamp) -> Timestamp {
        Timestamp::from_millisecond(self.floor.load(Ordering::Relaxed))
            .map_or(system, |floor| floor.max(system))
    }

    /// The device's own clock, right or wrong: what control is told, so that it can tell how far it is off.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the agent reads the device's clock"
    )]
    pub(crate) fn system() -> Timestamp {
        Timestamp::now()
    }

    /// The clock by which TLS judges certificates.
    pub(crate) fn for_tls(&self) -> Clock {
        let clock = self.clone();
        Clock::new(move || clock.now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_behind_is_lifted_to_what_is_known() {
        let heard: Timestamp = "2030-01-01T00:00:00Z".parse().unwrap();
        let clock = AgentClock::new(None);
        assert!(clock.at_least(Timestamp::UNIX_EPOCH) > "2025-01-01T00:00:00Z".parse().unwrap());
        clock.heard_from_control(heard);
        clock.heard_from_control("2029-01-01T00:00:00Z".parse().unwrap());
        assert_eq!(clock.at_least(Timestamp::UNIX_EPOCH), heard);
    }

    #[test]
    fn a_clock_that_is_ahead_is_left_alone() {
        let ahead: Timestamp = "2099-01-01T00:00:00Z".parse().unwrap();
        assert_eq!(AgentClock::new(None).at_least(ahead), ahead);
    }
}
