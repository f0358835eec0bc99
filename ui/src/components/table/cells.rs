//! What most cells show: a text, a name, an age, or that there is nothing.

use crate::{components::age::AgeLabel, copy::table as copy};
use flotilla_protocol::Timestamp;
use leptos::prelude::*;

/// The mark in place of an unknown value.
#[component]
pub fn Dash() -> impl IntoView {
    view! { <span class="faint" aria-hidden="true">{crate::format::NOTHING}</span> }
}

/// A text, or a dash if it is empty or absent.
#[must_use]
pub fn text_cell(text: Option<&str>) -> AnyView {
    match text.filter(|text| !text.is_empty()) {
        Some(text) => view! { <span>{text.to_owned()}</span> }.into_any(),
        None => view! { <Dash/> }.into_any(),
    }
}

/// A name, in the style of the first column.
#[must_use]
pub fn name_cell(name: &str) -> AnyView {
    view! { <span class="name">{name.to_owned()}</span> }.into_any()
}

#[must_use]
pub fn mono_cell(text: Option<&str>) -> AnyView {
    view! { <span class="mono">{text_cell(text)}</span> }.into_any()
}

/// The time since a moment, or a dash.
#[must_use]
pub fn age_cell(moment: Option<Timestamp>) -> AnyView {
    match moment {
        Some(moment) => view! { <AgeLabel moment/> }.into_any(),
        None => view! { <Dash/> }.into_any(),
    }
}

/// The time since a moment, or "Unknown" if it is not reported.
#[must_use]
pub fn date_cell(moment: Option<Timestamp>) -> AnyView {
    match moment {
        Some(moment) => age_cell(Some(moment)),
        None => copy::UNKNOWN.into_any(),
    }
}
