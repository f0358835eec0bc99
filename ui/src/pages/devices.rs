//! The list of devices, and the dialog that adds one.

use crate::{
    actions::{DeviceObject, bulk_bar, fleet::ADD_DEVICE, row_menu},
    components::{
        anchor::Anchor,
        empty::EmptyState,
        focus::Opener,
        icon::lucide,
        loaded::Loaded,
        path_badge::PathFacts,
        popover::PopoverPanel,
        table::{DataTable, TableState},
    },
    copy::{devices as copy, mesh},
    frame::{PageActions, use_place},
    lazy_views,
    pages::{inventory_table::outdated, mesh::PathTest},
    store::{last_row, load_of, row, use_store},
    tables::devices::{PathPeek, address, device_rows},
};
use flotilla_protocol::id::DeviceId;
use leptos::prelude::*;
use leptos_router::hooks::use_navigate;

#[component]
pub fn DevicesPage() -> impl IntoView {
    let store = use_store();
    let place = use_place();
    let adding = Memo::new(move |_| place.with(|place| place.inner == "add"));
    let any = Memo::new(move |_| store.devices.with(|devices| !devices.rows().is_empty()));
    view! {
        // An empty list has this button in its content instead.
        <Show when=move || any.get() fallback=|| ()>
            <PageActions>{ADD_DEVICE.button()}</PageActions>
        </Show>
        <div class="table-page"><DevicesTable/></div>
        {move || adding.get().then(|| lazy_views::add_device().view())}
    }
}

#[component]
fn DevicesTable() -> impl IntoView {
    let store = use_store();
    let navigate = use_navigate();
    let peek = PathPeek(RwSignal::new(None));
    provide_context(peek);
    let table = TableState::new(device_rows(), outdated());
    let actions = row_menu::<DeviceObject>();
    let open = Callback::new(move |key: String| {
        if let Some(device) = untrack(|| store.lookup_device(&key)) {
            navigate(&address(&device), Default::default());
        }
    });
    let is_empty = Memo::new(move |_| store.devices.with(|devices| devices.rows().is_empty()));
    let body = move || {
        if is_empty.get() {
            return view! { <EmptyState glyph=lucide::SERVER title=copy::EMPTY text=copy::EMPTY_TEXT>{ADD_DEVICE.button()}</EmptyState> }.into_any();
        }
        let bulk = ViewFn::from(move || bulk_bar::<DeviceObject>(table));
        view! { <DataTable table actions=Some(actions.clone()) on_open=Some(open) bulk=Some(bulk)/> }
            .into_any()
    };
    view! {
        <Loaded load=load_of(store.devices) bones=6 sentence=copy::LOADING on_retry=move || store.reload()>
            {body.clone()}
        </Loaded>
        <PeekedPath peek/>
    }
}

/// The facts of a path, and its test, at the button in a row that asked for them.
#[component]
fn PeekedPath(peek: PathPeek) -> impl IntoView {
    let store = use_store();
    let PathPeek(peek) = peek;
    let panel = move |(to, anchor): (DeviceId, Anchor)| {
        let from = store
            .fleet
            .with_untracked(|fleet| fleet.as_ref().and_then(|fleet| fleet.this_computer))?;
        let first = row(store.paths, (from, to)).get_untracked()?;
        let name = mesh::between(first.from.as_str(), first.to.as_str());
        let path = last_row(store.paths, (from, to), first);
        let opener = StoredValue::new_local(Opener::now());
        let close = move |keyboard: bool| {
            peek.set(None);
            if keyboard {
                opener.get_value().give_back_soon();
            }
        };
        Some(view! {
            <PopoverPanel name anchor on_close=close>
                <PathFacts path/>
                <PathTest from to/>
            </PopoverPanel>
        })
    };
    move || peek.get().and_then(panel)
}
