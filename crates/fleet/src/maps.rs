//! The network map of each device, and which part of it its agent lacks.
//!
//! Life of a change: control states what is true ([`Maps::set`], [`Maps::remove`], [`Maps::set_policy`] …) → every map
//! that differs by it gets a higher revision, and its device comes out of [`Maps::poll_changed`] → [`Maps::push`]
//! gives what the agent lacks, the whole map or only what changed, one push at a time → [`Maps::handle_taken`] takes
//! the revision that the agent has then. A push without an answer counts as not made.
//!
//! A device has a map from the moment it has a key. Only devices that a rule connects know of each other, so a
//! change costs as much as the maps that it is part of, not as much as the fleet.

mod change;
mod delivery;
mod entry;

use delivery::MapPart;
use entry::{MapEntry, Ticket};
use flotilla_policy::{Compiled, Subject};
use flotilla_protocol::{
    Timestamp,
    cidr::Ipv4Net,
    device::RelayPreference,
    enroll::MeshAddress,
    id::{DeviceId, RelayId},
    key::PublicKey,
    mesh::{Candidate, MapPush, Nat, NetworkMap, Relay, RelayTicket},
    policy::Policy,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

/// How old a ticket gets before its device is given the next. When control goes away, every device so has a ticket
/// with at most a day of its life used up.
const TICKET_AGE: Duration = Duration::from_secs(86_400);

/// What maps are made of, of one device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub subject: Subject,
    /// Absent until an agent proved that it holds the private key.
    pub public_key: Option<PublicKey>,
    pub relay: RelayPreference,
    pub candidates: Vec<Candidate>,
    pub home_relay: Option<RelayId>,
    pub nat: Nat,
}

/// The maps of a whole fleet.
#[derive(Debug)]
pub struct Maps {
    range: Ipv4Net,
    policy: Policy,
    compiled: Arc<Compiled>,
    relays: Vec<Relay>,
    entries: BTreeMap<DeviceId, MapEntry>,
    /// The newest revision of any map.
    revision: u64,
    changed: BTreeSet<DeviceId>,
}

impl Maps {
    /// Maps without devices. Revisions begin above `revision`, which must be higher than any given before, because
    /// agents keep their maps across a restart of control.
    pub fn new(range: Ipv4Net, policy: Policy, revision: u64) -> Self {
        Self {
            compiled: Arc::new(Compiled::new(&policy, &[], range.into())),
            range,
            policy,
            relays: Vec::new(),
            entries: BTreeMap::new(),
            revision,
            changed: BTreeSet::new(),
        }
    }

    pub fn range(&self) -> Ipv4Net {
        self.range
    }

    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    pub fn compiled(&self) -> &Compiled {
        &self.compiled
    }

    /// All devices, in the form that policies are compiled from.
    pub fn subjects(&self) -> Vec<Subject> {
        self.entries
            .values()
            .map(|entry| entry.member.subject.clone())
            .collect()
    }

    /// Sets what is true of a device, adding it if it is new.
    pub fn set(&mut self, member: Member) {
        self.set_all(vec![member]);
    }

    /// Sets what is true of some devices, with one compilation of the policy.
    pub fn set_all(&mut self, mut members: Vec<Member>) {
        members.retain(|new| self.member(new.subject.id) != Some(new));
        if members.is_empty() {
            return;
        }
        let ids: Vec<_> = members.iter().map(|member| member.subject.id).collect();
        self.change(&ids, |maps| {
            let mut regrouped = false;
            for member in members {
                let id = member.subject.id;
                regrouped |= maps.member(id).is_none_or(|old| old.subject != member.subject);
                match maps.entries.get_mut(&id) {
                    Some(entry) => entry.member = member,
                    None => drop(maps.entries.insert(id, MapEntry::new(member))),
                }
            }
            if regrouped {
                maps.compile();
            }
        });
    }

    /// A device was revoked or removed: it leaves every map.
    pub fn remove(&mut self, id: DeviceId) {
        if self.entries.contains_key(&id) {
            self.change(&[id], |maps| {
                maps.entries.remove(&id);
                maps.compile();
            });
            self.changed.remove(&id);
        }
    }

    pub fn set_policy(&mut self, policy: Policy) {
        let ids: Vec<_> = self.entries.keys().copied().collect();
        self.change(&ids, |maps| {
            maps.policy = policy;
            maps.compile();
        });
    }

    /// Another range, with the devices at their new addresses.
    pub fn set_range(&mut self, range: Ipv4Net, members: Vec<Member>) {
        let ids: Vec<_> = self.entries.keys().copied().collect();
        self.change(&ids, |maps| {
            maps.range = range;
            for member in members {
                if let Some(entry) = maps.entries.get_mut(&member.subject.id) {
                    entry.member = member;
                }
            }
            maps.compile();
        });
    }

