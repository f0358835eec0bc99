//! The page of one kind of inventory items: the table over all devices, and the panel of the opened row.

use super::{
    Details, EmptyText, InventoryTable, beside, content_of, opened_row, outdated, row_panel,
    rows::{row_at_address, row_opener},
};
use crate::{
    components::table::{RowAction, TableState},
    store::Collection,
    tables::on_device::{ListedItem, item_rows},
};
use flotilla_protocol::api::Row;
use leptos::prelude::*;
use std::sync::Arc;

/// What is specific to the page of a kind.
#[derive(Debug)]
pub struct ItemPage<T: ListedItem> {
    pub collection: RwSignal<Collection<Row<T>>>,
    pub empty_text: EmptyText,
    pub details: fn(&Row<T>) -> Details,
    pub actions: fn(&Arc<Row<T>>) -> Vec<RowAction>,
}

impl<T: ListedItem> ItemPage<T> {
    #[must_use]
    pub fn view(self) -> AnyView {
        let Self {
            collection,
            empty_text,
            ..
        } = self;
        let opened = opened_row(T::PAGE);
        let rows = item_rows(collection, Signal::derive(|| None));
        let table = TableState::new(rows, outdated());
        let found = row_at_address(collection, opened);
        let on_open = row_opener(collection, opened.open);
        let panel = row_panel(opened, found, self.details, self.actions);
        view! {
            <div class="with-drawer">
                <InventoryTable table content=content_of(collection) empty_text on_open beside=beside(collection, opened)/>
                {panel}
            </div>
        }
        .into_any()
    }
}
