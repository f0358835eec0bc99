//! What a caller sees of the fleet: things of its own scope, and in them no name of a device outside of it.

use super::{
    DeviceEntry, State,
    live::{Audience, Naming, Place, Upsert},
    paths::Ends,
};
use flotilla_protocol::{
    Timestamp,
    activity::Activity,
    api::{Fleet, Job, Resource, Scope},
    cidr::Ipv4Net,
    device::Device,
    id::{DeviceId, RelayId},
    path::Path,
};
use std::collections::{BTreeMap, BTreeSet};

impl DeviceEntry {
    pub(crate) fn place(&self) -> Place {
        Place {
            id: self.row.id,
            tags: self.row.tags.clone(),
        }
    }

    /// Whom frames about the device are for.
    pub(crate) fn audience(&self) -> Audience {
        Audience::Device(self.place())
    }

    pub(crate) fn is_in(&self, scope: &Scope) -> bool {
        scope.covers(self.row.id, &self.row.tags)
    }
}

impl State {
    /// A device by what decides who may see it. One that is gone has no tags.
    pub(crate) fn place(&self, id: DeviceId) -> Place {
        self.device(id)
            .map_or_else(|| Place { id, tags: Vec::new() }, DeviceEntry::place)
    }

    /// The ids of all devices of a scope, with those that it names although they are gone; `None` for the whole fleet.
    pub(crate) fn ids_in(&self, scope: &Scope) -> Option<BTreeSet<DeviceId>> {
        let named = match scope {
            Scope::All => return None,
            Scope::Part { devices, .. } => devices.clone(),
            Scope::Unknown => BTreeSet::new(),
        };
        let present = self.devices_in(scope).map(|entry| entry.row.id);
        Some(present.chain(named).collect())
    }

    /// A device as callers with this scope see it.
    pub(crate) fn view(&self, entry: &DeviceEntry, scope: &Scope, now: Timestamp) -> Device {
        shown_device(&self.devices, entry, self.fleet.mesh_cidr, now).within(scope)
    }

    /// The path from one device to another, as callers with this scope see it.
    pub(crate) fn path_within(&self, ends: Ends<'_>, scope: &Scope, now: Timestamp) -> Path {
        self.shown_path(ends, now).within(scope)
    }

    pub(super) fn shown_path(&self, ends: Ends<'_>, now: Timestamp) -> Naming<Path> {
        let (thing, relay) = self.path(ends, now);
        Naming {
            thing,
            other: relay.and_then(|relay| relay_host(&self.devices, relay)),
            hide: |path| path.relay = None,
        }
    }

    /// The fleet as a whole, as callers with this scope see it.
    pub(crate) fn fleet_within(&self, fleet: Fleet, scope: &Scope) -> Fleet {
        self.shown_fleet(fleet).within(scope)
    }

    fn shown_fleet(&self, thing: Fleet) -> Naming<Fleet> {
        let other = thing.this_computer.map(|id| self.place(id));
        Naming {
            thing,
            other,
            hide: |fleet| fleet.this_computer = None,
        }
    }

    pub(crate) fn publish_device(&mut self, id: DeviceId, now: Timestamp) {
        if let Some(entry) = self.device(id) {
            self.publish_device_to(entry.audience(), id, now);
        }
    }

    pub(super) fn publish_device_to(&mut self, audience: Audience, id: DeviceId, now: Timestamp) {
        let (devices, range) = (&self.devices, self.fleet.mesh_cidr);
        if let Some(entry) = devices.get(&id) {
            self.live.upsert(|| {
                let shown = shown_device(devices, entry, range, now);
                Upsert::naming(audience, shown, |device| Resource::Device(Box::new(device)))
            });
        }
    }

    pub(crate) fn publish_fleet(&mut self, fleet: Fleet) {
        let shown = self.shown_fleet(fleet);
        self.live
            .upsert(|| Upsert::naming(Audience::Everybody, shown, Resource::Fleet));
    }

    /// Publishes a job to readers of all its devices, at the pace at which one of them at least may cause frames: what it
    /// says of a job changes as often as it likes.
    pub(crate) fn publish_job(&mut self, job: &Job, now: Timestamp) {
        if job.device_ids.iter().any(|device| self.may_show(*device, 1, now)) {
            let places = job.device_ids.iter().map(|device| self.place(*device));
            let audience = Audience::Each(places.collect());
            self.live
                .upsert(|| Upsert::new(audience, Resource::Job(Box::new(job.clone()))));
        }
    }

    /// Publishes an entry of the activity log: to readers of its device, or of the whole fleet where it has none.
    pub(crate) fn publish_activity(&mut self, entry: Activity) {
        let device = entry.device_id.map(|id| self.place(id));
        self.live.upsert(|| {
            let audience = device.map_or(Audience::Whole, Audience::Device);
            Upsert::new(audience, Resource::Activity(entry))
        });
    }
}

/// The device that runs a relay; `None` for control's own relay.
fn relay_host(devices: &BTreeMap<DeviceId, DeviceEntry>, id: RelayId) -> Option<Place> {
    devices.get(&DeviceId(id.0)).map(DeviceEntry::place)
}

fn shown_device(
    devices: &BTreeMap<DeviceId, DeviceEntry>,
    entry: &DeviceEntry,
    range: Ipv4Net,
    now: Timestamp,
) -> Naming<Device> {
    let thing = entry.view(now, range);
    let home = thing.mesh.as_ref().and_then(|mesh| mesh.home_relay);
    Naming {
        thing,
        other: home.and_then(|home| relay_host(devices, home)),
        hide: |device| {
            if let Some(mesh) = &mut device.mesh {
                mesh.home_relay = None;
            }
        },
    }
}

#[cfg(test)]
mod tests;