    pub fn set_relays(&mut self, relays: Vec<Relay>) {
        if self.relays == relays {
            return;
        }
        self.relays = relays;
        self.revision += 1;
        let ids: Vec<_> = self.entries.keys().copied().collect();
        for id in ids {
            self.mark(id, MapPart::Relays);
        }
    }

    pub fn relays(&self) -> &[Relay] {
        &self.relays
    }

    /// The key for which a device needs a ticket; `None` while it has a fresh one, and when it may use no relay.
    pub fn wants_ticket(&self, id: DeviceId, now: Timestamp) -> Option<PublicKey> {
        let entry = self.entries.get(&id)?;
        let key = entry.member.public_key?;
        let is_good = entry
            .ticket
            .as_ref()
            // A ticket issued in the future comes from a clock that was wrong, and is replaced.
            .is_some_and(|held| {
                held.key == key && now.duration_since(held.issued).unsigned_abs() < TICKET_AGE
            });
        (entry.member.relay != RelayPreference::Never && !is_good).then_some(key)
    }

    /// A ticket for a key, issued at a moment.
    pub fn set_ticket(&mut self, id: DeviceId, key: PublicKey, text: RelayTicket, issued: Timestamp) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.ticket = Some(Ticket { text, key, issued });
            self.revision += 1;
            self.mark(id, MapPart::Ticket);
        }
    }

    /// The whole map of a device; `None` while it is not on the mesh.
    pub fn map(&self, id: DeviceId) -> Option<NetworkMap> {
        let entry = self.entries.get(&id)?;
        entry.member.public_key?;
        let peers = self.peers_of(id);
        let peers = peers.iter().filter_map(|peer| self.entries.get(peer)?.as_peer());
        Some(NetworkMap {
            revision: entry.revision,
            address: self.address(entry),
            relay: entry.member.relay,
            peers: peers.collect(),
            relays: self.relays.clone(),
            filter: self.compiled.filter_for(id),
            ticket: entry.ticket().cloned(),
        })
    }

    /// A device whose map changed since it last came out here.
    pub fn poll_changed(&mut self) -> Option<DeviceId> {
        self.changed.pop_first()
    }

    /// A device has a new link. A push on the link before is lost, and the agent may have lost its map.
    pub fn handle_link_up(&mut self, id: DeviceId) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.delivery.handle_link_up();
        }
    }

    /// The next push to a device's agent; `None` while it has everything, or while another push is in flight.
    pub fn push(&mut self, id: DeviceId) -> Option<MapPush> {
        let entry = self.entries.get_mut(&id)?;
        entry.member.public_key?;
        match entry.delivery.next_push(entry.revision)? {
            delivery::Push::Whole => self.map(id).map(MapPush::Whole),
            delivery::Push::Since { revision, pending } => {
                self.change_since(id, revision, &pending).map(MapPush::Change)
            }
        }
    }

    /// The agent answered a push with the revision that it has. Returns whether it is the pushed one.
    pub fn handle_taken(&mut self, id: DeviceId, revision: u64) -> bool {
        self.entries
            .get_mut(&id)
            .is_some_and(|entry| entry.delivery.handle_taken(revision))
    }

    /// A push was not answered, or refused.
    pub fn handle_push_failed(&mut self, id: DeviceId) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.delivery.handle_push_failed();
        }
    }

    fn member(&self, id: DeviceId) -> Option<&Member> {
        self.entries.get(&id).map(|entry| &entry.member)
    }

    fn address(&self, entry: &MapEntry) -> MeshAddress {
        MeshAddress {
            address: entry.member.subject.address,
            prefix: self.range.prefix_len(),
        }
    }

    /// The devices in a device's map.
    fn peers_of(&self, id: DeviceId) -> BTreeSet<DeviceId> {
        let has_key = |id: &DeviceId| self.member(*id).is_some_and(|member| member.public_key.is_some());
        if !has_key(&id) {
            return BTreeSet::new();
        }
        let mut known = self.compiled.neighbors(id);
        known.retain(has_key);
        known
    }

    fn compile(&mut self) {
        self.compiled = Arc::new(Compiled::new(&self.policy, &self.subjects(), self.range.into()));
    }

    fn mark(&mut self, id: DeviceId, part: MapPart) {
        let Some(entry) = self
            .entries
            .get_mut(&id)
            .filter(|entry| entry.member.public_key.is_some())
        else {
            return;
        };
        entry.revision = self.revision;
        entry.delivery.mark_pending(part);
        self.changed.insert(id);
    }
}

#[cfg(test)]
mod tests;
