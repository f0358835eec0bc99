//! Opening the row that an address names, and what pages say of rows elsewhere.

use super::OpenedRow;
pub use crate::tables::on_device::lookup;
use crate::{store::Collection, tables::on_device::ListedItem};
use flotilla_protocol::api::Row;
use leptos::prelude::*;
use std::sync::Arc;

/// The item that the address of a page names by device and place.
#[must_use]
pub fn row_at_address<T: ListedItem>(
    collection: RwSignal<Collection<Row<T>>>,
    opened: OpenedRow,
) -> Memo<Option<Arc<Row<T>>>> {
    Memo::new(move |_| {
        let (device, place) = opened.at.get()?;
        let wanted = |row: &&Arc<Row<T>>| {
            (row.device.as_str() == device || row.device_id.to_string() == device) && row.item.is_at(&place)
        };
        collection.with(|collection| collection.rows().values().find(wanted).cloned())
    })
}

/// A callback that gives device and place of the row of a key to another, such as [`OpenedRow::open`].
pub fn row_opener<T: ListedItem>(
    collection: RwSignal<Collection<Row<T>>>,
    open: Callback<(String, String)>,
) -> Callback<String> {
    Callback::new(move |key: String| {
        if let Some(row) = lookup(collection, &key) {
            open.run((row.device.to_string(), row.item.place().to_owned()));
        }
    })
}
