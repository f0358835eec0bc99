//! Paths between devices, as their agents report them, and the reason for each pair without a report.
//!
//! An agent reports a path when it changes, so a report counts while the agent has its link, and after that while the
//! other end receives its packets. Another path is published at once, changed figures every few seconds.

use super::{
    State,
    device_entry::{DeviceEntry, ReportedPath},
    live::{Audience, Removal, Upsert},
    path_sentence,
};
use flotilla_fleet::{Life, PresenceState};
use flotilla_protocol::{
    Timestamp,
    api::{List, Resource, ResourceRef, Scope},
    id::{DeviceId, RelayId},
    path::{Path, PathReason, PeerPath},
};
use jiff::SignedDuration;
use std::collections::BTreeSet;

/// Packets within this time mean that a path is in use.
const IN_USE: SignedDuration = SignedDuration::from_mins(2);

/// The relative change of a round trip from which it is published at once.
const RTT_CHANGE: f32 = 0.2;

/// Frames that are published at once. Beyond this, pages are made to load again: they could not keep up.
const FRAMES: usize = 512;

/// Devices up to which a list contains every pair. In a larger fleet it leaves out pairs that no rule connects.
const LISTED_WHOLE: usize = 100;

/// The two ends of a path.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ends<'a> {
    pub(crate) from: &'a DeviceEntry,
    pub(crate) to: &'a DeviceEntry,
}

/// How a report differs from the one before, for open pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PathEffect {
    Path,
    Figures,
    Nothing,
}

impl DeviceEntry {
    fn apply_path(&mut self, path: PeerPath, now: Timestamp) -> PathEffect {
        let Some(previous) = self.paths.get_mut(&path.peer) else {
            let carried = (path.received_bytes > 0).then_some(now);
            self.paths.insert(
                path.peer,
                ReportedPath {
                    path,
                    carried,
                    has_unshown_figures: false,
                },
            );
            return PathEffect::Path;
        };
        if path.received_bytes > previous.path.received_bytes {
            previous.carried = Some(now);
        }
        let effect = effect_of(&previous.path, &path);
        previous.path = path;
        previous.has_unshown_figures |= effect == PathEffect::Figures;
        effect
    }

    /// Whether the device belongs on the mesh, with or without a link.
    fn is_on_mesh(&self) -> bool {
        self.life() == Life::Enrolled
    }

    /// When packets of a peer last arrived at this device.
    fn carried(&self, peer: DeviceId) -> Option<Timestamp> {
        self.paths.get(&peer)?.carried
    }

    /// Whether the device is offline for control and the other end received no packet of it since.
    fn is_away(&self, other: &DeviceEntry) -> bool {
        self.presence == PresenceState::Offline && other.carried(self.row.id) <= self.row.last_seen
    }
}

fn effect_of(old: &PeerPath, new: &PeerPath) -> PathEffect {
    let is_same = (old.why, old.relay, old.remote, old.cause, old.mtu, old.since)
        == (new.why, new.relay, new.remote, new.cause, new.mtu, new.since);
    let is_steady = match (old.rtt_ms, new.rtt_ms) {
        (Some(old), Some(new)) => (new - old).abs() < RTT_CHANGE * old,
        (old, new) => old == new,
    };
    if !is_same || !is_steady {
        PathEffect::Path
    } else if old == new {
        PathEffect::Nothing
    } else {
        PathEffect::Figures
    }
}

impl State {
    /// Applies a report of paths. Answers whether changed figures wait to be published.
    pub(super) fn apply_paths(&mut self, id: DeviceId, paths: Vec<PeerPath>, now: Timestamp) -> bool {
        let mut figures = false;
        for path in paths {
            let peer = path.peer;
            if peer == id || !self.devices.contains_key(&peer) {
                continue;
            }
            let Some(entry) = self.devices.get_mut(&id) else {
                return false;
            };
            entry.paths_reported = Some(now);
            match entry.apply_path(path, now) {
                PathEffect::Path => {
                    if self.may_show(id, 1, now) {
                        self.publish_path(id, peer, now);
                    }
                }
                PathEffect::Figures => figures = true,
                PathEffect::Nothing => {}
            }
        }
        figures
    }

