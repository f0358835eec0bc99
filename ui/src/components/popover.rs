//! A panel at a button. Escape, a press outside and a move of the focus to the outside close it.

use super::icon::{Icon, lucide};
use leptos::{
    ev::{FocusEvent, KeyboardEvent},
    html,
    prelude::*,
};
use wasm_bindgen::JsCast;

/// A button and the panel that it opens. The panel is mounted only while it is open.
#[component]
pub fn Popover(
    #[prop(into)] label: Signal<String>,
    /// The accessible name of the panel.
    #[prop(into)]
    name: String,
    #[prop(optional)] class: &'static str,
    /// The accessible name of the button, where its label is not enough.
    #[prop(optional, into)]
    spoken: Signal<Option<String>>,
    #[prop(into)] panel: ViewFn,
) -> impl IntoView {
    let open = RwSignal::new(false);
    let root = NodeRef::<html::Div>::new();
    let button = NodeRef::<html::Button>::new();
    let close = move || {
        open.set(false);
        if let Some(button) = button.get_untracked() {
            button.focus().ok();
        }
    };
    let keys = move |event: KeyboardEvent| {
        if event.key() == "Escape" && open.get_untracked() {
            event.stop_propagation();
            event.prevent_default();
            close();
        }
    };
    let leave = move |event: FocusEvent| {
        let to = event
            .related_target()
            .and_then(|target| target.dyn_into::<web_sys::Node>().ok());
        if let (Some(root), Some(to)) = (root.get_untracked(), to)
            && !root.contains(Some(&to))
        {
            open.set(false);
        }
    };
    let outside = window_event_listener(leptos::ev::pointerdown, move |event| {
        let target = event
            .target()
            .and_then(|target| target.dyn_into::<web_sys::Node>().ok());
        let inside = root
            .get_untracked()
            .is_some_and(|root| root.contains(target.as_ref()));
        if !inside && open.get_untracked() {
            open.set(false);
        }
    });
    on_cleanup(move || outside.remove());
    view! {
        <div class=format!("popover-root {class}") node_ref=root on:keydown=keys on:focusout=leave>
            <button type="button" class="button secondary" node_ref=button aria-haspopup="dialog"
                aria-label=move || spoken.get()
                aria-expanded=move || open.get().to_string() on:click=move |_| open.update(|open| *open = !*open)>
                <span>{move || label.get()}</span><Icon glyph=lucide::CHEVRON_DOWN/>
            </button>
            {move || open.get().then(|| view! {
                <div class="popover" role="group" aria-label=name.clone()>{panel.run()}</div>
            })}
        </div>
    }
}
