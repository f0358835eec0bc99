//! The fleet as it is now, in memory: what every page and every list is answered from.
//!
//! One lock, held for as long as it takes to apply one change or to copy what a caller asked for, never over
//! an await. Each change publishes its live frames before the lock is released.

mod announcement;
mod announcing;
mod attention;
mod device_entry;
mod inbound;
mod jobs;
mod links;
mod live;
mod maps;
mod owners_ssh;
mod path_sentence;
mod paths;
mod reload;
mod reports;
mod rows;
mod scoped;
mod tickets;

pub(crate) use attention::overlaps;
pub(crate) use device_entry::{DeviceEntry, LinkUp};
pub(crate) use inbound::ClosedReason;
pub(crate) use jobs::{JobHandle, JobTable, ShownJob, passed};
pub(crate) use live::{Audience, Reader, Upsert};
use live::{Live, Removal};
pub(crate) use owners_ssh::OwnersSsh;
use reload::PageReload;
pub(crate) use reports::ReportEffect;
pub(crate) use rows::Listable;
pub(crate) use tickets::Tickets;

use crate::{
    clock::Clock,
    store::{DeviceRow, FleetRow, TokenRow},
};
use flotilla_fleet::{Maps, PacedChanges, Presence};
use flotilla_protocol::{
    Timestamp,
    api::{List, PolicyInForce, Resource, ResourceRef, Scope, UnreachableDevice},
    device::{Device, DeviceStatus},
    id::DeviceId,
    mesh::Relay,
};
use parking_lot::{Mutex, MutexGuard};
use std::{collections::BTreeMap, sync::Arc, time::Instant};
use tokio::sync::Notify;

/// The fleet in memory, behind one lock. Shared by reference.
#[derive(Debug)]
pub(crate) struct Cache(Mutex<State>);

/// The contents of the cache.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) fleet: FleetRow,
    pub(crate) policy: PolicyInForce,
    pub(crate) live: Live,
    pub(crate) maps: Maps,
    /// For times of day in sentences that pages show.
    clock: Clock,
    /// Control's own relay, while it runs one.
    own_relay: Option<Relay>,
    presence: Presence,
    pace: PacedChanges,
    /// Notified when the next deadline may be earlier than the one that `timers` waits for.
    pub(crate) timers_changed: Arc<Notify>,
    devices: BTreeMap<DeviceId, DeviceEntry>,
    pub(crate) tickets: Tickets,
    page_reload: PageReload,
}

/// What a start reads from the store.
#[derive(Debug)]
pub(crate) struct StoredFleet {
    pub(crate) fleet: FleetRow,
    /// `None` until a policy was saved.
    pub(crate) policy: Option<PolicyInForce>,
    pub(crate) entries: Vec<DeviceEntry>,
}

impl Cache {
    /// Builds the cache from the store. Enrolled devices count as reconnecting at first, not as offline.
    pub(crate) fn new(stored: StoredFleet, clock: Clock, now: Instant) -> Self {
        let StoredFleet {
            fleet,
            policy,
            entries,
        } = stored;
        let policy = policy.unwrap_or_else(|| PolicyInForce {
            revision: 0,
            policy: flotilla_protocol::policy::Policy::default(),
            saved: fleet.created,
            by: "controller".to_owned(),
        });
        // Milliseconds since 1970 are more than any earlier run can have reached, since maps change far less often than
        // every millisecond.
        let revision = u64::try_from(clock.now().as_millisecond()).unwrap_or(0);
        let mut maps = Maps::new(fleet.mesh_cidr, policy.policy.clone(), revision);
        maps.set_all(entries.iter().filter_map(DeviceEntry::member).collect());
        let devices = entries.into_iter().map(|entry| (entry.row.id, entry)).collect();
        let mut state = State {
            fleet,
            policy,
            live: Live::default(),
            maps,
            clock,
            own_relay: None,
            presence: Presence::default(),
            pace: PacedChanges::default(),
            timers_changed: Arc::default(),
            devices,
            tickets: Tickets::default(),
            page_reload: PageReload::default(),
        };
        state.expect_all(now);
        state.map_relays();
        Self(Mutex::new(state))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        // A panic under this lock leaves at worst one row behind its device, which the next report mends.
        self.0.lock()
    }

    /// Looks at a device; `None` where there is no such device.
    pub(crate) fn read<T>(&self, device: DeviceId, look: impl FnOnce(&DeviceEntry) -> T) -> Option<T> {
        self.lock().device(device).map(look)
    }

    /// A reader of the live frames that tell of what is in `scope`.
    pub(crate) fn subscribe(&self, scope: Scope) -> Reader {
        self.lock().live.subscribe(scope)
    }
}

impl State {
    pub(crate) fn device(&self, id: DeviceId) -> Option<&DeviceEntry> {
        self.devices.get(&id)
    }

