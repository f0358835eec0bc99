//! A radio button as a card: a title, a summary, when to use it, and a diagram.

use super::ids::fresh_id;
use leptos::{ev::Event, html, prelude::*};

/// The texts of a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CardText {
    pub title: &'static str,
    pub summary: &'static str,
    pub explanation: &'static str,
    /// The rest of the sentence that begins with "Use when".
    pub use_when: &'static str,
}

/// A card of the radio group `name`. Its title is its accessible name, the other texts are its description.
#[component]
pub fn ModeCard(
    text: CardText,
    #[prop(into)] name: String,
    #[prop(into)] checked: Signal<bool>,
    #[prop(into)] on_choose: Callback<()>,
    #[prop(into)] diagram: AnyView,
    #[prop(optional)] node_ref: NodeRef<html::Input>,
    /// A note at the end of the card.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let id = fresh_id("card");
    let about = format!("{id}-about");
    view! {
        <div class="mode-card" class:checked=move || checked.get() on:click=move |_| on_choose.run(())>
            <div class="diagram" aria-hidden="true">{diagram}</div>
            <div class="words">
                <div class="choice">
                    <input type="radio" id=id.clone() name=name aria-describedby=about.clone() node_ref=node_ref
                        prop:checked=move || checked.get() on:change=move |_: Event| on_choose.run(())/>
                    <label for=id>{text.title}</label>
                </div>
                <div class="about" id=about>
                    <p class="gist">{text.summary}</p>
                    <p>{text.explanation}</p>
                    <p><strong>"Use when"</strong>" "{text.use_when}</p>
                    {children.map(|children| children())}
                </div>
            </div>
        </div>
    }
}
