//! What a browser without a session sees: how Flotilla is opened.

use crate::{
    components::{
        button::{Button, Kind},
        empty::EmptyState,
        icon::lucide,
    },
    copy::sign_in as copy,
    frame::page_title,
    live::use_live,
    session::Session,
    store::use_store,
};
use leptos::prelude::*;

#[component]
pub fn SignInPage() -> impl IntoView {
    page_title(|| vec![copy::TITLE.to_owned()]);
    let (store, live) = (use_store(), use_live());
    let again = move || {
        store.session.set(Session::Opening);
        store.reload();
        live.start();
    };
    view! {
        <EmptyState glyph=lucide::LOCK title=copy::HEADING text=copy::TEXT>
            <Button label=copy::AGAIN kind=Kind::Primary on_press=again/>
        </EmptyState>
        <p class="sign-in-how muted">{copy::HOW}" "<code>"flotilla serve"</code></p>
    }
}
