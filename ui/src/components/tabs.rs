//! Tabs. Arrow keys move the focus among them; Enter, Space or a click selects one.

use super::{
    icon::{Icon, lucide},
    ids::fresh_id,
};
use crate::browser;
use leptos::{ev::KeyboardEvent, html, prelude::*};
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

/// A tab. A `reason` says why it cannot be selected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tab {
    /// The value that `on_select` passes.
    pub value: String,
    pub label: String,
    pub reason: Option<String>,
}

impl Tab {
    #[must_use]
    pub fn new(value: &str, label: &str) -> Self {
        Self {
            value: value.to_owned(),
            label: label.to_owned(),
            reason: None,
        }
    }
}

/// A row of tabs and the panel of the selected one.
#[component]
pub fn Tabs(
    /// The accessible name of the row of tabs.
    #[prop(into)]
    label: String,
    #[prop(into)] tabs: Signal<Vec<Tab>>,
    #[prop(into)] selected: Signal<String>,
    #[prop(into)] on_select: Callback<(String,)>,
    children: Children,
) -> impl IntoView {
    let id = fresh_id("tabs");
    let panel = format!("{id}-panel");
    let list = NodeRef::<html::Div>::new();
    let overflow = RwSignal::new((false, false));
    let measure = move || {
        if let Some(list) = list.try_get_untracked().flatten() {
            let hidden = list.scroll_width() - list.client_width();
            overflow.set((list.scroll_left() > 1, list.scroll_left() < hidden - 1));
        }
    };
    Effect::new(move || {
        tabs.track();
        browser::next_frame(measure);
    });
    let resized = window_event_listener(leptos::ev::resize, move |_| measure());
    on_cleanup(move || resized.remove());
    let scroll = move |by: f64| {
        if let Some(list) = list.get_untracked() {
            list.scroll_by_with_x_and_y(by, 0.0);
        }
    };
    let arrow = move |shown: bool, glyph, by: f64| {
        shown.then(|| {
            view! {
                <button type="button" class="icon-button tab-arrow" tabindex="-1" aria-hidden="true"
                    on:click=move |_| scroll(by)><Icon glyph/></button>
            }
        })
    };
    let labelled_by = format!("{id}-selected");
    let selected_id = labelled_by.clone();
    let controlled = panel.clone();
    view! {
        <div class="tabs">
            {move || arrow(overflow.get().0, lucide::CHEVRON_LEFT, -120.0)}
            <div class="tablist" role="tablist" aria-label=label node_ref=list on:scroll=move |_| measure()
                on:keydown=move_among_tabs>
                <For each=move || tabs.get() key=|tab| tab.value.clone() let:tab>
                    <TabButton tab tabs selected on_select selected_id=selected_id.clone() panel=controlled.clone()/>
                </For>
            </div>
            {move || arrow(overflow.get().1, lucide::CHEVRON_RIGHT, 120.0)}
        </div>
        <div class="tabpanel" role="tabpanel" id=panel aria-labelledby=labelled_by tabindex="-1">{children()}</div>
    }
}

#[component]
fn TabButton(
    tab: Tab,
    tabs: Signal<Vec<Tab>>,
    selected: Signal<String>,
    on_select: Callback<(String,)>,
    selected_id: String,
    panel: String,
) -> impl IntoView {
    let own = tab.value.clone();
    let is_selected = Signal::derive(move || selected.with(|selected| *selected == own));
    let own = tab.value.clone();
    let reason = Memo::new(move |_| {
        tabs.with(|tabs| {
            tabs.iter()
                .find(|tab| tab.value == own)
                .and_then(|tab| tab.reason.clone())
        })
    });
    let why = fresh_id("why");
    let described = why.clone();
    let press = move |_| {
        if reason.with_untracked(Option::is_none) {
            on_select.run((tab.value.clone(),));
        }
    };
    view! {
        <button type="button" role="tab" class="tab"
            id=move || is_selected.get().then(|| selected_id.clone())
            aria-selected=move || if is_selected.get() { "true" } else { "false" }
            aria-controls=move || is_selected.get().then(|| panel.clone())
            aria-disabled=move || reason.with(Option::is_some).then_some("true")
            aria-describedby=move || reason.with(Option::is_some).then(|| described.clone())
            title=move || reason.get()
            tabindex=move || if is_selected.get() { "0" } else { "-1" }
            on:click=press
        >
            <span class="tab-text">{tab.label}</span>
        </button>
        {move || reason.get().map(|reason| view! { <span class="visually-hidden" id=why.clone()>{reason}</span> })}
    }
}

/// Moves the focus among the tabs of a row.
fn move_among_tabs(event: KeyboardEvent) {
    let Some(list) = event
        .current_target()
        .and_then(|list| list.dyn_into::<HtmlElement>().ok())
    else {
        return;
    };
    let tabs = browser::all(&list, "[role=tab]");
    let focused = document().active_element();
    let at = tabs.iter().position(|tab| focused.as_ref() == Some(tab.as_ref()));
    let Some(to) = at.and_then(|at| next(&event.key(), at, tabs.len())) else {
        return;
    };
    event.prevent_default();
    tabs[to].focus().ok();
}

/// The tab that a key leads to from the one at `at`, of `count`. It goes round at the ends.
fn next(key: &str, at: usize, count: usize) -> Option<usize> {
    match key {
        "ArrowRight" => Some((at + 1) % count),
        "ArrowLeft" => Some((at + count - 1) % count),
        "Home" => Some(0),
        "End" => Some(count - 1),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::next;

    #[test]
    fn arrows_go_round_and_other_keys_go_nowhere() {
        assert_eq!(next("ArrowRight", 2, 3), Some(0));
        assert_eq!(next("ArrowLeft", 0, 3), Some(2));
        assert_eq!(next("Home", 2, 3), Some(0));
        assert_eq!(next("End", 0, 3), Some(2));
        assert_eq!(next("Enter", 0, 3), None);
    }
}
