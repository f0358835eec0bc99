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

/// Sets `data-ready="true"` once, after the complete first page is painted. The other lazy views are fetched from then on.
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
            Session::Open => !pending.any() && store.fleet.with(Option::is_some) && no_list_is_loading(store),
            Session::Missing => true,
        };
        let ready = fonts.get() && known;
        if ready {
            request_animation_frame(|| {
                request_animation_frame(|| {
                    browser::set_root_attribute("data-ready", "true");
                    lazy_views::fetch_all(registry::parts::ALL);
                })
            });
        }
        ready
    });
}

/// Whether none of the lists of devices, inventory and activity is being loaded.
fn no_list_is_loading(store: Store) -> bool {
    fn is_not_loading<T: Keyed>(collection: RwSignal<Collection<T>>) -> bool {
        collection.with(|collection| *collection.load() != Load::Loading)
    }
    is_not_loading(store.devices)
        && is_not_loading(store.containers)
        && is_not_loading(store.stacks)
        && is_not_loading(store.images)
        && is_not_loading(store.volumes)
        && is_not_loading(store.networks)
        && is_not_loading(store.activity)
}

fn failed<T: Keyed>(collection: &Collection<T>) -> bool {
    matches!(collection.load(), Load::Failed(_))
}
