//! A modal dialog. The rest of the page is inert while it is open; afterwards the focus returns to where it was.

use super::{closing::Closing, focus::Opener, ids::fresh_id, toast::Toasts};
use leptos::{ev, html, prelude::*};

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

/// A dialog that is open for as long as it is mounted. Escape calls `on_close`, which may unmount it; if something is
/// `edited`, it asks first.
#[component]
pub fn Dialog(
    #[prop(into)] title: Signal<String>,
    #[prop(optional)] size: Size,
    /// The dialog is an alert: it interrupts and asks for a decision.
    #[prop(optional)]
    alert: bool,
    #[prop(into)] on_close: Callback<()>,
    #[prop(optional, into)] edited: Signal<bool>,
    /// Content beside the title.
    #[prop(optional, into)]
    head: Option<AnyView>,
    children: Children,
) -> impl IntoView {
    let heading = fresh_id("dialog");
    let dialog = NodeRef::<html::Dialog>::new();
    let opener = StoredValue::new_local(Opener::now());
    let closing = Closing::new(edited, on_close);
    let show = move || {
        if let Some(dialog) = dialog.get()
            && !dialog.open()
        {
            dialog.show_modal().ok();
        }
    };
    Effect::new(show);
    on_cleanup(move || {
        if let Some(opener) = opener.try_get_value() {
            opener.give_back_soon();
        }
    });
    let cancel = move |event: ev::Event| {
        event.prevent_default();
        closing.leave();
    };
    // The browser closed the dialog by itself.
    let closed = move |_: ev::Event| {
        if dialog.try_get_untracked().flatten().is_some() && !closing.leave() {
            untrack(show);
        }
    };
    view! {
        <dialog class=size.class() role=alert.then_some("alertdialog") aria-labelledby=heading node_ref=dialog
            on:keydown=move |event| closing.on_key(&event) on:cancel=cancel on:close=closed>
            <header class="dialog-head">
                <h2 id=heading.clone()>{move || title.get()}</h2>
                {head}
            </header>
            {children()}
            {closing.question()}
            <Toasts in_dialog=true/>
        </dialog>
    }
}
