//! How a page begins: it opens a session with the single-use code of a sign-in link, or finds the one that its browser
//! has, and then loads the store. And how it ends: the one place that hears that the controller refused the session.

use super::{api::send, live::Live, store::Store};
use crate::{
    browser,
    session::{self, Session},
};
use flotilla_protocol::api::OpenSession;
use leptos::{prelude::*, task::spawn_local};

/// The beginning of a fragment that holds a code.
const CODE: &str = "code=";

/// Begins with the address that the page was opened at.
pub fn enter(store: Store, live: Live) {
    begin(store, live, Store::start);
    // An address that differs from the current one in its fragment only loads no page, so a pasted sign-in link is
    // noticed here.
    let pasted = window_event_listener(leptos::ev::hashchange, move |_| {
        if browser::fragment().starts_with(CODE) {
            again(store, live);
        }
    });
    let refused = window_event_listener_untyped(session::REFUSED, move |_| {
        // While a session is being opened, its own answer decides.
        if store
            .session
            .with_untracked(|session| *session != Session::Opening)
        {
            store.session.set(Session::Missing);
        }
    });
    on_cleanup(move || {
        pasted.remove();
        refused.remove();
    });
}

/// Looks again whether there is a session, and loads everything if so.
pub fn again(store: Store, live: Live) {
    store.session.set(Session::Opening);
    begin(store, live, Store::reload);
}

fn begin(store: Store, live: Live, load: fn(Store)) {
    let code = browser::fragment().strip_prefix(CODE).map(str::to_owned);
    browser::forget_fragment_of_code();
    spawn_local(async move {
        if let Some(code) = code {
            // A code that was used before opens no session, but the session that it opened then may still be valid.
            if let Ok(opened) = send(&OpenSession { code }).await {
                session::keep_page_secret(&opened.page_secret);
            }
        }
        load(store);
        live.start();
    });
}