    pub(crate) fn devices(&self) -> impl Iterator<Item = &DeviceEntry> {
        self.devices.values()
    }

    /// A device by its id or its name, if it is in a scope.
    pub(crate) fn find_within(&self, text: &str, scope: &Scope) -> Option<&DeviceEntry> {
        self.find(text).filter(|entry| entry.is_in(scope))
    }

    /// A device by its id or its name.
    pub(crate) fn find(&self, text: &str) -> Option<&DeviceEntry> {
        let by_id = text.parse().ok().and_then(|id| self.devices.get(&id));
        by_id.or_else(|| {
            self.devices
                .values()
                .find(|entry| entry.row.name.as_str() == text)
        })
    }

    pub(crate) fn insert(&mut self, entry: DeviceEntry, now: Timestamp) {
        let id = entry.row.id;
        self.devices.insert(id, entry);
        self.map_device(id);
        self.publish_device(id, now);
    }

    /// Changes a device and publishes its row; nothing happens when the device is gone. Readers who see it only with its
    /// tags from before, or only with its new ones, load their pages again.
    pub(crate) fn change(&mut self, id: DeviceId, now: Timestamp, change: impl FnOnce(&mut DeviceEntry)) {
        let Some(entry) = self.devices.get_mut(&id) else {
            return;
        };
        let before = entry.row.tags.clone();
        change(entry);
        let place = entry.place();
        self.map_device(id);
        if place.tags == before {
            self.publish_device(id, now);
        } else {
            self.publish_device_to(Audience::Retagged { place, before }, id, now);
        }
    }

    /// Takes a device's record as it was written, and publishes it. Only when the device was last seen is known here
    /// first.
    pub(crate) fn set_row(&mut self, row: &DeviceRow, now: Timestamp) {
        self.change(row.id, now, |entry| {
            let last_seen = entry.row.last_seen;
            entry.row = DeviceRow {
                last_seen,
                ..row.clone()
            };
        });
    }

    /// Changes a device without publishing its row: for values that no page shows, or not at once.
    pub(crate) fn note(&mut self, id: DeviceId, change: impl FnOnce(&mut DeviceEntry)) {
        if let Some(entry) = self.devices.get_mut(&id) {
            change(entry);
            self.map_device(id);
        }
    }

    pub(crate) fn remove(&mut self, id: DeviceId) {
        self.presence.handle_gone(id);
        self.pace.handle_gone(id);
        if let Some(entry) = self.devices.remove(&id) {
            self.map_device(id);
            let gone = ResourceRef::Device { device_id: id };
            self.live.remove(|| Removal::new(entry.audience(), gone));
        }
    }

    /// Sets how far a device's enrollment has come, and publishes it with the device.
    pub(crate) fn set_token(&mut self, token: TokenRow, now: Timestamp) {
        let id = token.device_id;
        let Some(entry) = self.devices.get_mut(&id) else {
            return;
        };
        entry.token = Some(token);
        self.publish_enrollment(id, now);
        self.publish_device(id, now);
    }

    pub(crate) fn publish_enrollment(&mut self, id: DeviceId, now: Timestamp) {
        let Some(entry) = self.devices.get(&id) else {
            return;
        };
        if let Some(enrollment) = entry.enrollment(now) {
            self.live
                .upsert(|| Upsert::new(entry.audience(), Resource::Enrollment(enrollment)));
        }
    }

    /// The devices of a scope.
    pub(crate) fn devices_in(&self, scope: &Scope) -> impl Iterator<Item = &DeviceEntry> {
        self.devices.values().filter(|entry| entry.is_in(scope))
    }

    /// All devices of a scope by name.
    pub(crate) fn list_devices(
        &self,
        scope: &Scope,
        now: Timestamp,
        moment: impl Fn(Timestamp) -> String,
    ) -> List<Device> {
        let mut items: Vec<_> = self
            .devices_in(scope)
            .map(|entry| self.view(entry, scope, now))
            .collect();
        items.sort_by(|a, b| a.name.cmp(&b.name));
        let unreachable = self
            .devices_in(scope)
            .filter_map(|entry| entry.unreachable(&moment));
        List {
            items,
            unreachable_devices: by_name(unreachable),
            seq: self.live.seq(),
        }
    }

    /// How many devices of a scope there are in each status.
    pub(crate) fn count_by_status(&self, scope: &Scope) -> BTreeMap<DeviceStatus, u32> {
        let mut counts: BTreeMap<_, _> = DeviceStatus::ALL.iter().map(|status| (*status, 0)).collect();
        for entry in self.devices_in(scope) {
            *counts.entry(entry.status()).or_default() += 1;
        }
        counts
    }
}

fn by_name(devices: impl Iterator<Item = UnreachableDevice>) -> Vec<UnreachableDevice> {
    let mut devices: Vec<_> = devices.collect();
    devices.sort_by(|a, b| a.device.cmp(&b.device));
    devices
}
