//! What a device's reports change in the cache, and what of it open pages are told.

use super::{Entry, State};
use flotilla_protocol::{
    Timestamp,
    agent::{ItemRef, Report},
    api::{Resource, ResourceRef},
    id::DeviceId,
    inventory::{Inventory, Item, Kind},
};

/// How much a report changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heard {
    /// Something that has to be written to the store.
    Changed,
    /// Figures that change all the time.
    Figures,
    Nothing,
}

impl State {
    /// Applies one report of a device.
    pub(crate) fn hear(&mut self, id: DeviceId, report: Report, now: Timestamp) -> Heard {
        let Some(entry) = self.devices.get_mut(&id) else {
            return Heard::Nothing;
        };
        entry.row.last_seen = Some(now);
        match report {
            Report::Hello(hello) => {
                let skew = hello.sent_at.as_second() - now.as_second();
                entry.known.clock_skew_seconds = Some(skew);
                entry.known.agent_version = Some(hello.agent_version);
                entry.known.facts = Some(hello.facts);
            }
            Report::Facts(facts) => entry.known.facts = Some(facts),
            Report::Engine(engine) => entry.known.engine = Some(engine),
            Report::Usage(usage) => {
                entry.known.usage = Some(usage);
                return Heard::Figures;
            }
            Report::Inventory(inventory) => {
                let unchanged = entry.known.inventory == inventory;
                entry.known.inventory = inventory;
                if unchanged {
                    return Heard::Nothing;
                }
                self.publish_inventory(id, now);
            }
            Report::Upsert { items } => self.upsert(id, items, now),
            Report::Remove { items } => self.forget(id, items),
            Report::Unknown => return Heard::Nothing,
        }
        self.publish_device(id, now);
        Heard::Changed
    }

    fn upsert(&mut self, id: DeviceId, items: Vec<Item>, now: Timestamp) {
        for item in items {
            let Some(entry) = self.devices.get_mut(&id) else {
                return;
            };
            put(&mut entry.known.inventory, item.clone());
            self.live.upsert(|| resource(entry, item, now));
        }
    }

    fn forget(&mut self, id: DeviceId, items: Vec<ItemRef>) {
        for ItemRef { kind, key } in items {
            let Some(entry) = self.devices.get_mut(&id) else {
                return;
            };
            take(&mut entry.known.inventory, kind, &key);
            self.live.remove(ResourceRef::Item {
                device_id: id,
                of: kind,
                key,
            });
        }
    }

    /// Tells pages to forget all rows of a device and to take the ones it has.
    pub(crate) fn publish_inventory(&mut self, id: DeviceId, now: Timestamp) {
        let Some(entry) = self.devices.get(&id) else {
            return;
        };
        self.live.remove(ResourceRef::Inventory { device_id: id });
        if self.live.readers() == 0 {
            return;
        }
        for item in all(&entry.known.inventory) {
            self.live.upsert(|| resource(entry, item, now));
        }
    }
}

fn resource(entry: &Entry, item: Item, now: Timestamp) -> Resource {
    match item {
        Item::Container(item) => Resource::Container(Box::new(entry.row(item, now))),
        Item::Image(item) => Resource::Image(entry.row(item, now)),
        Item::Volume(item) => Resource::Volume(entry.row(item, now)),
        Item::Network(item) => Resource::Network(entry.row(item, now)),
        Item::Stack(item) => Resource::Stack(entry.row(item, now)),
    }
}

fn all(inventory: &Inventory) -> impl Iterator<Item = Item> {
    let containers = inventory.containers.iter().cloned().map(Item::Container);
    let images = inventory.images.iter().cloned().map(Item::Image);
    let volumes = inventory.volumes.iter().cloned().map(Item::Volume);
    let networks = inventory.networks.iter().cloned().map(Item::Network);
    let stacks = inventory.stacks.iter().cloned().map(Item::Stack);
    containers
        .chain(images)
        .chain(volumes)
        .chain(networks)
        .chain(stacks)
}

fn put(inventory: &mut Inventory, item: Item) {
    fn replace<T>(items: &mut Vec<T>, item: T, same: impl Fn(&T) -> bool) {
        match items.iter_mut().find(|known| same(known)) {
            Some(known) => *known = item,
            None => items.push(item),
        }
    }
    match item {
        Item::Container(item) => {
            let id = item.id.clone();
            replace(&mut inventory.containers, item, |known| known.id == id);
        }
        Item::Image(item) => {
            let id = item.id.clone();
            replace(&mut inventory.images, item, |known| known.id == id);
        }
        Item::Volume(item) => {
            let name = item.name.clone();
            replace(&mut inventory.volumes, item, |known| known.name == name);
        }
        Item::Network(item) => {
            let id = item.id.clone();
            replace(&mut inventory.networks, item, |known| known.id == id);
        }
        Item::Stack(item) => {
            let name = item.name.clone();
            replace(&mut inventory.stacks, item, |known| known.name == name);
        }
    }
}

fn take(inventory: &mut Inventory, kind: Kind, key: &str) {
    match kind {
        Kind::Container => inventory.containers.retain(|item| item.id != key),
        Kind::Image => inventory.images.retain(|item| item.id != key),
        Kind::Volume => inventory.volumes.retain(|item| item.name != key),
        Kind::Network => inventory.networks.retain(|item| item.id != key),
        Kind::Stack => inventory.stacks.retain(|item| item.name != key),
    }
}
