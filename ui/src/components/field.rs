//! One line of text with its label above, and its hint or error below.

use super::{
    icon::{Icon, lucide},
    ids::fresh_id,
};
use leptos::{html, prelude::*};

/// A labeled text field. The page passes `error`: usually after the first blur, then after every key.
#[component]
pub fn Field(
    #[prop(into)] label: String,
    #[prop(into)] value: Signal<String>,
    #[prop(into)] on_input: Callback<(String,)>,
    #[prop(optional, into)] on_blur: Option<Callback<()>>,
    #[prop(optional, into)] hint: Option<String>,
    #[prop(optional, into)] placeholder: Option<String>,
    #[prop(optional, into)] error: Signal<Option<String>>,
    #[prop(optional)] required: bool,
    /// The text is a name or an address, not prose.
    #[prop(optional)]
    verbatim: bool,
    #[prop(optional)] node_ref: NodeRef<html::Input>,
) -> impl IntoView {
    let id = fresh_id("field");
    let hint_id = format!("{id}-hint");
    let error_id = format!("{id}-error");
    let described = {
        let (hint_id, error_id) = (hint.is_some().then(|| hint_id.clone()), error_id.clone());
        move || {
            let error = error.with(Option::is_some).then(|| error_id.clone());
            let ids: Vec<_> = hint_id.clone().into_iter().chain(error).collect();
            (!ids.is_empty()).then(|| ids.join(" "))
        }
    };
    let literal = verbatim.then_some("off");
    view! {
        <div class="field">
            <label for=id.clone()>{label}</label>
            <input
                id=id
                class="input"
                type="text"
                placeholder=placeholder
                autocomplete="off"
                autocapitalize=literal
                spellcheck=verbatim.then_some("false")
                aria-required=required.then_some("true")
                aria-invalid=move || error.with(Option::is_some).then_some("true")
                aria-describedby=described
                prop:value=move || value.get()
                node_ref=node_ref
                on:input:target=move |event| on_input.run((event.target().value(),))
                on:blur=move |_| if let Some(on_blur) = on_blur { leave(on_blur) }
            />
            {hint.map(|hint| view! { <p class="hint" id=hint_id>{hint}</p> })}
            {move || error.get().map(|error| view! {
                <p class="field-error" id=error_id.clone()><Icon glyph=lucide::CIRCLE_ALERT/>{error}</p>
            })}
        </div>
    }
}

/// Runs `on_blur`, unless its page is gone: an element that is removed while it has the focus is blurred afterwards.
fn leave(on_blur: Callback<()>) {
    on_blur.try_run(());
}
