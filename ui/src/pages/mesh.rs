//! The mesh: a map and a table of paths, and the access policy.

mod attempts;
mod explain;
mod graph;
mod layout;
mod map;
mod paths_panel;
mod policy;
mod round_trips;
mod table;
mod test_all;

pub(crate) use attempts::PathTest;
pub(crate) use round_trips::RoundTrips;
pub(crate) use table::{PathDialog, PathsTable};

use crate::{
    actions::fleet::ADD_DEVICE,
    components::{empty::EmptyState, icon::lucide, loaded::Loaded, tabs::Tabs},
    copy::{devices, mesh as copy},
    frame::use_place,
    store::use_store,
};
use leptos::prelude::*;
use leptos_router::hooks::use_navigate;
use map::MapView;
use policy::{PolicyDraft, PolicyView};

#[component]
pub fn MeshPage() -> impl IntoView {
    let store = use_store();
    store.ensure_devices();
    store.ensure_paths();
    store.ensure_relays();
    let place = use_place();
    let navigate = use_navigate();
    RoundTrips::provide();
    // The edited policy is kept while another tab is shown.
    let draft = PolicyDraft::new();
    let tab = Memo::new(move |_| place.with(|place| place.tab().to_owned()));
    let tabs = Signal::derive(move || place.with(|place| place.page.tabs()));
    let select = move |word: String| {
        let slash = if word.is_empty() { "" } else { "/" };
        navigate(&format!("/mesh{slash}{word}"), Default::default());
    };
    let panel = move || match tab.get().as_str() {
        "paths" => view! { <PathsTable only=None/> }.into_any(),
        "policy" => view! { <PolicyView draft/> }.into_any(),
        _ => view! { <MapPanel/> }.into_any(),
    };
    view! {
        <div class="page mesh">
            <Tabs label=copy::SECTIONS tabs selected=tab on_select=select>{panel}</Tabs>
        </div>
    }
}

#[component]
fn MapPanel() -> impl IntoView {
    let store = use_store();
    // A map of what is not known yet would say that there are no paths.
    let load = Memo::new(move |_| {
        let devices = store.devices.with(|devices| devices.load().clone());
        store.paths.with(|paths| {
            if devices.is_ready() {
                paths.load().clone()
            } else {
                devices
            }
        })
    });
    let count = Memo::new(move |_| store.devices.with(|devices| devices.rows().len()));
    let is_map = Memo::new(move |_| count.get() >= 2);
    view! {
        <Loaded load bones=6 height="2rem" sentence=copy::LOADING on_retry=move || store.reload()>
            {move || if is_map.get() { view! { <MapView/> }.into_any() } else { too_few(count.get()) }}
        </Loaded>
    }
}

/// The content of the map's place in a fleet of fewer than two devices.
fn too_few(count: usize) -> AnyView {
    let (title, text) = if count == 0 {
        (devices::EMPTY, devices::EMPTY_TEXT)
    } else {
        (copy::ONE, copy::ONE_TEXT)
    };
    view! {
        <EmptyState glyph=lucide::WAYPOINTS title=title.to_owned() text=text.to_owned()>
            {ADD_DEVICE.button()}
        </EmptyState>
    }
    .into_any()
}
