//! Which parts of which maps differ after a change.
//!
//! Devices that the rules treat alike before a change and after it form a group. Maps are compared between groups, so
//! the cost of a policy for a thousand devices grows with the number of groups and not with a million pairs of
//! devices. Pairs are written out only for agents that lack few of their peers.

use super::{MapEntry, MapPart, Maps};
use flotilla_policy::{Compiled, Kind};
use flotilla_protocol::{device::RelayPreference, enroll::MeshAddress, id::DeviceId, mesh::Peer};
use std::{collections::BTreeMap, sync::Arc};

/// What a change can make different of a device, apart from the rules.
#[derive(Debug)]
struct MemberView {
    as_peer: Option<Peer>,
    own: Option<(MeshAddress, RelayPreference)>,
    has_ticket: bool,
}

/// A device without a key is not on the mesh, so it has no kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Group {
    before: Option<Kind>,
    after: Option<Kind>,
    /// The change was about these devices.
    is_changed_device: bool,
    /// Other devices see a difference in their entry for these.
    is_changed_peer: bool,
}

type Groups = BTreeMap<Group, Vec<DeviceId>>;

impl Maps {
    /// Applies a change about the devices `ids`, and marks every map that differs by it.
    pub(super) fn change(&mut self, ids: &[DeviceId], apply: impl FnOnce(&mut Self)) {
        let views: BTreeMap<_, _> = ids.iter().map(|id| (*id, self.view(*id))).collect();
        let old = Arc::clone(&self.compiled);
        self.revision += 1;
        apply(self);
        let groups = self.groups(&views, &old);
        self.mark_filters(&groups, &old);
        self.mark_peers(&groups, &old);
        for (id, before) in &views {
            self.mark_own(*id, before, &self.view(*id));
        }
    }

    fn view(&self, id: DeviceId) -> MemberView {
        let entry = self.entries.get(&id);
        let keyed = entry.filter(|entry| entry.member.public_key.is_some());
        MemberView {
            as_peer: entry.and_then(MapEntry::as_peer),
            own: keyed.map(|entry| (self.address(entry), entry.member.relay)),
            has_ticket: entry.is_some_and(|entry| entry.ticket().is_some()),
        }
    }

    fn groups(&self, views: &BTreeMap<DeviceId, MemberView>, old: &Compiled) -> Groups {
        let mut groups = Groups::new();
        let gone = views.keys().filter(|id| !self.entries.contains_key(id));
        for id in self.entries.keys().chain(gone) {
            let view = views.get(id);
            let has_key = self.member(*id).is_some_and(|member| member.public_key.is_some());
            let had_key = view.map_or(has_key, |view| view.as_peer.is_some());
            let group = Group {
                before: old.kind(*id).filter(|_| had_key),
                after: self.compiled.kind(*id).filter(|_| has_key),
                is_changed_device: view.is_some(),
                is_changed_peer: view
                    .is_some_and(|view| view.as_peer != self.entries.get(id).and_then(MapEntry::as_peer)),
            };
            groups.entry(group).or_default().push(*id);
        }
        groups
    }

    fn mark_filters(&mut self, groups: &Groups, old: &Compiled) {
        for (group, members) in groups {
            let kinds = group.before.zip(group.after);
            if kinds.is_some_and(|(before, after)| old.filter(before) != self.compiled.filter(after)) {
                for id in members {
                    self.mark(*id, MapPart::Filter);
                }
            }
        }
    }

    fn mark_peers(&mut self, groups: &Groups, old: &Compiled) {
        let changed_devices: Vec<_> = groups
            .iter()
            .filter(|(group, _)| group.is_changed_device)
            .collect();
        let all: Vec<_> = groups.iter().collect();
        for (group, members) in groups {
            let others = if group.is_changed_device {
                &all
            } else {
                &changed_devices
            };
            let count = |others: &[&(&Group, &Vec<DeviceId>)]| -> usize {
                let sizes = others
                    .iter()
                    .map(|(other, of)| of.len() - usize::from(*other == group));
                sizes.sum()
            };
            let linked = |other: &Group| links(&self.compiled, group.after, other.after);
            let changed: Vec<_> = others
                .iter()
                .filter(|(other, _)| {
                    let is_linked = linked(other);
                    is_linked != links(old, group.before, other.before)
                        || (is_linked && other.is_changed_peer)
                })
                .collect();
            if count(&changed) == 0 {
                continue;
            }
            // Then the whole map is shorter than the change, and what is pending does not grow with the pairs of
            // devices.
            let known: Vec<_> = others.iter().filter(|(other, _)| linked(other)).collect();
            let is_mostly_changed = group.is_changed_device && 2 * count(&changed) > count(&known);
            for id in members {
                if is_mostly_changed {
                    self.mark(*id, MapPart::All);
                    continue;
                }
                let peers = changed.iter().flat_map(|(_, others)| others.iter());
                for other in peers.filter(|other| *other != id) {
                    self.mark(*id, MapPart::Peer(*other));
                }
            }
        }
    }

    fn mark_own(&mut self, id: DeviceId, before: &MemberView, after: &MemberView) {
        let key = |view: &MemberView| view.as_peer.as_ref().map(|peer| peer.public_key);
        // Another key means another agent with no map, and a change cannot say that a ticket is gone.
        if key(before) != key(after) || (before.has_ticket && !after.has_ticket) {
            return self.mark(id, MapPart::All);
        }
        if before.own != after.own {
            self.mark(id, MapPart::Own);
        }
        // While the device was set to use no relay, its ticket was kept here but was not in its map.
        if after.has_ticket && !before.has_ticket {
            self.mark(id, MapPart::Ticket);
        }
    }
}

fn links(compiled: &Compiled, one: Option<Kind>, other: Option<Kind>) -> bool {
    one.zip(other)
        .is_some_and(|(one, other)| compiled.links(one, other))
}
