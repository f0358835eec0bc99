//! What one agent has of its map, and what it is owed.
//!
//! Unknown → (a whole map is taken) → known at a revision, with what changed since → (a change is taken) → known at a
//! later revision. An answer with another revision than the pushed one leads back to unknown. After a new link the
//! first push is made even when nothing changed: the answer tells whether the agent still has what it had.

use super::{Maps, seat::Seat};
use flotilla_protocol::{id::DeviceId, mesh::MapChange};
use std::collections::BTreeSet;

/// A part of a map.
#[derive(Debug, Clone, Copy)]
pub(super) enum Part {
    Peer(DeviceId),
    /// The device's own address and relay preference.
    Own,
    Filter,
    Relays,
    Ticket,
    /// The map has to be told as a whole.
    All,
}

/// Parts that an agent does not have yet.
#[derive(Debug, Clone, Default)]
pub(super) struct Owed {
    peers: BTreeSet<DeviceId>,
    own: bool,
    filter: bool,
    relays: bool,
    ticket: bool,
}

#[derive(Debug, Default)]
pub(super) struct Told {
    /// The revision that the agent has; unknown at first.
    known: Option<u64>,
    /// The agent named that revision on its present link.
    confirmed: bool,
    owed: Owed,
    on_its_way: Option<OnItsWay>,
}

#[derive(Debug)]
struct OnItsWay {
    revision: u64,
    owed: Owed,
}

/// How to tell a map.
pub(super) enum Push {
    Whole,
    /// What changed since a revision.
    Since {
        revision: u64,
        owed: Owed,
    },
}

impl Told {
    pub(super) fn owe(&mut self, part: Part) {
        match part {
            Part::All => *self = Self::default(),
            // Who gets the whole map is owed nothing in particular.
            _ if self.known.is_none() && self.on_its_way.is_none() => {}
            Part::Peer(id) => drop(self.owed.peers.insert(id)),
            Part::Own => self.owed.own = true,
            Part::Filter => self.owed.filter = true,
            Part::Relays => self.owed.relays = true,
            Part::Ticket => self.owed.ticket = true,
        }
    }

    pub(super) fn handle_link_up(&mut self) {
        self.handle_untaken();
        self.confirmed = false;
    }

    /// Begins the next push, if there is one to make now.
    pub(super) fn begin(&mut self, revision: u64) -> Option<Push> {
        if self.on_its_way.is_some() || (self.confirmed && self.owed.is_empty()) {
            return None;
        }
        let owed = std::mem::take(&mut self.owed);
        self.on_its_way = Some(OnItsWay {
            revision,
            owed: owed.clone(),
        });
        Some(match self.known {
            Some(revision) => Push::Since { revision, owed },
            None => Push::Whole,
        })
    }

    pub(super) fn handle_taken(&mut self, revision: u64) -> bool {
        let Some(pushed) = self.on_its_way.take() else {
            // It is the answer to a push that a newer state made void.
            return true;
        };
        let agrees = pushed.revision == revision;
        if agrees {
            self.known = Some(revision);
            self.confirmed = true;
        } else {
            *self = Self::default();
        }
        agrees
    }

    pub(super) fn handle_untaken(&mut self) {
        if let Some(lost) = self.on_its_way.take() {
            self.owed.add(lost.owed);
        }
        if self.known.is_none() {
            self.owed = Owed::default();
        }
    }
}

impl Owed {
    fn is_empty(&self) -> bool {
        self.peers.is_empty() && !(self.own || self.filter || self.relays || self.ticket)
    }

    fn add(&mut self, other: Self) {
        self.peers.extend(other.peers);
        self.own |= other.own;
        self.filter |= other.filter;
        self.relays |= other.relays;
        self.ticket |= other.ticket;
    }
}

impl Maps {
    /// The parts of a device's map that its agent is owed since a revision.
    pub(super) fn since(&self, id: DeviceId, from: u64, owed: &Owed) -> Option<MapChange> {
        let seat = self.seats.get(&id)?;
        let mut change = MapChange {
            from,
            to: seat.revision,
            address: owed.own.then(|| self.address(seat)),
            relay: owed.own.then_some(seat.member.relay),
            peers: Vec::new(),
            gone: Vec::new(),
            relays: owed.relays.then(|| self.relays.clone()),
            filter: owed.filter.then(|| self.compiled.filter_for(id)),
            ticket: seat.ticket().filter(|_| owed.ticket).cloned(),
        };
        for other in &owed.peers {
            let peer = self.seats.get(other).and_then(Seat::as_peer);
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
