//! The actions of an object as buttons.

use super::{
    button::Button,
    menu::{RowAction, labels, lookup, reason},
};
use leptos::prelude::*;

/// A button for each action. An action that stays in the list keeps its button, whatever else changes.
#[component]
pub fn ActionBar(#[prop(into)] actions: Signal<Vec<RowAction>>) -> impl IntoView {
    let labels = labels(actions);
    let button = move |label: String| {
        let glyph = untrack(|| lookup(actions, &label))?.glyph;
        let reason = reason(actions, label.clone());
        let own = label.clone();
        let press = move || {
            if let Some(action) = untrack(|| lookup(actions, &own)) {
                action.run.run(());
            }
        };
        Some(view! { <Button label glyph reason on_press=press/> })
    };
    view! { <For each=move || labels.get() key=String::clone children=button/> }
}