    /// Publishes the changed figures of a device's paths.
    pub(crate) fn publish_figures(&mut self, id: DeviceId, now: Timestamp) {
        let Some(entry) = self.devices.get_mut(&id) else {
            return;
        };
        let peers: Vec<_> = entry
            .paths
            .iter_mut()
            .filter_map(|(peer, reported)| std::mem::take(&mut reported.has_unshown_figures).then_some(*peer))
            .collect();
        if self.may_show(id, peers.len(), now) {
            for peer in peers {
                self.publish_path(id, peer, now);
            }
        }
    }

    /// The two ends of a path; `None` unless both belong on the mesh.
    pub(crate) fn ends(&self, from: DeviceId, to: DeviceId) -> Option<Ends<'_>> {
        let (from, to) = (self.devices.get(&from)?, self.devices.get(&to)?);
        (from.is_on_mesh() && to.is_on_mesh() && from.row.id != to.row.id).then_some(Ends { from, to })
    }

    /// The path from one device to another, in as much detail as was reported, and the relay that it names.
    pub(super) fn path(&self, ends: Ends<'_>, now: Timestamp) -> (Path, Option<RelayId>) {
        let Ends { from, to } = ends;
        let reported = from.paths.get(&to.row.id).map(|reported| &reported.path);
        let (reason, cause) = self.reason(ends);
        let confirmed = reported.filter(|path| path.why == reason);
        let relay = confirmed.and_then(|path| path.relay);
        let since = match reason {
            PathReason::NoneOffline if cause.link.is_none() => cause.row.last_seen,
            PathReason::Unknown => from.paths_reported,
            _ => confirmed.map(|path| path.since),
        };
        let why = path_sentence::PathSentence {
            reason,
            name: cause.row.name.as_str(),
            is_this_computer: cause.row.this_computer,
            closed: cause.closed_reason(),
            since,
            now,
        };
        let path = Path {
            from: from.row.name.clone(),
            from_id: from.row.id,
            to: to.row.name.clone(),
            to_id: to.row.id,
            kind: reason.kind(),
            relay: relay
                .and_then(|id| self.maps.relays().iter().find(|relay| relay.id == id))
                .map(|r| r.name.clone()),
            rtt_ms: confirmed.and_then(|path| path.rtt_ms),
            since,
            why_code: reason,
            why: why.write(&self.clock),
            last_handshake: reported.and_then(|path| path.last_handshake),
            received_bytes: reported.map_or(0, |path| path.received_bytes),
            sent_bytes: reported.map_or(0, |path| path.sent_bytes),
            mtu: confirmed.map(|path| path.mtu),
            as_of: from.as_of(now),
        };
        (path, relay)
    }

    /// Why the path is what it is, and the end that a sentence about it names.
    fn reason<'a>(&self, ends: Ends<'a>) -> (PathReason, &'a DeviceEntry) {
        let Ends { from, to } = ends;
        let reported = from.paths.get(&to.row.id).map(|reported| &reported.path);
        if !self.connected(from.row.id, to.row.id) {
            return (PathReason::NonePolicy, to);
        }
        if to.closed_reason().is_some() {
            return (PathReason::NoneMode, to);
        }
        if let Some(away) = [(to, from), (from, to)]
            .into_iter()
            .find(|(end, other)| end.is_away(other))
        {
            return (PathReason::NoneOffline, away.0);
        }
        match reported {
            Some(path) if from.presence != PresenceState::Offline => {
                let named = [from, to].into_iter().find(|end| Some(end.row.id) == path.cause);
                (
                    path.why,
                    named.unwrap_or(if path.why == PathReason::Unknown { from } else { to }),
                )
            }
            _ => (PathReason::Unknown, from),
        }
    }

    /// Whether a rule lets either of two devices reach the other.
    fn connected(&self, one: DeviceId, other: DeviceId) -> bool {
        let compiled = self.maps.compiled();
        compiled.connects(one, other) || compiled.connects(other, one)
    }

    /// Pairs of devices between which packets went within [`IN_USE`], in both orders.
    pub(crate) fn pairs_in_use(&self, now: Timestamp) -> BTreeSet<(DeviceId, DeviceId)> {
        let mut pairs = BTreeSet::new();
        for (id, entry) in &self.devices {
            for (peer, reported) in &entry.paths {
                if reported.carried.is_some_and(|at| now.duration_since(at) < IN_USE) {
                    pairs.extend([(*id, *peer), (*peer, *id)]);
                }
            }
        }
        pairs
    }

    /// Paths between devices of a scope that begin at the given ones, or all of them when none is given.
    pub(crate) fn list_paths(
        &self,
        devices: Option<&[DeviceId]>,
        scope: &Scope,
        now: Timestamp,
    ) -> List<Path> {
        let mut on_mesh: Vec<_> = self
            .devices_in(scope)
            .filter(|entry| entry.is_on_mesh())
            .collect();
        on_mesh.sort_by(|a, b| a.row.name.cmp(&b.row.name));
        let mut items = Vec::new();
        for from in on_mesh
            .iter()
            .filter(|from| devices.is_none_or(|named| named.contains(&from.row.id)))
        {
            for to in on_mesh.iter().filter(|to| to.row.id != from.row.id) {
                let whole = devices.is_some() || on_mesh.len() <= LISTED_WHOLE;
                if whole || self.connected(from.row.id, to.row.id) {
                    items.push(self.path_within(Ends { from, to }, scope, now));
                }
            }
        }
        let named = on_mesh
            .iter()
            .filter(|entry| devices.is_none_or(|named| named.contains(&entry.row.id)));
        let unreachable = named.filter_map(|entry| entry.unreachable(|at| self.clock.moment(at)));
        List {
            items,
            unreachable_devices: super::by_name(unreachable),
            seq: self.live.seq(),
        }
    }

    fn publish_path(&mut self, from: DeviceId, to: DeviceId, now: Timestamp) {
        if self.live.readers() == 0 {
            return;
        }
        let audience = Audience::Pair(self.place(from), self.place(to));
        if let Some(path) = self.ends(from, to).map(|ends| self.shown_path(ends, now)) {
            self.live
                .upsert(|| Upsert::naming(audience, path, |path| Resource::Path(Box::new(path))));
        } else {
            let gone = ResourceRef::Path {
                from_id: from,
                to_id: to,
            };
            self.live.remove(|| Removal::new(audience, gone));
        }
    }

    /// Publishes every path that begins or ends at a device.
    pub(crate) fn publish_paths_of(&mut self, id: DeviceId, now: Timestamp) {
        let others = self.devices.keys().copied().filter(|other| *other != id);
        let pairs: Vec<_> = others.flat_map(|other| [(id, other), (other, id)]).collect();
        self.publish_pairs(&pairs, now);
    }

    pub(super) fn publish_all_paths(&mut self, now: Timestamp) {
        let on_mesh = self.devices.values().filter(|entry| entry.is_on_mesh());
        let ids: Vec<_> = on_mesh.map(|entry| entry.row.id).collect();
        if ids.len() * ids.len() > FRAMES {
            self.live.reset();
            return;
        }
        let pairs = ids.iter().flat_map(|from| {
            ids.iter()
                .filter(move |to| *to != from)
                .map(move |to| (*from, *to))
        });
        self.publish_pairs(&pairs.collect::<Vec<_>>(), now);
    }

    fn publish_pairs(&mut self, pairs: &[(DeviceId, DeviceId)], now: Timestamp) {
        if pairs.len() > FRAMES {
            self.page_reload.request();
            return;
        }
        for (from, to) in pairs {
            self.publish_path(*from, *to, now);
        }
    }
}
