//! What the page knows of the fleet, as signals.
//!
//! Each kind of resource is a [`Collection`]: loaded by REST when a page first needs it, then patched by live frames. A
//! frame changes its collection at once. Signals are notified of all changes together, once per animation frame, of
//! which a hidden tab has none.

pub mod collection;
pub mod item;
mod live_collection;
mod load;

pub use collection::{Change, Collection, Keyed, Load};
pub use item::{InventoryItem, ItemKey};

use crate::wire::{self, LiveFrame, Unreadable, Upsert};
use flotilla_protocol::{
    Timestamp,
    activity::Activity,
    api::{Enrollment, Fleet, Job, PolicyInForce, Push, RelayFacts, Row},
    device::{Device, DeviceStatus},
    id::DeviceId,
    inventory::{Container, Image, Network, Stack, Volume},
    path::Path,
};
use leptos::prelude::*;
use live_collection::LiveCollection;
use std::{collections::BTreeMap, sync::Arc};

/// The state of the live stream.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Contact {
    /// The first connection is being made.
    Connecting,
    Held,
    /// No frame came since `last`; the next attempt is at `retry`.
    Lost {
        last: Timestamp,
        retry: Timestamp,
    },
}

/// The page's copy of the fleet's state. A handle: copies share the same signals.
#[derive(Debug, Clone, Copy)]
pub struct Store {
    pub fleet: RwSignal<Option<Fleet>>,
    pub devices: RwSignal<Collection<Device>>,
    pub containers: RwSignal<Collection<Row<Container>>>,
    pub stacks: RwSignal<Collection<Row<Stack>>>,
    pub images: RwSignal<Collection<Row<Image>>>,
    pub volumes: RwSignal<Collection<Row<Volume>>>,
    pub networks: RwSignal<Collection<Row<Network>>>,
    pub activity: RwSignal<Collection<Activity>>,
    pub paths: RwSignal<Collection<Path>>,
    pub relays: RwSignal<Collection<RelayFacts>>,
    pub jobs: RwSignal<Collection<Job>>,
    /// The policy in force, once a page loaded it.
    pub policy: RwSignal<Option<PolicyInForce>>,
    /// The newest enrollment of each device, as far as the live stream or a call delivered it.
    pub enrollments: RwSignal<BTreeMap<DeviceId, Enrollment>>,
    /// The newest installation over SSH of each device, as far as the live stream or a call delivered it.
    pub pushes: RwSignal<BTreeMap<DeviceId, Push>>,
    pub contact: RwSignal<Contact>,
    pub(crate) session: RwSignal<crate::session::Session>,
    /// The collections that a page needed, which are the ones that live frames change.
    collections: StoredValue<Vec<Arc<dyn LiveCollection>>>,
    /// Collections that changed and whose signals are not notified yet.
    unpainted: StoredValue<Vec<Arc<dyn LiveCollection>>>,
}

impl Store {
    /// Provides an empty store to the components below.
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
            jobs: RwSignal::default(),
            policy: RwSignal::new(None),
            enrollments: RwSignal::default(),
            pushes: RwSignal::default(),
            contact: RwSignal::new(Contact::Connecting),
            session: RwSignal::new(crate::session::Session::Opening),
            collections: StoredValue::default(),
            unpainted: StoredValue::default(),
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

    /// Whether a device is online, so that it can be asked.
    #[must_use]
    pub fn is_online(self, device: DeviceId) -> bool {
        let online = |device: &Arc<Device>| device.status == DeviceStatus::Online;
        self.devices
            .with(|devices| devices.rows().get(&device).is_some_and(online))
    }

    /// Applies one frame of the live stream.
    ///
    /// # Errors
    /// The frame has a resource of a known kind that cannot be read.
    pub fn apply(self, frame: LiveFrame<'_>) -> Result<(), Unreadable> {
        if frame.reset {
            self.reload();
        }
        if let Some(upsert) = frame.upsert {
            self.upsert(frame.seq, upsert)?;
        }
        if let Some(gone) = frame.remove {
            self.change(|collection| Ok(collection.remove(frame.seq, &gone)))?;
        }
        Ok(())
    }

    fn upsert(self, seq: u64, Upsert { kind, text }: Upsert<'_>) -> Result<(), Unreadable> {
        match kind {
            "fleet" => self.fleet.set(Some(wire::read(text)?)),
            "policy" => self.take_policy(wire::read(text)?),
            "enrollment" => {
                let enrollment: Enrollment = wire::read(text)?;
                self.enrollments.update(|known| {
                    known.insert(enrollment.device_id, enrollment);
                });
            }
            "push" => {
                let push: Push = wire::read(text)?;
                self.pushes.update(|known| {
                    known.insert(push.device_id, push);
                });
            }
            _ => self.change(|collection| Ok(collection.name() == kind && collection.upsert(seq, text)?))?,
        }
        Ok(())
    }

    /// Stores a policy unless a newer one is known: a response may arrive after the frame of a newer save.
    pub fn take_policy(self, policy: PolicyInForce) {
        let known = self
            .policy
            .with_untracked(|known| known.as_ref().map(|known| known.revision));
        if known.is_none_or(|known| known < policy.revision) {
            self.policy.set(Some(policy));
        }
    }

    /// Calls `change` for every collection, and notifies the signals of those that answer `true` in the next animation
    /// frame.
    fn change(
        self,
        change: impl Fn(&dyn LiveCollection) -> Result<bool, Unreadable>,
    ) -> Result<(), Unreadable> {
        for collection in self.collections.get_value() {
            if change(&*collection)? {
                self.paint_soon(collection);
            }
        }
        Ok(())
    }

    fn paint_soon(self, changed: Arc<dyn LiveCollection>) {
        let first = self.unpainted.try_update_value(|unpainted| {
            let first = unpainted.is_empty();
            if unpainted.iter().all(|known| !Arc::ptr_eq(known, &changed)) {
                unpainted.push(changed);
            }
            first
        });
        if first == Some(true) {
            request_animation_frame(move || self.paint());
        }
    }

    fn paint(self) {
        for changed in self
            .unpainted
            .try_update_value(std::mem::take)
            .unwrap_or_default()
        {
            changed.notify();
        }
    }
}

#[must_use]
pub fn use_store() -> Store {
    expect_context()
}
