//! Rows of items that an engine holds: containers, stacks, images, volumes and networks. Each belongs to a device,
//! which such tables show in one and the same column.

use crate::{
    address,
    components::{
        badge::{Status, status_badge},
        table::{Column, Narrow, Same, SortKey, Table, TableRow, TableRows, Unit, mono_cell, rows_of},
    },
    copy::items as words,
    format,
    query::Key,
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

/// A kind of item with a table.
pub trait ListedItem: InventoryItem {
    /// What a row computes once.
    type Derived: Send + Sync + 'static;
    /// The address of the page with the table.
    const PAGE: &'static str;
    /// The first tab of the page that an item of this kind has to itself, if it has one.
    const TAB: Option<&'static str> = None;
    fn table() -> &'static Table<ItemRow<Self>>;
    fn derive(item: &Self, device: &DeviceSummary) -> Self::Derived;
    /// The name for people.
    fn name(row: &ItemRow<Self>) -> &str;
    /// What names the item of a device in the address.
    fn place(&self) -> &str;
    /// Whether an address with this place means the item.
    fn is_at(&self, place: &str) -> bool {
        self.place() == place
    }
    /// The state, for the accessible name of the row.
    fn state(row: &ItemRow<Self>) -> String;
    /// What follows name, state and device in the accessible name of the row.
    fn remark(_: &ItemRow<Self>) -> Option<String> {
        None
    }
    /// The unit of rows that the row belongs to, if any.
    fn unit(_: &ItemRow<Self>) -> Option<Unit<'_>> {
        None
    }
}

/// An item with its device, and with what the row computes once.
#[derive(Debug)]
pub struct ItemRow<T: ListedItem> {
    pub row: Arc<Row<T>>,
    pub device: Arc<DeviceSummary>,
    pub derived: T::Derived,
    key: String,
}

impl<T: ListedItem> ItemRow<T> {
    #[must_use]
    pub fn new(row: Arc<Row<T>>, device: Arc<DeviceSummary>) -> Self {
        Self {
            derived: T::derive(&row.item, &device),
            key: row.key().to_string(),
            row,
            device,
        }
    }

    #[must_use]
    pub fn item(&self) -> &T {
        &self.row.item
    }

    /// A status, muted with a clock if the row is stale.
    #[must_use]
    pub fn status_cell(&self, status: &Status) -> AnyView {
        status_badge(status, false, self.stale_since().is_some())
    }
}

impl<T: ListedItem> TableRow for ItemRow<T> {
    fn table() -> &'static Table<Self> {
        T::table()
    }
    fn key(&self) -> &str {
        &self.key
    }
    fn label(&self) -> String {
        let remark = T::remark(self).map(|remark| format!(", {remark}"));
        let (name, state, device) = (T::name(self), T::state(self), &self.device.name);
        format!("{name}, {state}, {device}{}", remark.unwrap_or_default())
    }
    fn name(&self) -> &str {
        T::name(self)
    }
    fn address(&self) -> Option<String> {
        // The name of an item with a page of its own links there, and the row opens the panel.
        T::TAB.is_none().then(|| address_of(&self.row))
    }
    /// The moment up to which the row is known to be right, if its device or its engine cannot be asked now.
    fn stale_since(&self) -> Option<Timestamp> {
        match self.device.engine_unusable {
            _ if !self.device.online => Some(self.row.as_of),
            Some(since) => Some(since.unwrap_or(self.row.as_of)),
            None => None,
        }
    }
    fn unit(&self) -> Option<Unit<'_>> {
        T::unit(self)
    }
}

/// The column with the device of a row, by whose tags rows are found, too.
#[must_use]
pub const fn device_column<T: ListedItem>(title: &'static str, width: f64) -> Column<ItemRow<T>> {
    Column::<ItemRow<T>>::text("device", title, width, |row| &row.device.name)
        .cell(device_link)
        .fact(Key::Device, |row, fact| fact(&row.device.name))
        .fact(Key::Tag, |row, fact| {
            row.device.tags.iter().for_each(|tag| fact(tag));
        })
        .narrow(Narrow::Below)
}

