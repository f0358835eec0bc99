//! Rows of inventory items from the store. A row is made again only if its item or its device changed.

use super::OpenedRow;
use crate::{
    components::{
        age::AgeLabel,
        badge::{Status, status_badge},
        table::{Dash, RowAction, Rows, TableRow},
    },
    copy::inventory_table as copy,
    query::{Key, Subject},
    store::{Collection, InventoryItem, ItemKey, Keyed, use_store},
};
use flotilla_protocol::{
    Timestamp,
    api::Row,
    device::{Device, DeviceStatus},
    id::DeviceId,
    inventory::EngineState,
};
use leptos::prelude::*;
use std::{collections::BTreeMap, net::Ipv4Addr, sync::Arc};

/// What rows need of their device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceSummary {
    pub name: String,
    pub online: bool,
    /// Present if the engine cannot be used, so that rows are stale although the device is online; with the moment
    /// since when, if that is known.
    pub engine_unusable: Option<Option<Timestamp>>,
    pub tags: Vec<String>,
    /// The mesh address, once the device is loaded.
    pub mesh_ip: Option<Ipv4Addr>,
}

type DeviceSummaries = Arc<BTreeMap<DeviceId, Arc<DeviceSummary>>>;

/// An inventory item with what its row needs of its device.
#[derive(Debug, Clone)]
pub struct ItemOnDevice<T: InventoryItem> {
    pub row: Arc<Row<T>>,
    pub device: Arc<DeviceSummary>,
    pub key: String,
}

impl<T: InventoryItem> ItemOnDevice<T> {
    /// The moment up to which the row is known to be right, if its device or its engine cannot be asked now.
    #[must_use]
    pub fn stale_since(&self) -> Option<Timestamp> {
        match self.device.engine_unusable {
            _ if !self.device.online => Some(self.row.as_of),
            Some(since) => Some(since.unwrap_or(self.row.as_of)),
            None => None,
        }
    }

    /// The subject of filters: these texts, and the device and its tags, which every row has.
    #[must_use]
    pub fn subject<'a>(&'a self, texts: impl IntoIterator<Item = &'a str>) -> Subject {
        let subject = Subject::new(texts.into_iter().chain([self.device.name.as_str()]));
        let subject = subject.with(Key::Device, &self.device.name);
        self.device
            .tags
            .iter()
            .fold(subject, |subject, tag| subject.with(Key::Tag, tag))
    }

    /// A link to the device.
    #[must_use]
    pub fn device_cell(&self) -> AnyView {
        let name = self.device.name.clone();
        let address = format!("/devices/{name}");
        view! {
            <a class="plain" href=address tabindex="-1" on:click=|event| event.stop_propagation()>{name}</a>
        }
        .into_any()
    }

    /// A status, muted with a clock if the row is stale.
    #[must_use]
    pub fn status_cell(&self, status: &Status) -> AnyView {
        status_badge(status, false, self.stale_since().is_some())
    }
}

/// A text, or a dash if it is empty or absent.
#[must_use]
pub fn text_cell(text: Option<&str>) -> AnyView {
    match text.filter(|text| !text.is_empty()) {
        Some(text) => view! { <span>{text.to_owned()}</span> }.into_any(),
        None => view! { <Dash/> }.into_any(),
    }
}

/// A name, in the style of the first column.
#[must_use]
pub fn name_cell(name: &str) -> AnyView {
    view! { <span class="name">{name.to_owned()}</span> }.into_any()
}

#[must_use]
pub fn mono_cell(text: Option<&str>) -> AnyView {
    view! { <span class="mono">{text_cell(text)}</span> }.into_any()
}

/// The age of a moment, or "Unknown" if the engine does not report it.
#[must_use]
pub fn date_cell(moment: Option<Timestamp>) -> AnyView {
    match moment {
        Some(moment) => age_cell(Some(moment)),
        None => copy::UNKNOWN.into_any(),
    }
}

#[must_use]
pub fn age_cell(moment: Option<Timestamp>) -> AnyView {
    match moment {
        Some(moment) => view! { <AgeLabel moment/> }.into_any(),
        None => view! { <Dash/> }.into_any(),
    }
}

/// What rows need of all devices. It changes only if a row would change.
#[must_use]
pub fn device_summaries() -> Memo<DeviceSummaries> {
    let store = use_store();
    Memo::new(move |previous: Option<&DeviceSummaries>| {
        let summaries: BTreeMap<_, _> = store.devices.with(|devices| {
            devices
                .rows()
                .iter()
                .map(|(id, device)| (*id, Arc::new(summary_of(device))))
                .collect()
        });
        match previous {
            Some(previous) if **previous == summaries => previous.clone(),
            _ => Arc::new(summaries),
        }
    })
}

