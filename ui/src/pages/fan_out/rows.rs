//! Table rows made of what the store knows, and made again only where that changed.

use super::Opened;
use crate::{
    components::{
        age::AgeLabel,
        badge::{Status, status_badge},
        table::{Dash, RowAction, Rows, TableRow},
    },
    copy::fan_out as copy,
    query::{Key, Subject},
    store::{Collection, InventoryItem, ItemKey, Keyed, use_store},
};
use flotilla_protocol::{
    Timestamp,
    api::Row,
    device::{Device, DeviceStatus},
    id::DeviceId,
    inventory::EngineState,
    name::DeviceName,
};
use leptos::prelude::*;
use std::{collections::BTreeMap, net::Ipv4Addr, sync::Arc};

/// What rows need to know of their device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceLook {
    pub name: String,
    pub online: bool,
    /// Why its rows are old although it is online: its engine can't be used, since the moment that is known.
    pub engine_away: Option<Option<Timestamp>>,
    pub tags: Vec<String>,
    /// Its address on the mesh, once the device itself is known.
    pub mesh_ip: Option<Ipv4Addr>,
}

type Looks = Arc<BTreeMap<DeviceId, Arc<DeviceLook>>>;

/// A thing on a device with what its row needs.
#[derive(Debug, Clone)]
pub struct Item<T: InventoryItem> {
    pub row: Arc<Row<T>>,
    pub device: Arc<DeviceLook>,
    pub key: String,
}

impl<T: InventoryItem> Item<T> {
    /// For when the row is known to be true, if its device cannot be asked now.
    #[must_use]
    pub fn stale_since(&self) -> Option<Timestamp> {
        match self.device.engine_away {
            _ if !self.device.online => Some(self.row.as_of),
            Some(since) => Some(since.unwrap_or(self.row.as_of)),
            None => None,
        }
    }

    /// A subject of these texts with the facts that every row has.
    #[must_use]
    pub fn subject<'a>(&'a self, texts: impl IntoIterator<Item = &'a str>) -> Subject {
        let subject = Subject::new(texts.into_iter().chain([self.device.name.as_str()]));
        let subject = subject.with(Key::Device, &self.device.name);
        self.device
            .tags
            .iter()
            .fold(subject, |subject, tag| subject.with(Key::Tag, tag))
    }

    /// The device's name, leading to it.
    #[must_use]
    pub fn device_cell(&self) -> AnyView {
        let name = self.device.name.clone();
        let address = format!("/devices/{name}");
        view! {
            <a class="plain" href=address tabindex="-1" on:click=|event| event.stop_propagation()>{name}</a>
        }
        .into_any()
    }

    /// A status, muted under a clock when the row is old.
    #[must_use]
    pub fn status_cell(&self, status: &Status) -> AnyView {
        status_badge(status, false, self.stale_since().is_some())
    }
}

/// A text, or a dash.
#[must_use]
pub fn text_cell(text: Option<&str>) -> AnyView {
    match text.filter(|text| !text.is_empty()) {
        Some(text) => view! { <span>{text.to_owned()}</span> }.into_any(),
        None => view! { <Dash/> }.into_any(),
    }
}

/// A name: the first thing that is read of a row.
#[must_use]
pub fn name_cell(name: &str) -> AnyView {
    view! { <span class="name">{name.to_owned()}</span> }.into_any()
}

#[must_use]
pub fn mono_cell(text: Option<&str>) -> AnyView {
    view! { <span class="mono">{text_cell(text)}</span> }.into_any()
}

/// When something was made, or that the engine does not tell.
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

/// What rows need to know of all devices; changes only when a row would.
#[must_use]
pub fn device_looks() -> Memo<Looks> {
    let store = use_store();
    Memo::new(move |previous: Option<&Looks>| {
        let looks: BTreeMap<_, _> = store.devices.with(|devices| {
            devices
                .rows()
                .iter()
                .map(|(id, device)| (*id, Arc::new(look_of(device))))
                .collect()
        });
        match previous {
            Some(previous) if **previous == looks => previous.clone(),
            _ => Arc::new(looks),
        }
    })
}

