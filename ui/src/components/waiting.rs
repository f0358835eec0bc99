//! Waiting for something that takes long: what goes on at once, how long already after some seconds, and a way out
//! after some more.

use super::button::{Button, ButtonKind};
use crate::{clock::use_clock, copy::actions as copy, format};
use flotilla_protocol::Timestamp;
use leptos::prelude::*;

/// Seconds after which a wait shows how long it has lasted: a shorter one is over before the figure is read.
const ELAPSED_FROM: i64 = 3;

/// Seconds after which a wait can be ended: a person who waited so long looks for a way out.
const CANCEL_FROM: i64 = 10;

/// What goes on, with how long it has for so many seconds: "Stopping…", then "Stopping 4 s".
#[must_use]
pub fn words(doing: &str, seconds: i64) -> String {
    if seconds < ELAPSED_FROM {
        return doing.to_owned();
    }
    format!("{} {}", doing.trim_end_matches('…'), format::span(seconds))
}

/// Whether the way out is shown after so many seconds.
#[must_use]
pub fn offers_cancel(seconds: i64) -> bool {
    seconds >= CANCEL_FROM
}

/// A line about something that goes on. With `cancel`, it can be ended.
#[component]
pub fn Waiting(
    /// "Restarting jellyfin on nas…"
    #[prop(into)]
    sentence: String,
    since: Timestamp,
    #[prop(optional_no_strip)] cancel: Option<Callback<()>>,
) -> impl IntoView {
    let clock = use_clock();
    let seconds = Memo::new(move |_| (clock.second.get().as_second() - since.as_second()).max(0));
    let elapsed = move || {
        Some(seconds.get())
            .filter(|passed| *passed >= ELAPSED_FROM)
            .map(format::span)
    };
    let late = Memo::new(move |_| offers_cancel(seconds.get()));
    let way_out = move || {
        let cancel = cancel.filter(|_| late.get())?;
        Some(view! { <Button label=copy::CANCEL kind=ButtonKind::Quiet on_press=move || cancel.run(())/> })
    };
    view! {
        <div class="waiting">
            <span role="status">{sentence}</span>
            <span class="num muted">{elapsed}</span>
            {way_out}
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_it_takes_is_said_from_the_third_second_and_the_way_out_from_the_tenth() {
        assert_eq!(words("Stopping…", 0), "Stopping…");
        assert_eq!(words("Stopping…", 2), "Stopping…");
        assert_eq!(words("Stopping…", 3), "Stopping 3 s");
        assert_eq!(words("Stopping…", 120), "Stopping 2 min");
        assert_eq!((offers_cancel(9), offers_cancel(10)), (false, true));
    }
}
