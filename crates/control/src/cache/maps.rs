//! Network maps follow the cache: when a device changes, all maps are updated before the lock is released, and links
//! whose maps changed are woken.

use super::{
    DeviceEntry, State,
    live::{Audience, Place, Removal, Upsert},
};
use crate::store::DeviceRow;
use flotilla_fleet::Member;
use flotilla_policy::Subject;
use flotilla_protocol::{
    Timestamp,
    api::{PolicyInForce, RelayFacts, Resource, ResourceRef, Scope},
    cidr::Ipv4Net,
    device::DeviceStatus,
    endpoint::Endpoint,
    id::{DeviceId, RelayId},
    key::PublicKey,
    mesh::{CandidateKind, REFLECT_PORT_OFFSET, Relay},
};

/// Endpoints of a relay that maps contain: a relay is in a few networks, and every device tries each endpoint.
const MOST_ENDPOINTS: usize = 8;

impl DeviceEntry {
    /// The device as maps are made from it; `None` once it is revoked.
    pub(super) fn member(&self) -> Option<Member> {
        let row = &self.row;
        if row.revoked.is_some() {
            return None;
        }
        let announcement = &self.announcement;
        Some(Member {
            subject: Subject {
                id: row.id,
                name: row.name.clone(),
                address: row.mesh_ip,
                tags: row.tags.clone(),
                user: None,
                mode: self.mode_in_force(),
            },
            public_key: self.public_key(),
            relay: row.relay,
            candidates: announcement.candidates.clone(),
            home_relay: announcement.home_relay,
            nat: announcement.nat,
        })
    }

    /// The device's key on the mesh, from the first link with the certificate that was issued for that key.
    pub(crate) fn public_key(&self) -> Option<PublicKey> {
        self.row.credential.as_ref()?.wireguard_key.parse().ok()
    }

    /// The relay that the device runs.
    fn as_relay(&self) -> Option<Relay> {
        let relaying = self
            .row
            .relaying
            .as_ref()
            .filter(|_| self.row.revoked.is_none())?;
        let mut endpoints: Vec<_> = relaying.address.clone().into_iter().collect();
        if endpoints.is_empty() {
            let mut found = self.announcement.candidates.clone();
            // Reflexive addresses come first: they can be reached from outside the relay's network.
            found.sort_by_key(|candidate| candidate.kind != CandidateKind::Reflexive);
            for candidate in found {
                let endpoint = Endpoint::from_ip(candidate.address.ip(), relaying.port);
                if endpoints.len() < MOST_ENDPOINTS && !endpoints.contains(&endpoint) {
                    endpoints.push(endpoint);
                }
            }
        }
        Some(Relay {
            id: RelayId(self.row.id.0),
            name: self.row.name.to_string(),
            public_key: self.public_key()?,
            endpoints,
            reflect_port: relaying.port.checked_add(REFLECT_PORT_OFFSET),
        })
    }
}

impl State {
    /// Updates all maps for a device that changed, appeared or was removed.
    pub(super) fn map_device(&mut self, id: DeviceId) {
        match self.devices.get(&id).and_then(DeviceEntry::member) {
            Some(member) => self.maps.set(member),
            None => self.maps.remove(id),
        }
        let relays = self
            .devices
            .get(&id)
            .is_some_and(|entry| entry.row.relaying.is_some());
        if relays || self.maps.relays().iter().any(|relay| relay.id.0 == id.0) {
            self.map_relays();
        }
        self.wake();
    }

    /// Sets control's own relay; `None` when it stops.
    pub(crate) fn set_own_relay(&mut self, relay: Option<Relay>) {
        self.own_relay = relay;
        self.map_relays();
        self.wake();
    }

    #[cfg(test)]
    pub(crate) fn own_relay(&self) -> Option<&Relay> {
        self.own_relay.as_ref()
    }

    /// Sets the endpoints of control's own relay, which are those of control.
    pub(crate) fn set_own_endpoints(&mut self, endpoints: &[Endpoint]) {
        if let Some(own) = &mut self.own_relay {
            own.endpoints = endpoints.to_vec();
            self.map_relays();
            self.wake();
        }
    }

    /// Puts a policy in force: updates all maps, and publishes the policy and all paths.
    pub(crate) fn set_policy(&mut self, policy: PolicyInForce, now: Timestamp) {
        self.maps.set_policy(policy.policy.clone());
        self.policy = policy;
        let shown = &self.policy;
        self.live
            .upsert(|| Upsert::new(Audience::Whole, Resource::Policy(Box::new(shown.clone()))));
        self.publish_all_paths(now);
        self.wake();
    }

