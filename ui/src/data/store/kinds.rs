//! The kinds of resources that pages list: what holds each, which call lists it, what live frames call it, and the keys
//! by which a change finds its row.

use super::{Change, Collection, Keyed, Store, ensure::activity_page};
use flotilla_protocol::{
    activity::Activity,
    api::{
        Job, ListContainers, ListDevices, ListImages, ListJobs, ListNetworks, ListPaths, ListRelays,
        ListStacks, ListVolumes, RelayFacts, ResourceRef, Row,
    },
    device::Device,
    id::{DeviceId, JobId, RelayId},
    inventory::{Container, Image, Kind, Network, Stack, Volume},
    path::Path,
};
use leptos::prelude::RwSignal;
use std::{fmt, sync::Arc};

macro_rules! collections {
    ($($name:ident $ensure:ident $row:ty = $request:expr;)*) => {
        /// The collections of all kinds. A page asks for each that it shows by its `ensure_…`.
        #[derive(Debug, Clone, Copy, Default)]
        pub struct Collections {
            $(pub $name: RwSignal<Collection<$row>>,)*
        }

        impl Store {
            $(pub fn $ensure(self) {
                self.ensure(self.$name, || $request);
            })*
        }
    };
}
collections! {
    devices ensure_devices Device = ListDevices;
    containers ensure_containers Row<Container> = ListContainers::default();
    stacks ensure_stacks Row<Stack> = ListStacks::default();
    images ensure_images Row<Image> = ListImages::default();
    volumes ensure_volumes Row<Volume> = ListVolumes::default();
    networks ensure_networks Row<Network> = ListNetworks::default();
    activity ensure_activity Activity = activity_page(None);
    paths ensure_paths Path = ListPaths::default();
    relays ensure_relays RelayFacts = ListRelays;
    jobs ensure_jobs Job = ListJobs::default();
}

/// The key of an inventory item: its device, and on it the engine's id, or the name of an item that has no id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemKey {
    pub device: DeviceId,
    pub key: Arc<str>,
}

impl ItemKey {
    /// Reads the text of a key, as it is displayed.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let (device, key) = text.split_once('/')?;
        Some(Self {
            device: device.parse().ok()?,
            key: key.into(),
        })
    }
}

impl<T: InventoryItem> Collection<Row<T>> {
    /// The items of one device.
    pub fn of_device(&self, device: DeviceId) -> impl Iterator<Item = &Arc<Row<T>>> {
        let first = ItemKey {
            device,
            key: "".into(),
        };
        self.rows()
            .range(first..)
            .take_while(move |(key, _)| key.device == device)
            .map(|(_, row)| row)
    }
}

impl fmt::Display for ItemKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.device, self.key)
    }
}

/// One of the five kinds of inventory items.
pub trait InventoryItem: Clone + PartialEq + Send + Sync + fmt::Debug + 'static {
    const KIND: Kind;
    /// The name of the kind in live frames.
    const NAME: &'static str;
    /// The key of the item on its device, the same as [`flotilla_protocol::inventory::Item::key`].
    fn item_key(&self) -> &str;
}

macro_rules! item {
    ($type:ident, $name:literal, $field:ident) => {
        impl InventoryItem for $type {
            const KIND: Kind = Kind::$type;
            const NAME: &'static str = $name;
            fn item_key(&self) -> &str {
                &self.$field
            }
        }
    };
}
item!(Container, "container", id);
item!(Image, "image", id);
item!(Volume, "volume", name);
item!(Network, "network", id);
item!(Stack, "stack", name);

impl<T: InventoryItem> Keyed for Row<T> {
    type Key = ItemKey;
    const NAME: &'static str = T::NAME;
    fn key(&self) -> ItemKey {
        ItemKey {
            device: self.device_id,
            key: self.item.item_key().into(),
        }
    }
    fn device_of(key: &ItemKey) -> Option<DeviceId> {
        Some(key.device)
    }
    fn change_of(gone: &ResourceRef) -> Option<Change<Self>> {
        match gone {
            ResourceRef::Device { device_id } | ResourceRef::Inventory { device_id } => {
                Some(Change::Clear(*device_id))
            }
            ResourceRef::Item { device_id, of, key } if *of == T::KIND => Some(Change::Remove(ItemKey {
                device: *device_id,
                key: key.as_str().into(),
            })),
            _ => None,
        }
    }
}

impl Keyed for Device {
    type Key = DeviceId;
    const NAME: &'static str = "device";
    fn key(&self) -> DeviceId {
        self.id
    }
    fn device_of(key: &DeviceId) -> Option<DeviceId> {
        Some(*key)
    }
    fn change_of(gone: &ResourceRef) -> Option<Change<Self>> {
        match gone {
            ResourceRef::Device { device_id } => Some(Change::Remove(*device_id)),
            _ => None,
        }
    }
}

impl Keyed for Activity {
    type Key = i64;
    const NAME: &'static str = "activity";
    const PAGE: Option<usize> = Some(200);
    /// A person who looks further back than some weeks reads page after page; a page that stays open does not.
    const KEPT: usize = 5_000;
    fn key(&self) -> i64 {
        self.id
    }
    fn device_of(_: &i64) -> Option<DeviceId> {
        None
    }
    fn change_of(_: &ResourceRef) -> Option<Change<Self>> {
        None
    }
}

impl Keyed for Path {
    type Key = (DeviceId, DeviceId);
    const NAME: &'static str = "path";
    fn key(&self) -> Self::Key {
        (self.from_id, self.to_id)
    }
    fn device_of(key: &Self::Key) -> Option<DeviceId> {
        Some(key.0)
    }
    fn change_of(gone: &ResourceRef) -> Option<Change<Self>> {
        match gone {
            ResourceRef::Device { device_id } => Some(Change::Clear(*device_id)),
            ResourceRef::Path { from_id, to_id } => Some(Change::Remove((*from_id, *to_id))),
            _ => None,
        }
    }
}

impl Keyed for Job {
    type Key = JobId;
    const NAME: &'static str = "job";
    /// As many as the controller keeps.
    const KEPT: usize = 1_000;
    fn key(&self) -> JobId {
        self.id
    }
    fn device_of(_: &JobId) -> Option<DeviceId> {
        None
    }
    fn change_of(_: &ResourceRef) -> Option<Change<Self>> {
        None
    }
}

impl Keyed for RelayFacts {
    type Key = RelayId;
    const NAME: &'static str = "relay";
    fn key(&self) -> RelayId {
        self.id
    }
    fn device_of(_: &RelayId) -> Option<DeviceId> {
        None
    }
    fn change_of(gone: &ResourceRef) -> Option<Change<Self>> {
        match gone {
            ResourceRef::Relay { id } => Some(Change::Remove(*id)),
            _ => None,
        }
    }
}
