//! The person's session, opened by the single-use code of a sign-in link. A browser sends its cookie to other ports of
//! the same host too, so a call needs a second secret, which this origin keeps in its local storage for all of its
//! pages.

use crate::{api::send, browser, live::Live, store::Store};
use flotilla_protocol::api::{LIVE_PROTOCOL, OpenSession, SESSION_PROTOCOL};
use leptos::{prelude::*, task::spawn_local};

/// Whether this page may ask the controller anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Session {
    /// The controller has not answered yet.
    Opening,
    Open,
    /// The controller does not know this browser.
    Missing,
}

/// Opens a session with the code of the page's address, if it has one, and starts to load the store.
pub fn open(store: Store, live: Live) {
    enter(store, live, Store::start);
    // An address that differs from the current one in its fragment only loads no page, so a pasted sign-in link is
    // noticed here.
    let pasted = window_event_listener(leptos::ev::hashchange, move |_| {
        if browser::fragment().starts_with(CODE) {
            store.session.set(Session::Opening);
            enter(store, live, Store::reload);
        }
    });
    on_cleanup(move || pasted.remove());
}

/// The beginning of a fragment that holds a code.
const CODE: &str = "code=";

/// The key of the secret in local storage.
const SECRET: &str = "session";

/// The secret that every call carries in its header.
#[must_use]
pub fn page_secret() -> Option<String> {
    browser::remembered(SECRET)
}

/// The WebSocket protocols of the live stream. One of them carries the secret, since a browser sends no headers of the
/// page with a WebSocket.
pub(crate) fn live_protocols() -> Vec<String> {
    let secret = page_secret().map(|secret| format!("{SESSION_PROTOCOL}{secret}"));
    [LIVE_PROTOCOL.to_owned()].into_iter().chain(secret).collect()
}

fn enter(store: Store, live: Live, load: fn(Store)) {
    let code = browser::fragment().strip_prefix(CODE).map(str::to_owned);
    browser::forget_fragment_of_code();
    spawn_local(async move {
        if let Some(code) = code {
            // A code that was used before opens no session, but the session that it opened then may still be valid.
            if let Ok(opened) = send(&OpenSession { code }).await {
                browser::remember(SECRET, &opened.page_secret);
            }
        }
        load(store);
        live.start();
    });
}
