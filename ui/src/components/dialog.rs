//! A modal dialog. The rest of the page is inert while it is open; afterwards the focus returns to where it was.

use super::ids::fresh_id;
use crate::browser;
use leptos::{ev, html, prelude::*};
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

/// Widths of 480, 720 and 960 px.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Size {
    #[default]
    Narrow,
    Wide,
    Full,
}

impl Size {
    fn class(self) -> &'static str {
        match self {
            Self::Narrow => "dialog",
            Self::Wide => "dialog wide",
            Self::Full => "dialog full",
        }
    }
}

/// A dialog that is open for as long as it is mounted. Escape calls `on_close`, which may unmount it.
#[component]
pub fn Dialog(
    #[prop(into)] title: Signal<String>,
    #[prop(optional)] size: Size,
    /// The dialog is an alert: it interrupts and asks for a decision.
    #[prop(optional)]
    alert: bool,
    #[prop(into)] on_close: Callback<()>,
    /// Content beside the title.
    #[prop(optional, into)]
    head: Option<AnyView>,
    children: Children,
) -> impl IntoView {
    let heading = fresh_id("dialog");
    let dialog = NodeRef::<html::Dialog>::new();
    let opener = StoredValue::new_local(focused());
    Effect::new(move || {
        if let Some(dialog) = dialog.get() {
            // This also opens a dialog again that the browser closed by itself.
            if !dialog.open() {
                dialog.show_modal().ok();
            }
        }
    });
    on_cleanup(move || {
        // An element outside of the dialog can take the focus once the dialog is removed.
        let opener = opener.try_get_value().flatten();
        request_animation_frame(move || give_back(opener));
    });
    let cancel = move |event: ev::Event| {
        event.prevent_default();
        on_close.run(());
    };
    view! {
        <dialog class=size.class() role=alert.then_some("alertdialog") aria-labelledby=heading node_ref=dialog
            on:cancel=cancel on:close=move |_| _ = on_close.try_run(())>
            <header class="dialog-head">
                <h2 id=heading.clone()>{move || title.get()}</h2>
                {head}
            </header>
            {children()}
        </dialog>
    }
}

fn focused() -> Option<HtmlElement> {
    document().active_element()?.dyn_into().ok()
}

/// Returns the focus to the element that opened the dialog, unless another element has it. If that element is gone, the
/// heading of the page gets the focus.
fn give_back(opener: Option<HtmlElement>) {
    let is_body = |element: &HtmlElement| element.tag_name() == "BODY";
    if focused().is_some_and(|element| !is_body(&element)) {
        return;
    }
    match opener.filter(|opener| opener.is_connected() && !is_body(opener)) {
        Some(opener) => _ = opener.focus(),
        None => browser::focus("h1"),
    }
}