fn summary_of(device: &Device) -> DeviceSummary {
    let engine = device.engine.as_ref().filter(|engine| engine.reason().is_some());
    DeviceSummary {
        name: device.name.to_string(),
        online: device.status == DeviceStatus::Online,
        engine_unusable: engine.map(EngineState::since),
        tags: device.tags.iter().map(ToString::to_string).collect(),
        mesh_ip: Some(device.mesh_ip),
    }
}

/// Items and the rows made of them, in the order of their keys.
type CachedRows<T> = Vec<(ItemKey, Arc<Row<T>>, Arc<dyn TableRow>)>;

/// The rows of a kind of items, of one device or of all.
pub fn rows_of<T, R>(
    collection: RwSignal<Collection<Row<T>>>,
    only: Signal<Option<DeviceId>>,
    make: fn(ItemOnDevice<T>) -> R,
) -> Memo<Rows>
where
    T: InventoryItem,
    R: TableRow + 'static,
{
    let summaries = device_summaries();
    let cache: StoredValue<(DeviceSummaries, CachedRows<T>)> = StoredValue::new(Default::default());
    Memo::new(move |_| {
        let summaries = summaries.get();
        let only = only.get();
        let known = cache.try_update_value(std::mem::take).unwrap_or_default();
        let known = if known.0 == summaries { known.1 } else { Vec::new() };
        let fresh = collection.with(|collection| refreshed(collection, known, &summaries, only, make));
        let rows = Rows(Arc::new(fresh.iter().map(|(_, _, row)| row.clone()).collect()));
        cache.try_update_value(|cache| *cache = (summaries, fresh));
        rows
    })
}

fn refreshed<T: InventoryItem, R: TableRow + 'static>(
    collection: &Collection<Row<T>>,
    known: CachedRows<T>,
    summaries: &DeviceSummaries,
    only: Option<DeviceId>,
    make: fn(ItemOnDevice<T>) -> R,
) -> CachedRows<T> {
    let mut known = known.into_iter().peekable();
    let wanted = collection
        .rows()
        .iter()
        .filter(|(key, _)| only.is_none_or(|only| key.device == only));
    let row = |(key, row): (&ItemKey, &Arc<Row<T>>)| {
        while known.next_if(|(old, _, _)| old < key).is_some() {}
        match known.next_if(|(old, thing, _)| old == key && Arc::ptr_eq(thing, row)) {
            Some(same) => same,
            None => (
                key.clone(),
                row.clone(),
                Arc::new(make(item_of(row, summaries))) as Arc<dyn TableRow>,
            ),
        }
    };
    wanted.map(row).collect()
}

fn item_of<T: InventoryItem>(row: &Arc<Row<T>>, summaries: &DeviceSummaries) -> ItemOnDevice<T> {
    let unknown = || DeviceSummary {
        name: row.device.to_string(),
        online: true,
        engine_unusable: None,
        tags: Vec::new(),
        mesh_ip: None,
    };
    let device = summaries
        .get(&row.device_id)
        .cloned()
        .unwrap_or_else(|| Arc::new(unknown()));
    ItemOnDevice {
        row: row.clone(),
        device,
        key: row.key().to_string(),
    }
}

/// The item of a row's key.
pub fn lookup<T: InventoryItem>(collection: RwSignal<Collection<Row<T>>>, key: &str) -> Option<Arc<Row<T>>> {
    let (device, key) = key.split_once('/')?;
    let key = ItemKey {
        device: device.parse().ok()?,
        key: key.into(),
    };
    collection.with_untracked(|collection| collection.rows().get(&key).cloned())
}

/// An action that copies a text to the clipboard.
#[must_use]
pub fn clipboard_action(label: String, text: String) -> RowAction {
    RowAction {
        label,
        glyph: crate::components::icon::lucide::COPY,
        reason: None,
        run: Callback::new(move |()| {
            crate::browser::copy_to_clipboard(&text);
        }),
    }
}

/// The item that the address of a page names by device and key.
pub fn row_at_address<T: InventoryItem>(
    collection: RwSignal<Collection<Row<T>>>,
    opened: OpenedRow,
    is: impl Fn(&T, &str) -> bool + Send + Sync + 'static,
) -> Memo<Option<Arc<Row<T>>>> {
    Memo::new(move |_| {
        let (device, key) = opened.at.get()?;
        let wanted = |row: &&Arc<Row<T>>| {
            (row.device.as_str() == device || row.device_id.to_string() == device) && is(&row.item, &key)
        };
        collection.with(|collection| collection.rows().values().find(wanted).cloned())
    })
}

/// A callback that opens the row of a key by its address.
pub fn row_opener<T: InventoryItem>(
    collection: RwSignal<Collection<Row<T>>>,
    opened: OpenedRow,
    key_of: fn(&T) -> &str,
) -> Callback<String> {
    Callback::new(move |key: String| {
        if let Some(row) = lookup(collection, &key) {
            let key = key_of(&row.item).to_owned();
            opened.open.run((row.device.to_string(), key));
        }
    })
}