    /// Moves every device to its address in another range.
    pub(crate) fn set_range(&mut self, range: Ipv4Net, rows: &[DeviceRow], now: Timestamp) {
        for row in rows {
            if let Some(entry) = self.devices.get_mut(&row.id) {
                entry.row.mesh_ip = row.mesh_ip;
            }
        }
        let members = self.devices.values().filter_map(DeviceEntry::member);
        self.maps.set_range(range, members.collect());
        for row in rows {
            self.publish_device(row.id, now);
        }
        self.wake();
    }

    pub(super) fn map_relays(&mut self) {
        let own = self.own_relay.clone();
        let relays: Vec<_> = own
            .into_iter()
            .chain(self.devices.values().filter_map(DeviceEntry::as_relay))
            .collect();
        let gone: Vec<_> = self.maps.relays().iter().map(|relay| relay.id).collect();
        if self.maps.relays() == relays {
            return;
        }
        self.maps.set_relays(relays);
        self.publish_relays(self.clock.now());
        for id in gone
            .into_iter()
            .filter(|id| !self.maps.relays().iter().any(|relay| relay.id == *id))
        {
            let audience = self.relay_audience(id);
            self.live
                .remove(|| Removal::new(audience, ResourceRef::Relay { id }));
        }
    }

    pub(super) fn publish_relays(&mut self, now: Timestamp) {
        if self.live.readers() == 0 {
            return;
        }
        for relay in self.shown_relays(now) {
            let audience = self.relay_audience(relay.facts.id);
            self.live.upsert(|| {
                Upsert::told_by_scope(audience, move |scope| {
                    Resource::Relay(relay.clone().within(scope))
                })
            });
        }
    }

    /// Whom frames about a relay are for: readers of the device that runs it; everybody where that is control.
    fn relay_audience(&self, id: RelayId) -> Audience {
        let is_own = self.own_relay.as_ref().is_some_and(|own| own.id == id);
        if is_own || id.0 == self.fleet.id.0 {
            Audience::Everybody
        } else {
            Audience::Device(self.place(DeviceId(id.0)))
        }
    }

    /// The relays that callers with this scope see, control's own first.
    pub(crate) fn list_relays(&self, scope: &Scope, now: Timestamp) -> Vec<RelayFacts> {
        let relays = self.shown_relays(now).into_iter();
        let seen = relays.filter(|relay| relay.host.as_ref().is_none_or(|host| host.is_in(scope)));
        seen.map(|relay| relay.within(scope)).collect()
    }

    fn shown_relays(&self, now: Timestamp) -> Vec<ShownRelay> {
        let shown = |relay: &Relay| {
            let host = self.devices.get(&DeviceId(relay.id.0));
            let at_home = self.devices.values().filter(|entry| {
                entry.link.is_some()
                    && entry.last_report.mesh.as_ref().and_then(|mesh| mesh.home_relay) == Some(relay.id)
            });
            let facts = RelayFacts {
                id: relay.id,
                name: relay.name.clone(),
                device: host.map(|entry| entry.row.name.clone()),
                endpoints: relay.endpoints.clone(),
                mbit_per_second: host
                    .and_then(|entry| entry.row.relaying.as_ref())
                    .map(|relaying| relaying.mbit_per_second),
                up: host.is_none_or(|entry| entry.status() == DeviceStatus::Online),
                devices: 0,
                as_of: host.map_or(now, |entry| entry.as_of(now)),
            };
            ShownRelay {
                facts,
                host: host.map(DeviceEntry::place),
                at_home: at_home.map(DeviceEntry::place).collect(),
            }
        };
        self.maps.relays().iter().map(shown).collect()
    }

    /// Wakes every link, so that it looks whether its device needs a ticket or a map.
    pub(crate) fn wake_all(&self) {
        for entry in self.devices.values() {
            entry.map_changed.notify_one();
        }
    }

    fn wake(&mut self) {
        while let Some(id) = self.maps.poll_changed() {
            if let Some(entry) = self.devices.get(&id) {
                entry.map_changed.notify_one();
            }
        }
    }
}

/// A relay with what its facts say of devices.
#[derive(Debug, Clone)]
struct ShownRelay {
    facts: RelayFacts,
    /// The device that runs it; `None` for control's own.
    host: Option<Place>,
    /// Devices that listen there.
    at_home: Vec<Place>,
}

impl ShownRelay {
    /// The facts for callers with this scope: other devices are not counted.
    fn within(self, scope: &Scope) -> RelayFacts {
        let seen = self.at_home.iter().filter(|device| device.is_in(scope)).count();
        RelayFacts {
            devices: u32::try_from(seen).unwrap_or(u32::MAX),
            ..self.facts
        }
    }
}
