//! A menu of actions at a button. Arrow keys move in it; Escape closes it and returns the focus.

use super::{
    anchor::Anchor,
    focus,
    icon::{Glyph, Icon},
    outside_press::outside_press,
};
use crate::browser;
use leptos::{ev::KeyboardEvent, html, prelude::*};
use web_sys::HtmlElement;

/// An action of an object, which is an item of a menu or a button.
#[derive(Debug, Clone)]
pub struct RowAction {
    pub label: String,
    pub glyph: Glyph,
    /// Why the action is not possible now.
    pub reason: Option<String>,
    pub run: Callback<()>,
}

/// A menu at the place of its button. An action that stays in the list keeps its item, whatever else changes.
#[component]
pub fn Menu(
    #[prop(into)] name: String,
    anchor: Anchor,
    #[prop(into)] actions: Signal<Vec<RowAction>>,
    /// Closes the menu; with `true`, the focus should return to the button.
    #[prop(into)]
    on_close: Callback<bool>,
) -> impl IntoView {
    let root = NodeRef::<html::Div>::new();
    Effect::new(move |_| {
        if let Some(root) = root.get() {
            focus::enter(&root, |root| focus_item(root, 0));
        }
    });
    outside_press(root, move || on_close.run(false));
    let labels = labels(actions);
    Effect::new(move || {
        if labels.with(Vec::is_empty) {
            on_close.run(true);
        }
    });
    let keys = move |event: KeyboardEvent| on_key(&event, root, on_close);
    view! {
        <div role="menu" class="menu-panel" aria-label=name style=anchor.style() node_ref=root on:keydown=keys>
            <For each=move || labels.get() key=String::clone let:label><MenuItem label actions on_close/></For>
        </div>
    }
}

#[component]
fn MenuItem(label: String, actions: Signal<Vec<RowAction>>, on_close: Callback<bool>) -> impl IntoView {
    let glyph = untrack(|| lookup(actions, &label)).map(|action| view! { <Icon glyph=action.glyph/> });
    let reason = reason(actions, label.clone());
    let own = label.clone();
    let press = move |_| {
        if let Some(action) = untrack(|| lookup(actions, &own)).filter(|action| action.reason.is_none()) {
            on_close.run(true);
            action.run.run(());
        }
    };
    view! {
        <button type="button" role="menuitem" tabindex="-1"
            aria-disabled=move || reason.with(Option::is_some).then_some("true") on:click=press>
            {glyph}
            <span class="label">{label}</span>
            {move || reason.get().map(|reason| view! { <span class="reason">{reason}</span> })}
        </button>
    }
}

/// The labels of actions in their order. They identify the actions of a list.
#[must_use]
pub fn labels(actions: Signal<Vec<RowAction>>) -> Memo<Vec<String>> {
    Memo::new(move |_| actions.with(|actions| actions.iter().map(|action| action.label.clone()).collect()))
}

/// Why an action is not possible now.
#[must_use]
pub fn reason(actions: Signal<Vec<RowAction>>, label: String) -> Memo<Option<String>> {
    Memo::new(move |_| lookup(actions, &label).and_then(|action| action.reason))
}

/// The action with a label, as it is now.
#[must_use]
pub fn lookup(actions: Signal<Vec<RowAction>>, label: &str) -> Option<RowAction> {
    actions.with(|actions| actions.iter().find(|action| action.label == label).cloned())
}

fn on_key(event: &KeyboardEvent, root: NodeRef<html::Div>, on_close: Callback<bool>) {
    let Some(root) = root.get_untracked() else { return };
    let items = items(&root);
    let at = items.iter().position(|item| {
        document()
            .active_element()
            .is_some_and(|active| item.is_same_node(Some(&active)))
    });
    let count = items.len();
    let next = match (event.key().as_str(), at) {
        ("ArrowDown", Some(at)) => (at + 1) % count,
        ("ArrowUp", Some(at)) => (at + count - 1) % count,
        ("Home" | "ArrowDown", _) => 0,
        ("End" | "ArrowUp", _) => count.saturating_sub(1),
        ("Escape" | "Tab", _) => {
            event.prevent_default();
            event.stop_propagation();
            on_close.run(true);
            return;
        }
        _ => return,
    };
    event.prevent_default();
    event.stop_propagation();
    focus_item(&root, next);
}

fn focus_item(root: &HtmlElement, at: usize) {
    if let Some(item) = items(root).get(at) {
        item.focus().ok();
    }
}

fn items(root: &HtmlElement) -> Vec<HtmlElement> {
    browser::all(root, "[role=menuitem]")
}
