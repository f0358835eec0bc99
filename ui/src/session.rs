//! The person's session: a cookie, got for the single-use code that the controller's address carries at start.

use crate::{api::send, browser, live::Live, store::Store};
use flotilla_protocol::api::OpenSession;
use leptos::task::spawn_local;

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
    let code = browser::fragment().strip_prefix("code=").map(str::to_owned);
    browser::forget_fragment_of_code();
    spawn_local(async move {
        if let Some(code) = code {
            // A code that was used before is no reason to stop: the cookie of that time may still be good.
            let _ = send(&OpenSession { code }).await;
        }
        store.start();
        live.start();
    });
}
