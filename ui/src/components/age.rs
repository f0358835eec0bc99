//! The age of a fact, such as "4 h ago". It follows the clock of the page.

use crate::{clock::use_clock, format};
use flotilla_protocol::Timestamp;
use leptos::prelude::*;

/// "4 h ago", after the words of `prefix`, such as "as of". The exact time is its tooltip.
#[component]
pub fn AgeLabel(
    #[prop(into)] moment: Signal<Timestamp>,
    #[prop(optional, into)] prefix: Option<&'static str>,
) -> impl IntoView {
    let clock = use_clock();
    let words = move || {
        let moment = moment.get();
        let age = format::age(moment, clock.now_for(moment));
        prefix.map_or_else(|| age.clone(), |prefix| format!("{prefix} {age}"))
    };
    view! {
        <time class="age" datetime=move || moment.get().to_string() title=move || format::moment(moment.get())>{words}</time>
    }
}
