//! The list of devices, and the dialog that adds one.

mod bulk;

use crate::{
    components::{
        anchor::Anchor,
        button::{Button, ButtonKind},
        empty::EmptyState,
        focus::Opener,
        icon::lucide,
        loaded::Loaded,
        path_badge::PathFacts,
        popover::PopoverPanel,
        table::{DataTable, RowAction, RowActions, TableState},
    },
    copy::{devices as copy, mesh},
    frame::{PageActions, use_place},
    lazy_views,
    pages::{
        inventory_table::{outdated, rows},
        mesh::PathTest,
    },
    registry::ADD_DEVICE as ADD,
    store::{load_of, use_store},
    tables::devices::{PathPeek, address, device_rows},
};
use bulk::Bulk;
use flotilla_protocol::{
    device::{Device, DeviceStatus},
    id::DeviceId,
};
use leptos::prelude::*;
use leptos_router::hooks::use_navigate;
use std::sync::Arc;

#[component]
pub fn DevicesPage() -> impl IntoView {
    let store = use_store();
    let place = use_place();
    let adding = Memo::new(move |_| place.with(|place| place.inner == "add"));
    let any = Memo::new(move |_| store.devices.with(|devices| !devices.rows().is_empty()));
    view! {
        // An empty list has this button in its content instead.
        <Show when=move || any.get() fallback=|| ()>
            <PageActions><AddButton/></PageActions>
        </Show>
        <div class="table-page"><DevicesTable/></div>
        {move || adding.get().then(|| lazy_views::add_device().view())}
    }
}

#[component]
fn AddButton() -> impl IntoView {
    let navigate = use_navigate();
    let add = move || navigate(ADD, Default::default());
    view! { <Button label=copy::ADD kind=ButtonKind::Primary glyph=lucide::PLUS on_press=add/> }
}

#[component]
fn DevicesTable() -> impl IntoView {
    let store = use_store();
    let navigate = use_navigate();
    let peek = PathPeek(RwSignal::new(None));
    provide_context(peek);
    let table = TableState::new(device_rows(), outdated());
    let bulk = Bulk::new(table);
    let actions: RowActions = {
        let navigate = navigate.clone();
        let go = Callback::new(move |path: String| navigate(&path, Default::default()));
        Arc::new(move |key| {
            store
                .lookup_device(key)
                .map(|device| actions_of(&device, go))
                .unwrap_or_default()
        })
    };
    let open = Callback::new(move |key: String| {
        if let Some(device) = untrack(|| store.lookup_device(&key)) {
            navigate(&address(&device), Default::default());
        }
    });
    let is_empty = Memo::new(move |_| store.devices.with(|devices| devices.rows().is_empty()));
    let body = move || {
        if is_empty.get() {
            return view! { <EmptyState glyph=lucide::SERVER title=copy::EMPTY text=copy::EMPTY_TEXT><AddButton/></EmptyState> }.into_any();
        }
        let buttons = ViewFn::from(move || bulk.buttons());
        view! { <DataTable table actions=Some(actions.clone()) on_open=Some(open) bulk=Some(buttons)/> }
            .into_any()
    };
    view! {
        <Loaded load=load_of(store.devices) bones=6 sentence=copy::LOADING on_retry=move || store.reload()>
            {body.clone()}
        </Loaded>
        {bulk.dialog()}
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
        let path = Memo::new(move |_| store.paths.with(|paths| paths.rows().get(&(from, to)).cloned()));
        let first = path.get_untracked()?;
        let name = mesh::between(first.from.as_str(), first.to.as_str());
        let path = Signal::derive(move || path.get().unwrap_or_else(|| first.clone()));
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

fn actions_of(device: &Device, go: Callback<String>) -> Vec<RowAction> {
    let to = |label: &str, glyph, path: String| RowAction {
        label: label.to_owned(),
        glyph,
        reason: None,
        run: Callback::new(move |()| go.run(path.clone())),
    };
    let id = device.id;
    let mut actions = vec![to(copy::OPEN, lucide::SERVER, format!("/devices/{id}"))];
    if device.status == DeviceStatus::Pending {
        actions.push(to(
            copy::ENROLLMENT,
            lucide::HOURGLASS,
            format!("{ADD}?device={id}"),
        ));
    } else {
        actions.push(to(
            copy::CONTAINERS,
            lucide::BOX,
            format!("/containers?q=device:{}", device.name),
        ));
        actions.push(to(
            copy::TRUST,
            lucide::SHIELD_CHECK,
            format!("/devices/{id}/trust"),
        ));
    }
    actions.push(rows::clipboard_action(
        copy::COPY_ADDRESS.to_owned(),
        device.mesh_ip.to_string(),
    ));
    actions
}
