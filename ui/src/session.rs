//! The person's session, got for the single-use code of a sign-in link. Its cookie goes wherever the browser sends it,
//! so it counts only together with a secret that this origin keeps, and that all its pages share.

use crate::{api::send, browser, live::Live, store::Store};
use flotilla_protocol::api::{LIVE_PROTOCOL, OpenSession, SESSION_PROTOCOL};
use leptos::{prelude::*, task::spawn_local};

/// Whether this page may ask the controller anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Session {
    /// Not known yet.
    Opening,
    Open,
    /// The controller does not know this browser.
    Missing,
}

/// Trades the code of the address for a session if there is one, and starts to load.
pub fn open(store: Store, live: Live) {
    enter(store, live, Store::start);
    // A new address that is pasted over the old one differs in its code only, and that loads no page.
    let pasted = window_event_listener(leptos::ev::hashchange, move |_| {
        if browser::fragment().starts_with(CODE) {
            store.session.set(Session::Opening);
            enter(store, live, Store::reload);
        }
    });
    on_cleanup(move || pasted.remove());
}

/// How the part of the address begins that carries the code.
const CODE: &str = "code=";

/// Under which the secret is kept.
const SECRET: &str = "session";

/// What this page shows with every call.
#[must_use]
pub fn page_secret() -> Option<String> {
    browser::remembered(SECRET)
}

/// What it shows to the live stream, which takes no header.
pub(crate) fn live_protocols() -> Vec<String> {
    let secret = page_secret().map(|secret| format!("{SESSION_PROTOCOL}{secret}"));
    [LIVE_PROTOCOL.to_owned()].into_iter().chain(secret).collect()
}

fn enter(store: Store, live: Live, load: fn(Store)) {
    let code = browser::fragment().strip_prefix(CODE).map(str::to_owned);
    browser::forget_fragment_of_code();
    spawn_local(async move {
        if let Some(code) = code {
            // A code that was used before is no reason to stop: the session of that time may still be good.
            if let Ok(opened) = send(&OpenSession { code }).await {
                browser::remember(SECRET, &opened.page_secret);
            }
        }
        load(store);
        live.start();
    });
}
