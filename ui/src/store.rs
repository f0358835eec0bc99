//! All that the page knows of the fleet, as signals.
//!
//! Each kind of thing sits on a [`Shelf`]: loaded once by REST when a page first needs it, then patched by live frames.
//! Frames change the shelves at once but are painted together, once per animation frame; a hidden tab paints nothing.

pub mod item;
mod load;
pub mod shelf;

pub use item::{InventoryItem, ItemKey};
pub use shelf::{Change, Load, Shelf, Shelved};

use flotilla_protocol::{
    Timestamp,
    activity::Activity,
    api::{Enrollment, Fleet, LiveFrame, PolicyInForce, Push, RelayFacts, Resource, ResourceRef, Row},
    device::{Device, DeviceStatus},
    id::DeviceId,
    inventory::{Container, Image, Kind, Network, Stack, Volume},
    path::Path,
};
use leptos::prelude::*;
use std::{collections::BTreeMap, sync::Arc};

/// Whether the live stream holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Contact {
    /// The first connection is being made.
    Connecting,
    Held,
    /// Since `last` nothing was heard; the next attempt comes at `retry`.
    Lost {
        last: Timestamp,
        retry: Timestamp,
    },
}

/// The page's knowledge. A handle: copies share the same signals.
#[derive(Debug, Clone, Copy)]
pub struct Store {
    pub fleet: RwSignal<Option<Fleet>>,
    pub devices: RwSignal<Shelf<Device>>,
    pub containers: RwSignal<Shelf<Row<Container>>>,
    pub stacks: RwSignal<Shelf<Row<Stack>>>,
    pub images: RwSignal<Shelf<Row<Image>>>,
    pub volumes: RwSignal<Shelf<Row<Volume>>>,
    pub networks: RwSignal<Shelf<Row<Network>>>,
    pub activity: RwSignal<Shelf<Activity>>,
    pub paths: RwSignal<Shelf<Path>>,
    pub relays: RwSignal<Shelf<RelayFacts>>,
    /// The policy in force, once a page asked for it.
    pub policy: RwSignal<Option<PolicyInForce>>,
    /// Newest enrollments that the live stream told of or a page asked for.
    pub enrollments: RwSignal<BTreeMap<DeviceId, Enrollment>>,
    /// Newest pushes over SSH that the live stream told of or a page asked for.
    pub pushes: RwSignal<BTreeMap<DeviceId, Push>>,
    pub contact: RwSignal<Contact>,
    pub(crate) session: RwSignal<crate::session::Session>,
    touched: StoredValue<Touched>,
}

/// Which signals changed and were not painted yet.
#[derive(Debug, Default)]
struct Touched {
    shelves: [bool; 9],
    scheduled: bool,
}

impl Store {
    /// An empty store, known to the components below.
    pub fn provide() -> Self {
        let store = Self {
            fleet: RwSignal::new(None),
            devices: RwSignal::default(),
            containers: RwSignal::default(),
            stacks: RwSignal::default(),
            images: RwSignal::default(),
            volumes: RwSignal::default(),
            networks: RwSignal::default(),
            activity: RwSignal::default(),
            paths: RwSignal::default(),
            relays: RwSignal::default(),
            policy: RwSignal::new(None),
            enrollments: RwSignal::default(),
            pushes: RwSignal::default(),
            contact: RwSignal::new(Contact::Connecting),
            session: RwSignal::new(crate::session::Session::Opening),
            touched: StoredValue::new(Touched::default()),
        };
        provide_context(store);
        store
    }

    /// A device by id or by name.
    #[must_use]
    pub fn lookup_device(self, device: &str) -> Option<Arc<Device>> {
        self.devices.with(|devices| {
            let wanted =
                |known: &&Arc<Device>| known.name.as_str() == device || known.id.to_string() == device;
            devices.rows().values().find(wanted).cloned()
        })
    }

    /// Whether a device can be asked at this moment.
    #[must_use]
    pub fn is_online(self, device: DeviceId) -> bool {
        let online = |device: &Arc<Device>| device.status == DeviceStatus::Online;
        self.devices
            .with(|devices| devices.rows().get(&device).is_some_and(online))
    }

