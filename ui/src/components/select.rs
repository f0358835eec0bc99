//! A select element, for at most a dozen fixed options.

use super::ids::fresh_id;
use leptos::prelude::*;

/// The browser's select element with its label beside it. `options` are values with their labels.
#[component]
pub fn Select(
    #[prop(into)] label: String,
    options: Vec<(String, String)>,
    #[prop(into)] value: Signal<String>,
    #[prop(into)] on_change: Callback<(String,)>,
) -> impl IntoView {
    let id = fresh_id("select");
    let options = options.into_iter().map(|(option, words)| {
        let own = option.clone();
        view! { <option value=option prop:selected=move || value.with(|value| *value == own)>{words}</option> }
    });
    view! {
        <span class="field-inline">
            <label class="label" for=id.clone()>{label}</label>
            <select id=id class="select" on:change:target=move |event| on_change.run((event.target().value(),))>
                {options.collect_view()}
            </select>
        </span>
    }
}
