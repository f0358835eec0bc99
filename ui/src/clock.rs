//! The one clock of the page: every age and countdown follows it, so that they all change together.

use flotilla_protocol::Timestamp;
use leptos::prelude::*;
use std::time::Duration;

/// Now, in two grains.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    /// Moves every second.
    pub second: RwSignal<Timestamp>,
    /// Moves every 30 seconds; for ages above a minute.
    pub half_minute: RwSignal<Timestamp>,
}

impl Clock {
    /// Starts the clock and makes it known to the components below.
    pub fn provide() -> Self {
        let clock = Self {
            second: RwSignal::new(now()),
            half_minute: RwSignal::new(now()),
        };
        provide_context(clock);
        let tick = move || {
            let now = now();
            clock.second.set(now);
            if now.as_second() - clock.half_minute.get_untracked().as_second() >= 30 {
                clock.half_minute.set(now);
            }
        };
        if let Ok(handle) = set_interval_with_handle(tick, Duration::from_secs(1)) {
            on_cleanup(move || handle.clear());
        }
        clock
    }

    /// Now, re-read as often as the words for an age of this moment change.
    #[must_use]
    pub fn now_for(self, moment: Timestamp) -> Timestamp {
        let now = self.half_minute.get();
        if now.as_second() - moment.as_second() < 90 {
            self.second.get()
        } else {
            now
        }
    }
}

#[must_use]
pub fn use_clock() -> Clock {
    expect_context()
}

/// The browser's clock.
#[must_use]
pub fn now() -> Timestamp {
    // A double counts milliseconds exactly far beyond any date that a browser knows.
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds since 1970 fit")]
    let milliseconds = js_sys::Date::now() as i64;
    Timestamp::from_millisecond(milliseconds).unwrap_or_default()
}
