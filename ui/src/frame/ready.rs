//! Says on the root element when the page shows what it will show: fonts are there and lists are loaded.

use crate::{
    browser, parts,
    session::Session,
    store::{Collection, Keyed, Load, Store},
};
use leptos::{prelude::*, task::spawn_local};
use wasm_bindgen_futures::JsFuture;

/// Sets `data-ready="true"` once, after the first page is painted whole.
pub fn mark_ready(store: Store) {
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
            Session::Open => store.fleet.with(Option::is_some) && rested(store),
            Session::Missing => true,
        };
        let ready = fonts.get() && known;
        if ready {
            request_animation_frame(|| {
                request_animation_frame(|| {
                    browser::set_root_attribute("data-ready", "true");
                    parts::fetch_all();
                })
            });
        }
        ready
    });
}

/// Whether no list is on its way.
fn rested(store: Store) -> bool {
    fn rests<T: Keyed>(collection: RwSignal<Collection<T>>) -> bool {
        collection.with(|collection| *collection.load() != Load::Loading)
    }
    rests(store.devices)
        && rests(store.containers)
        && rests(store.stacks)
        && rests(store.images)
        && rests(store.volumes)
        && rests(store.networks)
        && rests(store.activity)
}

fn failed<T: Keyed>(collection: &Collection<T>) -> bool {
    matches!(collection.load(), Load::Failed(_))
}
