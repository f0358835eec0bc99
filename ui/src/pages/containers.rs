//! The containers of the fleet.

mod facts;
pub(crate) mod pod;

use super::inventory_table::{
    EmptyText, InventoryTable, beside, content_of, opened_row, outdated, row_panel, rows,
};
use crate::{
    actions::{ContainerObject, bulk_bar, buttons, row_menu},
    components::{icon::lucide, table::TableState},
    copy::inventory_table as copy,
    store::use_store,
    tables::on_device::item_rows,
};
use flotilla_protocol::id::DeviceId;
use leptos::prelude::*;

const BASE: &str = "/containers";

#[component]
pub fn ContainersPage() -> impl IntoView {
    view! { <Containers only=Signal::derive(|| None)/> }
}

/// The table of containers, of all devices or of one.
#[component]
pub fn Containers(only: Signal<Option<DeviceId>>) -> impl IntoView {
    let store = use_store();
    store.ensure_containers();
    let opened = opened_row(BASE);
    let table = TableState::new(item_rows(store.containers, only), outdated());
    let on_open = rows::row_opener(store.containers, opened.open);
    let empty_text = EmptyText {
        glyph: lucide::BOX,
        title: copy::NO_CONTAINERS,
        text: copy::NO_CONTAINERS_TEXT,
    };
    let found = rows::row_at_address(store.containers, opened);
    let panel = row_panel(opened, found, facts::details, Some(buttons::<ContainerObject>));
    let (actions, bulk) = (Some(row_menu::<ContainerObject>()), bulk_bar::<ContainerObject>);
    view! {
        <div class="with-drawer">
            <InventoryTable table content=content_of(store.containers) empty_text actions on_open
                beside=beside(store.containers, opened) bulk/>
            {panel}
        </div>
    }
}
