//! Lists over all devices of one kind of thing that engines hold.

use super::{DeviceEntry, State, by_name};
use crate::report::{Collection, Holdings};
use flotilla_protocol::{
    Timestamp,
    api::{List, Row, Scope},
    inventory::{Container, Image, Network, Stack, Volume},
};

/// A kind of thing that a fan-out table lists.
pub(crate) trait Listable: Clone {
    fn of(holdings: &Holdings) -> &Collection<Self>;
    /// Its name for people, by which rows of one device are sorted.
    fn name(&self) -> &str;
}

macro_rules! listed {
    ($type:ty, $field:ident, |$item:ident| $name:expr) => {
        impl Listable for $type {
            fn of(holdings: &Holdings) -> &Collection<Self> {
                holdings.$field()
            }
            fn name(&self) -> &str {
                let $item = self;
                $name
            }
        }
    };
}
listed!(Container, containers, |container| &container.name);
listed!(Image, images, |image| image
    .tags
    .first()
    .map_or(image.id.as_str(), String::as_str));
listed!(Volume, volumes, |volume| &volume.name);
listed!(Network, networks, |network| &network.name);
listed!(Stack, stacks, |stack| &stack.name);

impl State {
    /// Rows of one kind on the given devices of a scope, or on all of them when none is given.
    pub(crate) fn list_rows<T: Listable>(
        &self,
        devices: Option<&[flotilla_protocol::id::DeviceId]>,
        scope: &Scope,
        now: Timestamp,
        moment: impl Fn(Timestamp) -> String,
    ) -> List<Row<T>> {
        let is_named = |entry: &&DeviceEntry| devices.is_none_or(|devices| devices.contains(&entry.row.id));
        let mut items = Vec::new();
        for entry in self.devices_in(scope).filter(is_named) {
            items.extend(
                T::of(&entry.last_report.inventory)
                    .values()
                    .map(|kept| entry.row(T::clone(&kept.item), now)),
            );
        }
        items.sort_by(|a, b| {
            a.device
                .cmp(&b.device)
                .then_with(|| a.item.name().cmp(b.item.name()))
        });
        let unreachable = self
            .devices_in(scope)
            .filter(is_named)
            .filter_map(|entry| entry.unreachable(&moment).or_else(|| entry.silent_engine()));
        List {
            items,
            unreachable_devices: by_name(unreachable),
            seq: self.live.seq(),
        }
    }
}
