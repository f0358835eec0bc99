//! Tells on the root element that the page is complete: its fonts are loaded, and it waits for neither code nor a list.

use crate::{
    browser, lazy_views,
    pending::use_pending,
    registry,
    session::Session,
    store::{Collection, Keyed, Load, Store},
};
use leptos::{prelude::*, task::spawn_local};
use wasm_bindgen_futures::JsFuture;

/// Sets `data-ready="true"` once the complete first page is painted. The other lazy views are fetched from then on.
pub(super) fn mark_ready(store: Store) {
    let pending = use_pending();
    let fonts = RwSignal::new(false);
    spawn_local(async move {
        if let Ok(ready) = document().fonts().ready() {
            JsFuture::from(ready).await.ok();
        }
        fonts.set(true);
    });
    Effect::new(move |done: Option<bool>| {
        if done == Some(true) {
            return true;
        }
        let known = match store.session.get() {
            Session::Opening => store.devices.with(failed),
            Session::Open(_) => !pending.any() && store.fleet.with(Option::is_some),
            Session::Missing => true,
        };
        let ready = fonts.get() && known;
        if ready {
            browser::next_frame(|| {
                browser::next_frame(|| {
                    browser::set_root_attribute("data-ready", "true");
                    lazy_views::fetch_all(registry::parts::ALL);
                })
            });
        }
        ready
    });
}

fn failed<T: Keyed>(collection: &Collection<T>) -> bool {
    matches!(collection.load(), Load::Failed(_))
}
