//! A menu of actions at a button. Arrow keys move in it; Escape closes it and returns the focus.

use super::{icon::Icon, table::RowAction};
use leptos::{ev::KeyboardEvent, html, prelude::*};
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

/// A menu beside a button whose right, lower and upper edges are given in px of the view. It opens upwards if the
/// button is in the lower half of the view.
#[component]
pub fn Menu(
    #[prop(into)] name: String,
    right: f64,
    below: f64,
    above: f64,
    actions: Vec<RowAction>,
    /// Closes the menu; with `true`, the focus should return to the button.
    #[prop(into)]
    on_close: Callback<bool>,
) -> impl IntoView {
    let root = NodeRef::<html::Div>::new();
    Effect::new(move |_| {
        if let Some(root) = root.get() {
            request_animation_frame(move || {
                if let Some(first) = items(&root).first() {
                    first.focus().ok();
                }
            });
        }
    });
    let outside = window_event_listener(leptos::ev::pointerdown, move |event| {
        let target = event
            .target()
            .and_then(|target| target.dyn_into::<web_sys::Node>().ok());
        if !root
            .get_untracked()
            .is_some_and(|root| root.contains(target.as_ref()))
        {
            on_close.run(false);
        }
    });
    on_cleanup(move || outside.remove());
    let keys = move |event: KeyboardEvent| on_key(&event, root, on_close);
    let (width, height) = view_size();
    let (top, bottom) = if below > height / 2.0 {
        ("auto".to_owned(), format!("{}px", height - above))
    } else {
        (format!("{below}px"), "auto".to_owned())
    };
    let item = |action: RowAction| {
        let (reason, run) = (action.reason.clone(), action.run);
        let possible = reason.is_none();
        let press = move |_| {
            if possible {
                on_close.run(true);
                run.run(());
            }
        };
        view! {
            <button type="button" role="menuitem" tabindex="-1" aria-disabled=(!possible).then_some("true") on:click=press>
                <Icon glyph=action.glyph/>
                <span class="label">{action.label}</span>
                {reason.map(|reason| view! { <span class="reason">{reason}</span> })}
            </button>
        }
    };
    view! {
        <div role="menu" class="menu-panel" aria-label=name node_ref=root on:keydown=keys
            style:top=top style:bottom=bottom style:right=format!("{}px", (width - right).max(0.0))>
            {actions.into_iter().map(item).collect_view()}
        </div>
    }
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
    if let Some(item) = items.get(next) {
        item.focus().ok();
    }
}

fn items(root: &HtmlElement) -> Vec<HtmlElement> {
    let Ok(found) = root.query_selector_all("[role=menuitem]") else {
        return Vec::new();
    };
    (0..found.length())
        .filter_map(|index| found.item(index)?.dyn_into().ok())
        .collect()
}

fn view_size() -> (f64, f64) {
    let size = |value: Result<wasm_bindgen::JsValue, _>| {
        value.ok().and_then(|value| value.as_f64()).unwrap_or_default()
    };
    let root = document().document_element();
    let width = root.map_or_else(
        || size(window().inner_width()),
        |root| f64::from(root.client_width()),
    );
    (width, size(window().inner_height()))
}
