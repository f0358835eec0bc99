//! The page of a browser without a session: how to sign in.

use crate::{
    components::{
        button::{Button, ButtonKind},
        clipboard_block::ClipboardBlock,
        empty::EmptyState,
        icon::lucide,
    },
    copy::sign_in as copy,
    data::entry,
    live::use_live,
    shell,
    store::use_store,
};
use leptos::prelude::*;

#[component]
pub fn SignInPage() -> impl IntoView {
    if shell::can_sign_in() {
        view! { <Window/> }.into_any()
    } else {
        view! { <Browser/> }.into_any()
    }
}

/// In the desktop window: a button that asks the shell for a session.
#[component]
fn Window() -> impl IntoView {
    view! {
        <EmptyState glyph=lucide::LOCK title=copy::WINDOW_HEADING text=copy::WINDOW_TEXT>
            <Button label=copy::SIGN_IN kind=ButtonKind::Primary on_press=shell::sign_in/>
        </EmptyState>
    }
}

/// In a browser: the command that opens a sign-in link.
#[component]
fn Browser() -> impl IntoView {
    let (store, live) = (use_store(), use_live());
    let again = move || entry::again(store, live);
    view! {
        <EmptyState glyph=lucide::LOCK title=copy::HEADING text=copy::TEXT/>
        <div class="sign-in-how">
            <ClipboardBlock what=copy::COMMAND text=copy::OPEN kind=ButtonKind::Primary/>
            <ul class="muted">{copy::NOTES.iter().map(|note| view! { <li>{*note}</li> }).collect_view()}</ul>
            <div class="actions"><Button label=copy::AGAIN on_press=again/></div>
        </div>
    }
}