    /// Takes in one frame of the live stream.
    pub fn apply(self, frame: LiveFrame) {
        if frame.reset {
            self.reload();
        }
        let seq = frame.seq;
        match frame.upsert {
            Some(Resource::Fleet(fleet)) => self.fleet.set(Some(fleet)),
            Some(Resource::Enrollment(enrollment)) => self.enrollments.update(|known| {
                known.insert(enrollment.device_id, enrollment);
            }),
            Some(Resource::Device(device)) => self.patch(0, self.devices, seq, Change::Upsert(*device)),
            Some(Resource::Container(row)) => self.patch(1, self.containers, seq, Change::Upsert(*row)),
            Some(Resource::Stack(row)) => self.patch(2, self.stacks, seq, Change::Upsert(row)),
            Some(Resource::Image(row)) => self.patch(3, self.images, seq, Change::Upsert(row)),
            Some(Resource::Volume(row)) => self.patch(4, self.volumes, seq, Change::Upsert(row)),
            Some(Resource::Network(row)) => self.patch(5, self.networks, seq, Change::Upsert(row)),
            Some(Resource::Activity(entry)) => self.patch(6, self.activity, seq, Change::Upsert(entry)),
            Some(Resource::Path(path)) => self.patch(7, self.paths, seq, Change::Upsert(*path)),
            Some(Resource::Relay(relay)) => self.patch(8, self.relays, seq, Change::Upsert(relay)),
            Some(Resource::Policy(policy)) => self.take_policy(*policy),
            Some(Resource::Push(push)) => self.pushes.update(|known| {
                known.insert(push.device_id, push);
            }),
            Some(Resource::Unknown) | None => {}
        }
        match frame.remove {
            Some(ResourceRef::Device { device_id }) => {
                self.patch(0, self.devices, seq, Change::Remove(device_id));
                self.patch(7, self.paths, seq, Change::Clear(device_id));
                self.clear_device(seq, device_id);
            }
            Some(ResourceRef::Inventory { device_id }) => self.clear_device(seq, device_id),
            Some(ResourceRef::Item { device_id, of, key }) => {
                let key = ItemKey {
                    device: device_id,
                    key: key.into(),
                };
                self.remove_item(seq, of, key);
            }
            Some(ResourceRef::Path { from_id, to_id }) => {
                self.patch(7, self.paths, seq, Change::Remove((from_id, to_id)));
            }
            Some(ResourceRef::Relay { id }) => self.patch(8, self.relays, seq, Change::Remove(id)),
            Some(ResourceRef::Unknown) | None => {}
        }
    }

    /// An answer may come later than the frame of a newer save.
    pub fn take_policy(self, policy: PolicyInForce) {
        let known = self
            .policy
            .with_untracked(|known| known.as_ref().map(|known| known.revision));
        if known.is_none_or(|known| known < policy.revision) {
            self.policy.set(Some(policy));
        }
    }

    fn remove_item(self, seq: u64, of: Kind, key: ItemKey) {
        match of {
            Kind::Container => self.patch(1, self.containers, seq, Change::Remove(key)),
            Kind::Stack => self.patch(2, self.stacks, seq, Change::Remove(key)),
            Kind::Image => self.patch(3, self.images, seq, Change::Remove(key)),
            Kind::Volume => self.patch(4, self.volumes, seq, Change::Remove(key)),
            Kind::Network => self.patch(5, self.networks, seq, Change::Remove(key)),
        }
    }

    fn clear_device(self, seq: u64, device: DeviceId) {
        self.patch(1, self.containers, seq, Change::Clear(device));
        self.patch(2, self.stacks, seq, Change::Clear(device));
        self.patch(3, self.images, seq, Change::Clear(device));
        self.patch(4, self.volumes, seq, Change::Clear(device));
        self.patch(5, self.networks, seq, Change::Clear(device));
    }

    fn patch<T: Shelved>(self, index: usize, shelf: RwSignal<Shelf<T>>, seq: u64, change: Change<T>) {
        let changed = shelf
            .try_update_untracked(|shelf| shelf.apply(seq, change))
            .unwrap_or(false);
        if !changed {
            return;
        }
        let schedule = self.touched.try_update_value(|touched| {
            touched.shelves[index] = true;
            !std::mem::replace(&mut touched.scheduled, true)
        });
        if schedule == Some(true) {
            request_animation_frame(move || self.paint());
        }
    }

    fn paint(self) {
        let touched = self.touched.try_update_value(std::mem::take).unwrap_or_default();
        let signals: [&dyn Fn(); 9] = [
            &|| self.devices.notify(),
            &|| self.containers.notify(),
            &|| self.stacks.notify(),
            &|| self.images.notify(),
            &|| self.volumes.notify(),
            &|| self.networks.notify(),
            &|| self.activity.notify(),
            &|| self.paths.notify(),
            &|| self.relays.notify(),
        ];
        for (notify, _) in signals
            .iter()
            .zip(touched.shelves)
            .filter(|(_, touched)| *touched)
        {
            notify();
        }
    }
}

#[must_use]
pub fn use_store() -> Store {
    expect_context()
}
