//! Inventory items as objects of actions: what all kinds of them have in common.

use super::{Action, Kind, Object, Place};
use crate::{
    copy::containers as copy,
    store::{Collection, InventoryItem, ItemKey, Keyed, Store},
    tables::on_device::{ListedItem, within},
};
use flotilla_protocol::{api::Row, device::Device};
use leptos::prelude::*;
use std::{fmt, sync::Arc};

/// A kind of items that something can be done to.
pub trait ActedOn: ListedItem {
    const OBJECT: Kind;
    const NOWHERE: &'static [(Place, &'static str)];

    fn actions() -> &'static [Action<ItemObject<Self>>];
    fn collection(store: Store) -> RwSignal<Collection<Row<Self>>>;
    fn name(&self) -> &str;
    fn parts(_: &ItemObject<Self>) -> Vec<String> {
        Vec::new()
    }
}

/// An item on a device.
#[derive(Clone)]
pub struct ItemObject<T: InventoryItem> {
    pub row: Arc<Row<T>>,
    /// Absent until devices are loaded.
    pub device: Option<Arc<Device>>,
    /// Where an action looks up what else it concerns.
    pub(super) store: Store,
}

impl<T: InventoryItem> PartialEq for ItemObject<T> {
    fn eq(&self, other: &Self) -> bool {
        self.row == other.row && self.device == other.device
    }
}

impl<T: InventoryItem> fmt::Debug for ItemObject<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.row.key())
    }
}

impl<T: ActedOn> ItemObject<T> {
    fn of(store: Store, row: Arc<Row<T>>) -> Self {
        let id = row.device_id;
        Self {
            device: store.devices.with(|devices| devices.rows().get(&id).cloned()),
            row,
            store,
        }
    }

    pub(super) fn item(&self) -> &T {
        &self.row.item
    }
}

impl<T: ActedOn> Object for ItemObject<T> {
    const KIND: Kind = T::OBJECT;
    const NOWHERE: &'static [(Place, &'static str)] = T::NOWHERE;

    fn actions() -> &'static [Action<Self>] {
        T::actions()
    }

    fn of_key(store: Store, key: &str) -> Option<Self> {
        let key = ItemKey::read(key)?;
        let row = T::collection(store).with(|all| all.rows().get(&key).cloned())?;
        Some(Self::of(store, row))
    }

    fn all(store: Store) -> Vec<Self> {
        let rows: Vec<_> = T::collection(store).with(|all| all.rows().values().cloned().collect());
        rows.into_iter().map(|row| Self::of(store, row)).collect()
    }

    fn key(&self) -> String {
        self.row.key().to_string()
    }

    fn name(&self) -> String {
        self.item().name().to_owned()
    }

    fn detail(&self) -> String {
        copy::on(self.row.device.as_str())
    }

    fn address(&self) -> String {
        // By the id of the device, so that it stays right after a rename.
        within(&self.row.device_id.to_string(), self.item())
    }

    fn device(&self) -> Option<&Device> {
        self.device.as_deref()
    }

    fn device_name(&self) -> String {
        self.row.device.to_string()
    }

    fn parts(&self) -> Vec<String> {
        T::parts(self)
    }
}
