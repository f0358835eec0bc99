//! Which revision of its map one agent has, and which parts it still lacks.
//!
//! Life of a delivery: unknown → (the agent takes a whole map) → known at a revision, with the parts that changed
//! since → (it takes a change) → known at a later revision. An answer with another revision than the pushed one leads
//! back to unknown. On a new link the first push is made even when nothing changed, because its answer tells whether
//! the agent still has its map.

use super::{Maps, entry::MapEntry};
use flotilla_protocol::{id::DeviceId, mesh::MapChange};
use std::collections::BTreeSet;

/// A part of a map.
#[derive(Debug, Clone, Copy)]
pub(super) enum MapPart {
    Peer(DeviceId),
    /// The device's own address and relay preference.
    Own,
    Filter,
    Relays,
    Ticket,
    /// Everything: the next push has to be the whole map.
    All,
}

/// Parts that an agent does not have yet.
#[derive(Debug, Clone, Default)]
pub(super) struct Pending {
    peers: BTreeSet<DeviceId>,
    own: bool,
    filter: bool,
    relays: bool,
    ticket: bool,
}

#[derive(Debug, Default)]
pub(super) struct Delivery {
    /// The revision that the agent has; unknown at first.
    agent_revision: Option<u64>,
    /// The agent named that revision on its present link.
    confirmed: bool,
    pending: Pending,
    in_flight: Option<InFlight>,
}

#[derive(Debug)]
struct InFlight {
    revision: u64,
    pending: Pending,
}

/// The form of the next push.
pub(super) enum Push {
    Whole,
    /// The pending parts, as a change from the revision that the agent has.
    Since {
        revision: u64,
        pending: Pending,
    },
}

impl Delivery {
    pub(super) fn mark_pending(&mut self, part: MapPart) {
        match part {
            MapPart::All => *self = Self::default(),
            // An agent that gets the whole map needs no list of parts.
            _ if self.agent_revision.is_none() && self.in_flight.is_none() => {}
            MapPart::Peer(id) => drop(self.pending.peers.insert(id)),
            MapPart::Own => self.pending.own = true,
            MapPart::Filter => self.pending.filter = true,
            MapPart::Relays => self.pending.relays = true,
            MapPart::Ticket => self.pending.ticket = true,
        }
    }

    pub(super) fn handle_link_up(&mut self) {
        self.handle_push_failed();
        self.confirmed = false;
    }

    /// Starts the next push; `None` while one is in flight or nothing is pending.
    pub(super) fn next_push(&mut self, revision: u64) -> Option<Push> {
        if self.in_flight.is_some() || (self.confirmed && self.pending.is_empty()) {
            return None;
        }
        let pending = std::mem::take(&mut self.pending);
        self.in_flight = Some(InFlight {
            revision,
            pending: pending.clone(),
        });
        Some(match self.agent_revision {
            Some(revision) => Push::Since { revision, pending },
            None => Push::Whole,
        })
    }

    pub(super) fn handle_taken(&mut self, revision: u64) -> bool {
        let Some(pushed) = self.in_flight.take() else {
            // A mark of [`MapPart::All`] has voided the push that this answers.
            return true;
        };
        let agrees = pushed.revision == revision;
        if agrees {
            self.agent_revision = Some(revision);
            self.confirmed = true;
        } else {
            *self = Self::default();
        }
        agrees
    }

    pub(super) fn handle_push_failed(&mut self) {
        if let Some(lost) = self.in_flight.take() {
            self.pending.merge(lost.pending);
        }
        if self.agent_revision.is_none() {
            self.pending = Pending::default();
        }
    }
}

impl Pending {
    fn is_empty(&self) -> bool {
        self.peers.is_empty() && !(self.own || self.filter || self.relays || self.ticket)
    }

    fn merge(&mut self, other: Self) {
        self.peers.extend(other.peers);
        self.own |= other.own;
        self.filter |= other.filter;
        self.relays |= other.relays;
        self.ticket |= other.ticket;
    }
}

impl Maps {
    /// The pending parts of a device's map, as a change from the revision that its agent has.
    pub(super) fn change_since(&self, id: DeviceId, from: u64, pending: &Pending) -> Option<MapChange> {
        let entry = self.entries.get(&id)?;
        let mut change = MapChange {
            from,
            to: entry.revision,
            address: pending.own.then(|| self.address(entry)),
            relay: pending.own.then_some(entry.member.relay),
            peers: Vec::new(),
            gone: Vec::new(),
            relays: pending.relays.then(|| self.relays.clone()),
            filter: pending.filter.then(|| self.compiled.filter_for(id)),
            ticket: entry.ticket().filter(|_| pending.ticket).cloned(),
        };
        for other in &pending.peers {
            let peer = self.entries.get(other).and_then(MapEntry::as_peer);
            match peer.filter(|_| self.knows(id, *other)) {
                Some(peer) => change.peers.push(peer),
                None => change.gone.push(*other),
            }
        }
        Some(change)
    }

    fn knows(&self, id: DeviceId, other: DeviceId) -> bool {
        self.compiled.connects(id, other) || self.compiled.connects(other, id)
    }
}
