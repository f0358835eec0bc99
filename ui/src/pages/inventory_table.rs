//! What the tables over all devices have in common: rows from the store, the Device choice, the chip of devices that
//! cannot be reached, and what stands there while there are no rows.

mod details;
mod device_choice;
mod item_page;
pub mod rows;
mod unreachable;

pub use details::{Drawer, Fact, OpenedRow, listed, opened_row};
pub use item_page::{Details, ItemPage};

use crate::{
    api::Failure,
    components::{
        empty::EmptyState,
        error_state::ErrorState,
        icon::{Glyph, lucide},
        skeleton::Skeleton,
        table::{DataTable, RowActions, Rows, TableSpec, TableState},
    },
    copy::inventory_table as copy,
    store::{Collection, Contact, InventoryItem, Load, use_store},
};
use device_choice::DeviceChoice;
use flotilla_protocol::{Timestamp, api::Row};
use leptos::prelude::*;
use leptos_router::hooks::use_navigate;
use unreachable::Unreachable;

/// What a page has to show.
#[derive(Debug, Clone, PartialEq)]
pub enum TableContent {
    Loading,
    Failed(Failure),
    /// There is nothing of this kind, and no device to have any.
    NoDevices,
    Empty,
    Rows,
}

/// What to show of a collection that is loaded for the first time.
pub fn content_of<T: InventoryItem>(collection: RwSignal<Collection<Row<T>>>) -> Memo<TableContent> {
    let store = use_store();
    Memo::new(move |_| {
        let devices = store
            .devices
            .with(|devices| !devices.is_filled() || !devices.rows().is_empty());
        collection.with(|collection| match collection.load() {
            _ if !collection.rows().is_empty() => TableContent::Rows,
            Load::Failed(failure) if !collection.is_filled() => TableContent::Failed(failure.clone()),
            _ if !collection.is_filled() => TableContent::Loading,
            _ if !devices => TableContent::NoDevices,
            _ => TableContent::Empty,
        })
    })
}

/// What a page says when it has no rows, though there are devices.
#[derive(Debug, Clone, Copy)]
pub struct EmptyText {
    pub glyph: Glyph,
    pub title: &'static str,
    pub text: &'static str,
}

/// Since when what is shown cannot be kept true, if the controller is out of reach.
#[must_use]
pub fn outdated() -> Signal<Option<Timestamp>> {
    let store = use_store();
    Signal::derive(move || match store.contact.get() {
        Contact::Lost { last, .. } => Some(last),
        Contact::Connecting | Contact::Held => None,
    })
}

/// A whole page of this kind.
#[component]
pub fn InventoryTable(
    spec: &'static TableSpec,
    #[prop(into)] content: Signal<TableContent>,
    #[prop(into)] rows: Signal<Rows>,
    empty_text: EmptyText,
    #[prop(optional)] actions: Option<RowActions>,
    #[prop(optional)] on_open: Option<Callback<String>>,
    /// What can be done with selected rows; told the table they are selected in.
    #[prop(optional)]
    bulk: Option<fn(TableState) -> AnyView>,
) -> impl IntoView {
    let store = use_store();
    let outdated = outdated();
    let table = TableState::new(spec, rows, outdated);
    let body = move || match content.get() {
        TableContent::Loading => view! { <Skeleton bones=12 sentence=copy::loading(spec.many)/> }.into_any(),
        TableContent::Failed(failure) => {
            view! { <ErrorState message=failure.to_string() on_retry=move || store.reload()/> }.into_any()
        }
        TableContent::NoDevices => view! { <NoDevices/> }.into_any(),
        TableContent::Empty => {
            let EmptyText { glyph, title, text } = empty_text;
            view! { <EmptyState glyph title text/> }.into_any()
        }
        TableContent::Rows => {
            let bulk = bulk.map(|bulk| ViewFn::from(move || bulk(table)));
            let scope = Some(view! { <DeviceChoice table/> }.into_any());
            let notice = Some(view! { <Unreachable/> }.into_any());
            view! { <DataTable table scope notice actions=actions.clone() on_open bulk/> }.into_any()
        }
    };
    view! { <div class="table-page">{body}</div> }
}

/// What a Docker page says before there is any device.
#[component]
fn NoDevices() -> impl IntoView {
    let navigate = use_navigate();
    let add = move || navigate("/devices/add", Default::default());
    view! {
        <EmptyState glyph=lucide::BOXES title=copy::NO_DEVICES text=copy::NO_DEVICES_TEXT>
            <crate::components::button::Button label=copy::ADD_DEVICE kind=crate::components::button::ButtonKind::Primary on_press=add/>
        </EmptyState>
    }
}
