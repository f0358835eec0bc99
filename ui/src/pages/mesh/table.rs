//! The table of paths, with both directions of each pair of devices.

use super::{PathTest, RoundTrips, test_all::TestAll};
use crate::{
    actions::{PathObject, fleet::ADD_DEVICE, row_menu},
    components::{
        button::Button,
        dialog::Dialog,
        empty::EmptyState,
        icon::lucide,
        loaded::Loaded,
        path_badge::PathFacts,
        table::{DataTable, TableState},
    },
    copy::mesh as copy,
    pages::inventory_table::outdated,
    store::{last_row, load_of, row, use_store},
    tables::paths::{ends_of, path_rows},
};
use flotilla_protocol::id::DeviceId;
use leptos::prelude::*;

/// The table of all paths, or of those that begin at `only`.
#[component]
pub(crate) fn PathsTable(only: Option<DeviceId>) -> impl IntoView {
    let store = use_store();
    store.ensure_paths();
    let trips: Option<RoundTrips> = use_context();
    let trips_of = move |path: &_| trips.map(|trips| trips.of(path)).unwrap_or_default();
    let table = TableState::new(path_rows(only, trips_of), outdated());
    let opened = RwSignal::new(None::<(DeviceId, DeviceId)>);
    let open = Callback::new(move |key: String| opened.set(ends_of(&key)));
    let actions = row_menu::<PathObject>();
    let is_empty = Memo::new(move |_| store.paths.with(|paths| paths.rows().is_empty()));
    let body = move || {
        if is_empty.get() {
            return view! { <NoPaths/> }.into_any();
        }
        view! { <DataTable table actions=Some(actions.clone()) on_open=Some(open)/> }.into_any()
    };
    view! {
        <div class="table-page">
            {only.map(|from| view! { <TestAll from/> })}
            <Loaded load=load_of(store.paths) bones=8 sentence=copy::LOADING on_retry=move || store.reload()>
                {body.clone()}
            </Loaded>
        </div>
        {move || opened.get().map(|ends| view! { <PathDialog ends on_close=move || opened.set(None)/> })}
    }
}

/// Shown in place of the table: one device has no path, and two may have none yet.
#[component]
fn NoPaths() -> impl IntoView {
    let store = use_store();
    let few = Memo::new(move |_| {
        store.devices.with(|devices| {
            let enrolled = devices.rows().values().filter(|device| device.enrolled.is_some());
            devices.is_filled() && enrolled.count() < 2
        })
    });
    move || {
        if few.get() {
            view! {
                <EmptyState glyph=lucide::WAYPOINTS title=copy::ONE text=copy::ONE_TEXT>
                    {ADD_DEVICE.button()}
                </EmptyState>
            }
            .into_any()
        } else {
            view! { <EmptyState glyph=lucide::WAYPOINTS title=copy::NO_PATHS text=copy::NO_PATHS_TEXT/> }
                .into_any()
        }
    }
}

/// The dialog with the facts and the test of a path.
#[component]
pub(crate) fn PathDialog(ends: (DeviceId, DeviceId), #[prop(into)] on_close: Callback<()>) -> impl IntoView {
    let store = use_store();
    let first = row(store.paths, ends).get_untracked();
    first.map(|first| {
        let title = copy::between(first.from.as_str(), first.to.as_str());
        let path = last_row(store.paths, ends, first);
        view! {
            <Dialog title on_close>
                <div class="dialog-body">
                    <PathFacts path/>
                    <PathTest from=ends.0 to=ends.1/>
                </div>
                <footer class="dialog-foot"><Button label=copy::CLOSE on_press=move || on_close.run(())/></footer>
            </Dialog>
        }
    })
}
