//! What the page knows of the fleet, as signals.
//!
//! Each kind of resource is a [`Collection`]: loaded by REST when a page first needs it, then patched by live frames. A
//! frame changes its collection at once. Signals are notified of all changes together, once per animation frame, of
//! which a hidden tab has none.

mod collection;
mod ensure;
mod frame;
mod kinds;
mod listed;
mod permission;
mod rows;
mod singles;

pub use super::{
    known::{Known, ask, load_of},
    load::{Load, Reload},
};
pub use collection::{Change, Collection, Keyed};
pub use frame::{LiveFrame, Upsert};
pub use kinds::{Collections, InventoryItem, ItemKey};
pub use rows::{last_row, row, with_row};

use super::load::Progress;
use crate::{browser, clock, session::Session};
use flotilla_protocol::{
    Timestamp,
    api::{Enrollment, Fleet, PolicyInForce, Push, ResourceRef},
    device::{Device, DeviceStatus},
    id::DeviceId,
};
use leptos::prelude::*;
use listed::LiveCollection;
use singles::Single;
use std::{collections::BTreeMap, ops::Deref, sync::Arc};

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

/// The page's copy of the fleet's state; its collections are its fields. A handle: copies share the same signals.
#[derive(Debug, Clone, Copy)]
pub struct Store {
    pub fleet: RwSignal<Option<Fleet>>,
    collections: Collections,
    /// How the loading of the next older page of the activity log goes.
    pub older_activity: RwSignal<Known<()>>,
    /// The policy in force, once a page loaded it.
    pub policy: RwSignal<Option<PolicyInForce>>,
    /// The newest enrollment of each device, once a page asked for one.
    pub enrollments: RwSignal<BTreeMap<DeviceId, Enrollment>>,
    /// The newest installation over SSH of each device, once a page asked for one.
    pub pushes: RwSignal<BTreeMap<DeviceId, Push>>,
    pub contact: RwSignal<Contact>,
    pub session: RwSignal<Session>,
    /// The collections that a page needed, which are the ones that live frames change.
    needed: StoredValue<Vec<Arc<dyn LiveCollection>>>,
    /// What is no collection and a page needed, which live frames change, too.
    singles: StoredValue<Vec<Single>>,
    /// The requests for the fleet.
    fleet_asked: StoredValue<Progress>,
    /// Collections that changed and whose signals are not notified yet.
    unpainted: StoredValue<Vec<Arc<dyn LiveCollection>>>,
}

impl Store {
    /// Provides an empty store to the components below.
    pub fn provide() -> Self {
        let store = Self {
            fleet: RwSignal::new(None),
            collections: Collections::default(),
            older_activity: RwSignal::default(),
            policy: RwSignal::new(None),
            enrollments: RwSignal::default(),
            pushes: RwSignal::default(),
            contact: RwSignal::new(Contact::Connecting),
            session: RwSignal::new(Session::Opening),
            needed: StoredValue::default(),
            singles: StoredValue::default(),
            fleet_asked: StoredValue::default(),
            unpainted: StoredValue::default(),
        };
        provide_context(store);
        store
    }

    /// A device by id or, where no device has that id, by name: a name may look like the id of another device.
    #[must_use]
    pub fn lookup_device(self, device: &str) -> Option<Arc<Device>> {
        self.devices.with(|devices| {
            let of_id = device
                .parse()
                .ok()
                .and_then(|id: DeviceId| devices.rows().get(&id));
            let of_name = || {
                let mut rows = devices.rows().values();
                rows.find(|known| known.name.as_str() == device)
            };
            of_id.or_else(of_name).cloned()
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
    pub fn apply(self, frame: LiveFrame<'_>) -> serde_json::Result<()> {
        if frame.reset {
            self.reload();
        }
        if let Some(upsert) = frame.upsert {
            self.upsert(frame.seq, upsert)?;
        }
        if let Some(gone) = frame.remove {
            if let ResourceRef::Device { device_id } = gone {
                for single in self.singles.get_value() {
                    (single.forget)(self, device_id);
                }
            }
            self.change(|collection| Ok(collection.remove(frame.seq, &gone)))?;
        }
        Ok(())
    }

    fn upsert(self, seq: u64, Upsert { kind, value }: Upsert<'_>) -> serde_json::Result<()> {
        if kind == "fleet" {
            self.take_fleet(serde_json::from_str(value.get())?);
            return Ok(());
        }
        let single = self
            .singles
            .with_value(|known| known.iter().find(|single| single.name == kind).copied());
        match single {
            Some(single) => (single.read)(self, value),
            None => self.change(|collection| Ok(collection.name() == kind && collection.upsert(seq, value)?)),
        }
    }

    /// Stores the fleet as a frame or a call that changed it has it. An answer that is on its way says what was before.
    pub fn take_fleet(self, fleet: Fleet) {
        self.fleet_asked
            .update_value(|asked| _ = asked.begin(clock::now()));
        self.fleet.set(Some(fleet));
    }

    /// Calls `change` for every collection, and notifies the signals of those that answer `true` in the next animation
    /// frame.
    fn change(
        self,
        change: impl Fn(&dyn LiveCollection) -> serde_json::Result<bool>,
    ) -> serde_json::Result<()> {
        for collection in self.needed.get_value() {
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
            browser::next_frame(move || self.paint());
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

impl Deref for Store {
    type Target = Collections;

    fn deref(&self) -> &Collections {
        &self.collections
    }
}

#[must_use]
pub fn use_store() -> Store {
    expect_context()
}
