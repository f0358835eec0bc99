//! The page of one kind of inventory items: the table over all devices, and the panel of the opened row.

use super::{
    Details, EmptyText, InventoryTable, content_of, opened_row, row_panel,
    rows::{ItemOnDevice, row_at_address, row_opener, rows_of},
};
use crate::{
    components::table::{RowAction, TableRow, TableSpec},
    store::{Collection, InventoryItem},
};
use flotilla_protocol::api::Row;
use leptos::prelude::*;
use std::sync::Arc;

/// What is specific to the page of a kind.
#[derive(Debug)]
pub struct ItemPage<T: InventoryItem, R> {
    pub spec: &'static TableSpec,
    pub address: &'static str,
    pub collection: RwSignal<Collection<Row<T>>>,
    pub empty_text: EmptyText,
    pub row: fn(ItemOnDevice<T>) -> R,
    /// What names an item of a device in the address.
    pub key: fn(&T) -> &str,
    pub details: fn(&Row<T>) -> Details,
    pub actions: fn(&Arc<Row<T>>) -> Vec<RowAction>,
}

impl<T: InventoryItem, R: TableRow + 'static> ItemPage<T, R> {
    #[must_use]
    pub fn view(self) -> AnyView {
        let Self {
            spec,
            collection,
            empty_text,
            key,
            ..
        } = self;
        let opened = opened_row(self.address);
        let rows = rows_of(collection, Signal::derive(|| None), self.row);
        let found = row_at_address(collection, opened, move |item, wanted| key(item) == wanted);
        let on_open = row_opener(collection, opened, key);
        let panel = row_panel(opened, found, self.details, self.actions);
        view! {
            <div class="with-drawer">
                <InventoryTable spec content=content_of(collection) rows empty_text on_open/>
                {panel}
            </div>
        }
        .into_any()
    }
}
