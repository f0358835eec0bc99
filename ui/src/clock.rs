//! The clock of the page. Every age and countdown follows it, so that all of them change at the same moment.

use flotilla_protocol::Timestamp;
use gloo_timers::callback::Interval;
use leptos::prelude::*;

/// How often the clock ticks.
const TICK_MS: u32 = 1_000;

/// The current time at two resolutions.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    /// Changes every second.
    pub second: RwSignal<Timestamp>,
    /// Changes every 30 seconds; for ages of 90 seconds and more.
    pub half_minute: RwSignal<Timestamp>,
}

impl Clock {
    /// Starts the clock and provides it to the components below.
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
        StoredValue::new_local(Interval::new(TICK_MS, tick));
        clock
    }

    /// The current time, followed as often as the words for the age of `moment` change.
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

/// The time of the browser's clock.
#[must_use]
pub fn now() -> Timestamp {
    // An `f64` is exact for milliseconds of every date that a browser can represent.
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds since 1970 fit")]
    let milliseconds = js_sys::Date::now() as i64;
    Timestamp::from_millisecond(milliseconds).unwrap_or_default()
}
