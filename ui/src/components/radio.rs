//! Groups of radio buttons.

use super::ids::fresh_id;
use leptos::{ev::Event, prelude::*};

/// One option of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RadioOption {
    /// The value that `on_change` passes.
    pub value: String,
    pub title: String,
    pub text: String,
}

/// A group of radio buttons, each with an explanation.
#[component]
pub fn RadioGroup(
    #[prop(into)] label: String,
    options: Vec<RadioOption>,
    #[prop(into)] value: Signal<String>,
    #[prop(into)] on_change: Callback<(String,)>,
    /// The text below the group.
    #[prop(optional, into)]
    hint: Option<String>,
) -> impl IntoView {
    let group = fresh_id("radios");
    let heading = format!("{group}-label");
    let radios = options.into_iter().enumerate().map(|(index, option)| {
        let id = format!("{group}-{index}");
        let text = format!("{id}-text");
        let chosen = option.value.clone();
        let checked = move || value.with(|value| *value == chosen);
        let own = option.value;
        view! {
            <div class="choice">
                <input type="radio" id=id.clone() name=group.clone() aria-describedby=text.clone()
                    prop:checked=checked on:change=move |_: Event| on_change.run((own.clone(),))/>
                <div>
                    <label for=id>{option.title}</label>
                    <span class="hint" id=text>{option.text}</span>
                </div>
            </div>
        }
    });
    view! {
        <div class="field radios" role="radiogroup" aria-labelledby=heading>
            <span class="label" id=heading.clone()>{label}</span>
            {radios.collect_view()}
            {hint.map(|hint| view! { <p class="hint">{hint}</p> })}
        </div>
    }
}
