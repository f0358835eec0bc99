//! The steps of a flow, and which of them is the current one.

use super::icon::{Icon, lucide};
use leptos::prelude::*;

/// Named steps, of which `current` is shown. Earlier steps are buttons that call `on_back` with their index.
#[component]
pub fn Stepper(
    steps: Vec<&'static str>,
    #[prop(into)] current: Signal<usize>,
    /// All steps are done, the current one too.
    #[prop(optional, into)]
    finished: Signal<bool>,
    #[prop(into)] on_back: Callback<(usize,)>,
) -> impl IntoView {
    let item = move |(index, name): (usize, &'static str)| {
        let done = move || index < current.get() || finished.get();
        let mark = move || {
            if done() {
                view! { <Icon glyph=lucide::CHECK/> }.into_any()
            } else {
                view! { {index + 1} }.into_any()
            }
        };
        let inner = move || view! { <span class="mark" aria-hidden="true">{mark}</span>{name} };
        let link = move || index < current.get() && !finished.get();
        view! {
            <li class:done=done aria-current=move || (index == current.get()).then_some("step")>
                {move || if link() {
                    view! { <button type="button" on:click=move |_| on_back.run((index,))>{inner()}</button> }.into_any()
                } else {
                    inner().into_any()
                }}
            </li>
        }
    };
    view! { <ol class="steps" role="list" aria-label="Steps">{steps.into_iter().enumerate().map(item).collect_view()}</ol> }
}
