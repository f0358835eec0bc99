//! The person's session: a cookie, got for the single-use code that the controller's address carries at start.

use crate::{api::send, browser, live::Live, store::Store};
use flotilla_protocol::api::OpenSession;
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

fn enter(store: Store, live: Live, load: fn(Store)) {
    let code = browser::fragment().strip_prefix(CODE).map(str::to_owned);
    browser::forget_fragment_of_code();
    spawn_local(async move {
        if let Some(code) = code {
            // A code that was used before is no reason to stop: the cookie of that time may still be good.
            let _ = send(&OpenSession { code }).await;
        }
        load(store);
        live.start();
    });
}