/// The column with the engine's id of an item, shortened, for those who want it shown.
#[must_use]
pub const fn id_column<T: ListedItem>() -> Column<ItemRow<T>> {
    Column::<ItemRow<T>>::view(
        "id",
        words::ID,
        8.0,
        |row| mono_cell(Some(format::short_id(row.item().item_key()))),
        |row| SortKey::Text(row.item().item_key()),
    )
    .fixed()
    .hidden()
}

/// The keys of the Device choice beside the filter field.
pub const DEVICE_SCOPE: &[Key] = &[Key::Device, Key::Tag];

fn device_link<T: ListedItem>(row: &ItemRow<T>) -> AnyView {
    let address = format!("/devices/{}", device_in_address(&row.row));
    view! { <a class="plain" href=address tabindex="-1">{row.device.name.clone()}</a> }.into_any()
}

/// What names the device of a row in an address: its name, or its id where the name could be the id of another device.
#[must_use]
pub fn device_in_address<T>(row: &Row<T>) -> String {
    let reads_as_id = row.device.as_str().parse::<DeviceId>().is_ok();
    if reads_as_id {
        row.device_id.to_string()
    } else {
        row.device.to_string()
    }
}

/// The address of an item: its panel beside the table of its kind.
#[must_use]
pub fn address_of<T: ListedItem>(row: &Row<T>) -> String {
    address::item(T::PAGE, &device_in_address(row), row.item.place())
}

/// The address of the item's own page, or of its panel where it has none.
#[must_use]
pub fn page_of<T: ListedItem>(row: &Row<T>) -> String {
    within::<T>(&device_in_address(row), &row.item)
}

/// The same with the device as it is named in the address.
#[must_use]
pub fn within<T: ListedItem>(device: &str, item: &T) -> String {
    let panel = address::item(T::PAGE, device, item.place());
    T::TAB.map_or_else(|| panel.clone(), |tab| format!("{panel}/{tab}"))
}

/// What rows need of all devices. It changes only if a row would change.
#[must_use]
pub fn device_summaries() -> Memo<DeviceSummaries> {
    let store = use_store();
    Memo::new(move |previous: Option<&DeviceSummaries>| {
        // A device of which nothing changed keeps its `Arc`, by which its rows know that they need not be made again.
        let known = |id: &DeviceId, new: &DeviceSummary| {
            let known = previous.and_then(|previous| previous.get(id));
            known.filter(|known| ***known == *new).cloned()
        };
        let summary = |(id, device): (&DeviceId, &Arc<Device>)| {
            let new = summary_of(device);
            (*id, known(id, &new).unwrap_or_else(|| Arc::new(new)))
        };
        let summaries: BTreeMap<_, _> = store
            .devices
            .with(|devices| devices.rows().iter().map(summary).collect());
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

/// The rows of a kind of items, of one device or of all.
pub fn item_rows<T: ListedItem>(
    collection: RwSignal<Collection<Row<T>>>,
    only: Signal<Option<DeviceId>>,
) -> TableRows<ItemRow<T>> {
    let summaries = device_summaries();
    let sources = move || {
        let (summaries, only) = (summaries.get(), only.get());
        let source = |(key, row): (&ItemKey, &Arc<Row<T>>)| {
            let device = summaries.get(&key.device).cloned();
            (key.clone(), (Same(row.clone()), device.map(Same)))
        };
        collection.with(|collection| {
            let rows = collection.rows().iter();
            let wanted = rows.filter(|(key, _)| only.is_none_or(|only| key.device == only));
            wanted.map(source).collect()
        })
    };
    rows_of(
        sources,
        |(Same(row), device): &(Same<Row<T>>, Option<Same<DeviceSummary>>)| {
            let device = device.as_ref().map(|Same(device)| device.clone());
            ItemRow::new(row.clone(), device.unwrap_or_else(|| unknown_device(row)))
        },
    )
}

/// The summary of a device that is not loaded.
fn unknown_device<T>(row: &Row<T>) -> Arc<DeviceSummary> {
    Arc::new(DeviceSummary {
        name: row.device.to_string(),
        online: true,
        engine_unusable: None,
        tags: Vec::new(),
        mesh_ip: None,
    })
}

/// The item of a row's key.
pub fn lookup<T: InventoryItem>(collection: RwSignal<Collection<Row<T>>>, key: &str) -> Option<Arc<Row<T>>> {
    let key = ItemKey::read(key)?;
    collection.with_untracked(|collection| collection.rows().get(&key).cloned())
}
