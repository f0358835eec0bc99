//! The one place where control reads the wall clock, so that tests can set it.

use flotilla_protocol::Timestamp;
use jiff::tz::TimeZone;
use std::sync::Arc;

/// The time, and how it is written in this computer's time zone.
#[derive(Clone, derive_more::Debug)]
#[debug("Clock")]
pub(crate) struct Clock {
    read: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    zone: TimeZone,
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub(crate) fn system() -> Self {
        Self {
            read: Arc::new(Timestamp::now),
            zone: TimeZone::system(),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.read)()
    }

    /// The same clock for the checks of certificates.
    pub(crate) fn for_tls(&self) -> flotilla_identity::Clock {
        let clock = self.clone();
        flotilla_identity::Clock::new(move || clock.now())
    }

    /// A time of day, with its date when that is not today's: `09:12`, `2026-11-20 09:12`.
    pub(crate) fn time(&self, at: Timestamp) -> String {
        let then = at.to_zoned(self.zone.clone());
        let today = self.now().to_zoned(self.zone.clone()).date();
        let form = if then.date() == today {
            "%H:%M"
        } else {
            "%Y-%m-%d %H:%M"
        };
        then.strftime(form).to_string()
    }

    /// A moment in words: `at 09:12` on the same day, else `on 2026-11-20 at 09:12`.
    pub(crate) fn moment(&self, at: Timestamp) -> String {
        let then = at.to_zoned(self.zone.clone());
        let today = self.now().to_zoned(self.zone.clone()).date();
        if then.date() == today {
            then.strftime("at %H:%M").to_string()
        } else {
            then.strftime("on %Y-%m-%d at %H:%M").to_string()
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::sync::Mutex;

    /// A clock that a test sets.
    #[derive(Clone)]
    pub(crate) struct ManualClock(Arc<Mutex<Timestamp>>);

    impl ManualClock {
        pub(crate) fn at(text: &str) -> (Self, Clock) {
            let manual = Self(Arc::new(Mutex::new(text.parse().unwrap())));
            let read = manual.0.clone();
            let clock = Clock {
                read: Arc::new(move || *read.lock().unwrap()),
                zone: TimeZone::UTC,
            };
            (manual, clock)
        }

        pub(crate) fn advance(&self, seconds: i64) {
            let mut now = self.0.lock().unwrap();
            *now += jiff::SignedDuration::from_secs(seconds);
        }
    }

    #[test]
    fn a_moment_of_today_is_a_time_and_an_older_one_has_its_date() {
        let (_, clock) = ManualClock::at("2026-11-21T14:02:00Z");
        assert_eq!(clock.moment("2026-11-21T09:12:00Z".parse().unwrap()), "at 09:12");
        assert_eq!(
            clock.moment("2026-11-20T23:59:00Z".parse().unwrap()),
            "on 2026-11-20 at 23:59"
        );
    }
}