fn look_of(device: &Device) -> DeviceLook {
    let engine = device.engine.as_ref().filter(|engine| engine.reason().is_some());
    DeviceLook {
        name: device.name.to_string(),
        online: device.status == DeviceStatus::Online,
        engine_away: engine.map(EngineState::since),
        tags: device.tags.iter().map(ToString::to_string).collect(),
        mesh_ip: Some(device.mesh_ip),
    }
}

/// Things and the rows made of them, in the order of their keys.
type Made<T> = Vec<(ItemKey, Arc<Row<T>>, Arc<dyn TableRow>)>;

/// The rows of a kind of thing, of one device or of all.
pub fn rows_of<T, R>(
    collection: RwSignal<Collection<Row<T>>>,
    only: Signal<Option<DeviceId>>,
    make: fn(Item<T>) -> R,
) -> Memo<Rows>
where
    T: InventoryItem,
    R: TableRow + 'static,
{
    let looks = device_looks();
    let made: StoredValue<(Looks, Made<T>)> = StoredValue::new(Default::default());
    Memo::new(move |_| {
        let looks = looks.get();
        let only = only.get();
        let known = made.try_update_value(std::mem::take).unwrap_or_default();
        let known = if known.0 == looks { known.1 } else { Vec::new() };
        let made_now = collection.with(|collection| remade(collection, known, &looks, only, make));
        let rows = Rows(Arc::new(made_now.iter().map(|(_, _, row)| row.clone()).collect()));
        made.try_update_value(|made| *made = (looks, made_now));
        rows
    })
}

fn remade<T: InventoryItem, R: TableRow + 'static>(
    collection: &Collection<Row<T>>,
    known: Made<T>,
    looks: &Looks,
    only: Option<DeviceId>,
    make: fn(Item<T>) -> R,
) -> Made<T> {
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
                Arc::new(make(item_of(row, looks))) as Arc<dyn TableRow>,
            ),
        }
    };
    wanted.map(row).collect()
}

fn item_of<T: InventoryItem>(row: &Arc<Row<T>>, looks: &Looks) -> Item<T> {
    let unknown = || DeviceLook {
        name: row.device.to_string(),
        online: true,
        engine_away: None,
        tags: Vec::new(),
        mesh_ip: None,
    };
    let device = looks
        .get(&row.device_id)
        .cloned()
        .unwrap_or_else(|| Arc::new(unknown()));
    Item {
        row: row.clone(),
        device,
        key: row.key().to_string(),
    }
}

/// The thing that a row's key names.
pub fn lookup<T: InventoryItem>(collection: RwSignal<Collection<Row<T>>>, key: &str) -> Option<Arc<Row<T>>> {
    let (device, key) = key.split_once('/')?;
    let key = ItemKey {
        device: device.parse().ok()?,
        key: key.into(),
    };
    collection.with_untracked(|collection| collection.rows().get(&key).cloned())
}

/// An action that copies a text.
#[must_use]
pub fn copy_action(label: String, text: String) -> RowAction {
    RowAction {
        label,
        glyph: crate::components::icon::lucide::COPY,
        reason: None,
        run: Callback::new(move |()| {
            crate::browser::copy(&text);
        }),
    }
}

/// The thing that the address of a page names, by device and key.
pub fn found<T: InventoryItem>(
    collection: RwSignal<Collection<Row<T>>>,
    opened: Opened,
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

/// Opens a row at its own address.
pub fn opener<T: InventoryItem>(
    collection: RwSignal<Collection<Row<T>>>,
    opened: Opened,
    key_of: fn(&T) -> &str,
) -> Callback<String> {
    Callback::new(move |key: String| {
        if let Some(row) = lookup(collection, &key) {
            let key = key_of(&row.item).to_owned();
            opened.open.run((row.device.to_string(), key));
        }
    })
}

#[must_use]
pub fn device_link(name: &DeviceName) -> AnyView {
    view! { <a href=format!("/devices/{name}")>{name.to_string()}</a> }.into_any()
}
