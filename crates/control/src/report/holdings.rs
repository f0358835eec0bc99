//! The things that an engine holds, by key, within limits.

use super::{Bound, limiter::Limiter};
use flotilla_protocol::{
    agent::ItemRef,
    inventory::{Container, Image, Inventory, Item, Kind, Network, Stack, Volume},
};
use std::{collections::BTreeMap, sync::Arc};

/// The limits in words, for people.
pub(crate) const LIMITS: &str = "10,000 things of a kind, 16 MiB in all and 256 KiB for one of them";

/// Things of one kind on one device: five times as many as a device with very many containers has.
const ITEMS: usize = 10_000;

/// Memory for what one device holds. 2,000 containers, each with an image and a volume of its own, take some 10 MiB.
const HOLDINGS_BYTES: usize = 16 << 20;

/// Memory for one thing: a network to which 2,000 containers are attached takes half of it.
const ITEM_BYTES: usize = 256 << 10;

/// Memory that a thing takes besides its texts and lists: its struct, its entry in the map, its reference count.
const ITEM_WEIGHT: usize = 640;

/// One thing within its limits, and the memory that it takes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct WeighedItem {
    pub(crate) item: Item,
    weight: usize,
}

impl From<Item> for WeighedItem {
    fn from(mut item: Item) -> Self {
        let mut limiter = Limiter::default();
        item.bound(&mut limiter);
        let weight = limiter.weight + item.key().len() + ITEM_WEIGHT;
        Self { item, weight }
    }
}

/// A thing that is kept, shared by clones of [`Holdings`], and the memory that it takes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SharedItem<T> {
    pub(crate) item: Arc<T>,
    weight: usize,
}

impl<T: PartialEq> SharedItem<T> {
    /// Whether two things are equal; looks at them only when they are not one.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.item, &other.item) || self.item == other.item
    }
}

/// All things of one kind, by key.
pub(crate) type Collection<T> = BTreeMap<String, SharedItem<T>>;

/// All things on one device. Clones share them.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Holdings(Arc<Collections>);

#[derive(Debug, Clone, Default, PartialEq)]
struct Collections {
    containers: Collection<Container>,
    images: Collection<Image>,
    volumes: Collection<Volume>,
    networks: Collection<Network>,
    stacks: Collection<Stack>,
    weight: usize,
}

impl Holdings {
    /// The part of an inventory that is kept, and whether something was left out.
    pub(crate) fn of(inventory: Inventory) -> (Self, bool) {
        let Inventory {
            containers,
            images,
            volumes,
            networks,
            stacks,
        } = inventory;
        let items = containers.into_iter().map(Item::Container);
        let items = items.chain(images.into_iter().map(Item::Image));
        let items = items.chain(volumes.into_iter().map(Item::Volume));
        let items = items.chain(networks.into_iter().map(Item::Network));
        let items = items.chain(stacks.into_iter().map(Item::Stack));
        let mut holdings = Self::default();
        let mut partial = false;
        for item in items {
            partial |= !holdings.put(item.into());
        }
        (holdings, partial)
    }

    /// Takes a new or changed thing; false when there is no room for it. Then an older version of it is removed, too.
    pub(crate) fn put(&mut self, WeighedItem { item, weight }: WeighedItem) -> bool {
        let collections = Arc::make_mut(&mut self.0);
        let (all, key) = (&mut collections.weight, item.key().to_owned());
        match item {
            Item::Container(item) => put(&mut collections.containers, all, key, item, weight),
            Item::Image(item) => put(&mut collections.images, all, key, item, weight),
            Item::Volume(item) => put(&mut collections.volumes, all, key, item, weight),
            Item::Network(item) => put(&mut collections.networks, all, key, item, weight),
            Item::Stack(item) => put(&mut collections.stacks, all, key, item, weight),
            Item::Unknown => true,
        }
    }

    pub(crate) fn take(&mut self, gone: &ItemRef) {
        let collections = Arc::make_mut(&mut self.0);
        let freed = match gone.kind {
            Kind::Container => take(&mut collections.containers, &gone.key),
            Kind::Image => take(&mut collections.images, &gone.key),
            Kind::Volume => take(&mut collections.volumes, &gone.key),
            Kind::Network => take(&mut collections.networks, &gone.key),
            Kind::Stack => take(&mut collections.stacks, &gone.key),
            Kind::Unknown => 0,
        };
        collections.weight -= freed;
    }

    pub(crate) fn containers(&self) -> &Collection<Container> {
        &self.0.containers
    }

    pub(crate) fn images(&self) -> &Collection<Image> {
        &self.0.images
    }

    pub(crate) fn volumes(&self) -> &Collection<Volume> {
        &self.0.volumes
    }

    pub(crate) fn networks(&self) -> &Collection<Network> {
        &self.0.networks
    }

    pub(crate) fn stacks(&self) -> &Collection<Stack> {
        &self.0.stacks
    }

    /// How many things there are.
    pub(crate) fn len(&self) -> usize {
        let Collections {
            containers,
            images,
            volumes,
            networks,
            stacks,
            weight: _,
        } = &*self.0;
        containers.len() + images.len() + volumes.len() + networks.len() + stacks.len()
    }

    /// The memory that they take, in bytes.
    pub(crate) fn weight(&self) -> usize {
        self.0.weight
    }

    pub(crate) fn items(&self) -> impl Iterator<Item = Item> {
        let containers = each(&self.0.containers).map(Item::Container);
        let images = each(&self.0.images).map(Item::Image);
        let volumes = each(&self.0.volumes).map(Item::Volume);
        let networks = each(&self.0.networks).map(Item::Network);
        let stacks = each(&self.0.stacks).map(Item::Stack);
        containers
            .chain(images)
            .chain(volumes)
            .chain(networks)
            .chain(stacks)
    }
}

fn put<T>(collection: &mut Collection<T>, all: &mut usize, key: String, item: T, weight: usize) -> bool {
    *all -= take(collection, &key);
    let has_room = collection.len() < ITEMS && weight <= ITEM_BYTES && *all + weight <= HOLDINGS_BYTES;
    if has_room {
        *all += weight;
        let item = Arc::new(item);
        collection.insert(key, SharedItem { item, weight });
    }
    has_room
}

fn take<T>(collection: &mut Collection<T>, key: &str) -> usize {
    collection.remove(key).map_or(0, |kept| kept.weight)
}

fn each<T: Clone>(collection: &Collection<T>) -> impl Iterator<Item = T> {
    collection.values().map(|kept| T::clone(&kept.item))
}
