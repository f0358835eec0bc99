//! Tables of inventory items over all devices. They have rows from the store, the Device choice, the chip of
//! unreachable devices, and content for when there are no rows.

mod details;
mod device_choice;
mod item_page;
pub mod rows;
mod unreachable;

pub use details::{Below, Buttons, Details, OpenedRow, date, device_link, opened_row, row_panel};
pub use item_page::{ItemActions, ItemPage};

use crate::{
    actions::fleet::ADD_DEVICE,
    components::{
        button::Button,
        empty::EmptyState,
        icon::{Glyph, lucide},
        loaded::Loaded,
        table::{Beside, DataTable, RowActions, TableState},
    },
    copy::inventory_table as copy,
    store::{Collection, Contact, InventoryItem, Load, use_store},
    tables::on_device::ListedItem,
};
use device_choice::DeviceChoice;
use flotilla_protocol::{Timestamp, api::Row, device::DeviceStatus};
use leptos::prelude::*;
use unreachable::Unreachable;

/// What a page with such a table shows, and how far its loading has come.
#[derive(Debug, Clone, PartialEq)]
pub struct TableContent {
    load: Load,
    body: TableBody,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TableBody {
    /// There are no items, and no devices.
    NoDevices,
    /// There are no items, and no device can be asked.
    NoAnswer,
    Empty,
    Rows,
}

/// What a page shows of a collection.
pub fn content_of<T: InventoryItem>(collection: RwSignal<Collection<Row<T>>>) -> Memo<TableContent> {
    let store = use_store();
    Memo::new(move |_| {
        let (devices, any_online) = store.devices.with(|devices| {
            let mut enrolled = devices.rows().values().filter(|device| device.enrolled.is_some());
            let filled = devices.is_filled();
            (
                !filled || !devices.rows().is_empty(),
                !filled || enrolled.any(|device| device.status == DeviceStatus::Online),
            )
        });
        collection.with(|collection| TableContent {
            load: collection.load().clone(),
            body: match collection.rows().is_empty() {
                false => TableBody::Rows,
                true if !devices => TableBody::NoDevices,
                true if !any_online => TableBody::NoAnswer,
                true => TableBody::Empty,
            },
        })
    })
}

/// The texts of a page without items in a fleet with devices.
#[derive(Debug, Clone, Copy)]
pub struct EmptyText {
    pub glyph: Glyph,
    pub title: &'static str,
    pub text: &'static str,
}

/// The moment since which no changes arrive, while the controller is out of reach.
#[must_use]
pub fn outdated() -> Signal<Option<Timestamp>> {
    let store = use_store();
    Signal::derive(move || match store.contact.get() {
        Contact::Lost { last, .. } => Some(last),
        Contact::Connecting | Contact::Held => None,
    })
}

/// The panel of the opened row, as the table moves it.
pub fn beside<T: ListedItem>(collection: RwSignal<Collection<Row<T>>>, opened: OpenedRow) -> Beside {
    Beside {
        is_open: Signal::derive(move || opened.at.with(Option::is_some)),
        show: rows::row_opener(collection, opened.show),
    }
}

/// The table, or what is shown in its place.
#[component]
pub fn InventoryTable(
    table: TableState,
    #[prop(into)] content: Signal<TableContent>,
    empty_text: EmptyText,
    #[prop(optional_no_strip)] actions: Option<RowActions>,
    #[prop(optional)] on_open: Option<Callback<String>>,
    beside: Beside,
    /// The buttons for selected rows, for the state of the table.
    #[prop(optional_no_strip)]
    bulk: Option<fn(TableState) -> AnyView>,
) -> impl IntoView {
    let store = use_store();
    let load = Memo::new(move |_| content.with(|content| content.load.clone()));
    let shown = Memo::new(move |_| content.with(|content| content.body));
    let body = move || match shown.get() {
        TableBody::NoDevices => view! { <NoDevices/> }.into_any(),
        TableBody::NoAnswer => view! { <NoAnswer/> }.into_any(),
        TableBody::Empty => {
            let EmptyText { glyph, title, text } = empty_text;
            view! { <EmptyState glyph title text/> }.into_any()
        }
        TableBody::Rows => {
            let bulk = bulk.map(|bulk| ViewFn::from(move || bulk(table)));
            let scope = Some(view! { <DeviceChoice table/> }.into_any());
            let notice = Some(view! { <Unreachable/> }.into_any());
            let beside = Some(beside);
            view! { <DataTable table scope notice actions=actions.clone() on_open beside bulk/> }.into_any()
        }
    };
    let retry = move || store.reload();
    view! {
        <div class="table-page">
            <Loaded load bones=12 sentence=copy::loading(table.about().many) on_retry=retry>{body.clone()}</Loaded>
        </div>
    }
}

/// The content of an inventory page whose devices can none of them be asked.
#[component]
fn NoAnswer() -> impl IntoView {
    let store = use_store();
    view! {
        <EmptyState glyph=lucide::UNPLUG title=copy::NO_ANSWER text=copy::NO_ANSWER_TEXT>
            <Button label=copy::RETRY glyph=lucide::REFRESH_CW on_press=move || store.reload()/>
        </EmptyState>
    }
}

/// The content of an inventory page in a fleet without devices.
#[component]
fn NoDevices() -> impl IntoView {
    view! {
        <EmptyState glyph=lucide::BOXES title=copy::NO_DEVICES text=copy::NO_DEVICES_TEXT>
            {ADD_DEVICE.button()}
        </EmptyState>
    }
}
