//! What names a thing of the fleet, so that a patch finds its row.

use super::Shelved;
use flotilla_protocol::{
    activity::Activity,
    api::{RelayFacts, Row},
    device::Device,
    id::{DeviceId, RelayId},
    inventory::{Container, Image, Kind, Network, Stack, Volume},
    path::Path,
};
use std::{fmt, sync::Arc};

/// A thing on a device: an engine's id where it has one, else its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemKey {
    pub device: DeviceId,
    pub key: Arc<str>,
}

impl fmt::Display for ItemKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.device, self.key)
    }
}

/// One of the five kinds of thing that a container engine holds.
pub trait InventoryItem: Clone + PartialEq + Send + Sync + fmt::Debug + 'static {
    const KIND: Kind;
    /// What names the item on its device; the same as [`flotilla_protocol::inventory::Item::key`].
    fn item_key(&self) -> &str;
}

macro_rules! item {
    ($type:ident, $field:ident) => {
        impl InventoryItem for $type {
            const KIND: Kind = Kind::$type;
            fn item_key(&self) -> &str {
                &self.$field
            }
        }
    };
}
item!(Container, id);
item!(Image, id);
item!(Volume, name);
item!(Network, id);
item!(Stack, name);

impl<T: InventoryItem> Shelved for Row<T> {
    type Key = ItemKey;
    fn key(&self) -> ItemKey {
        ItemKey {
            device: self.device_id,
            key: self.item.item_key().into(),
        }
    }
    fn device_of(key: &ItemKey) -> Option<DeviceId> {
        Some(key.device)
    }
}

impl Shelved for Device {
    type Key = DeviceId;
    fn key(&self) -> DeviceId {
        self.id
    }
    fn device_of(key: &DeviceId) -> Option<DeviceId> {
        Some(*key)
    }
}

impl Shelved for Activity {
    type Key = i64;
    fn key(&self) -> i64 {
        self.id
    }
    fn device_of(_: &i64) -> Option<DeviceId> {
        None
    }
}

impl Shelved for Path {
    type Key = (DeviceId, DeviceId);
    fn key(&self) -> Self::Key {
        (self.from_id, self.to_id)
    }
    fn device_of(key: &Self::Key) -> Option<DeviceId> {
        Some(key.0)
    }
}

impl Shelved for RelayFacts {
    type Key = RelayId;
    fn key(&self) -> RelayId {
        self.id
    }
    fn device_of(_: &RelayId) -> Option<DeviceId> {
        None
    }
}
