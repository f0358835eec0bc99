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
pub(crate) use table::PathsTable;

use crate::{
    components::{
        button::{Button, ButtonKind},
        empty::EmptyState,
        error_state::ErrorState,
        icon::lucide,
        skeleton::Skeleton,
        tabs::Tabs,
    },
    copy::{devices, mesh as copy},
    frame::use_place,
    store::{Load, use_store},
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

/// What the panel of the map shows.
#[derive(Debug, Clone, PartialEq)]
enum MapContent {
    Loading,
    Failed(String),
    /// There are fewer than two devices: this many.
    TooFew(usize),
    Map,
}

#[component]
fn MapPanel() -> impl IntoView {
    let store = use_store();
    let navigate = use_navigate();
    let content = Memo::new(move |_| {
        let devices = store
            .devices
            .with(|devices| devices.is_filled().then(|| devices.rows().len()));
        store.paths.with(|paths| match (devices, paths.load()) {
            (Some(few @ 0..2), _) => MapContent::TooFew(few),
            (Some(_), _) if paths.is_filled() => MapContent::Map,
            (_, Load::Failed(failure)) => MapContent::Failed(failure.to_string()),
            _ => MapContent::Loading,
        })
    });
    move || match content.get() {
        MapContent::Loading => view! { <Skeleton bones=6 height="2rem" sentence=copy::LOADING/> }.into_any(),
        MapContent::Failed(message) => {
            view! { <ErrorState message on_retry=move || store.reload()/> }.into_any()
        }
        MapContent::TooFew(count) => {
            let (title, text) = if count == 0 {
                (devices::EMPTY, devices::EMPTY_TEXT)
            } else {
                (copy::ONE, copy::ONE_TEXT)
            };
            let navigate = navigate.clone();
            let add = move || navigate("/devices/add", Default::default());
            view! {
                <EmptyState glyph=lucide::WAYPOINTS title=title.to_owned() text=text.to_owned()>
                    <Button label=devices::ADD kind=ButtonKind::Primary on_press=add/>
                </EmptyState>
            }
            .into_any()
        }
        MapContent::Map => view! { <MapView/> }.into_any(),
    }
}
