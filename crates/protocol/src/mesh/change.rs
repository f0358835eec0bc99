//! How a newer network map is sent as its difference from the one that an agent has.

use super::{Filter, MeshAddress, NetworkMap, Peer, Relay, RelayPreference, RelayTicket};
use crate::id::DeviceId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A map, or a change of one, as control sends it to an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "map", rename_all = "snake_case")]
pub enum MapPush {
    Whole(NetworkMap),
    Change(MapChange),
    /// A form that a newer control knows: the agent answers with the revision it has, and control then sends the whole
    /// map.
    #[serde(other)]
    Unknown,
}

/// The revision that the agent has after a push. When it is not the one pushed, control sends the whole map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MapTaken {
    pub revision: u64,
}

/// The change was made for another revision than the one at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the change is for revision {expected} of the network map, and this is revision {found}")]
pub struct StaleChange {
    pub expected: u64,
    pub found: u64,
}

/// From one revision to a later one. What is absent stays.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MapChange {
    pub from: u64,
    pub to: u64,
    pub address: Option<MeshAddress>,
    pub relay: Option<RelayPreference>,
    /// New and changed peers, whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub peers: Vec<Peer>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gone: Vec<DeviceId>,
    pub relays: Option<Vec<Relay>>,
    pub filter: Option<Filter>,
    /// A new ticket; the old one counts until it expires. A map that has no ticket any more is always sent whole.
    pub ticket: Option<RelayTicket>,
}

impl MapPush {
    /// The shortest message that takes an agent from `old` to `new`.
    pub fn between(old: Option<&NetworkMap>, new: &NetworkMap) -> Self {
        match old {
            Some(old) if old.ticket.is_none() || new.ticket.is_some() => {
                Self::Change(MapChange::between(old, new))
            }
            _ => Self::Whole(new.clone()),
        }
    }
}

impl MapChange {
    fn between(old: &NetworkMap, new: &NetworkMap) -> Self {
        let known: BTreeMap<_, _> = old.peers.iter().map(|peer| (peer.id, peer)).collect();
        let kept: BTreeMap<_, _> = new.peers.iter().map(|peer| (peer.id, peer)).collect();
        let peers = kept.values().filter(|peer| known.get(&peer.id) != Some(peer));
        Self {
            from: old.revision,
            to: new.revision,
            address: (old.address != new.address).then_some(new.address),
            relay: (old.relay != new.relay).then_some(new.relay),
            peers: peers.copied().cloned().collect(),
            gone: known
                .keys()
                .filter(|id| !kept.contains_key(id))
                .copied()
                .collect(),
            relays: (old.relays != new.relays).then(|| new.relays.clone()),
            filter: (old.filter != new.filter).then(|| new.filter.clone()),
            ticket: (old.ticket != new.ticket).then(|| new.ticket.clone()).flatten(),
        }
    }
}

impl NetworkMap {
    /// Makes this the newer map. Peers stay ordered by id.
    ///
    /// # Errors
    /// The change is for another revision; this map is left as it was.
    pub fn apply(&mut self, change: MapChange) -> Result<(), StaleChange> {
        if change.from != self.revision {
            return Err(StaleChange {
                expected: change.from,
                found: self.revision,
            });
        }
        let mut peers: BTreeMap<_, _> = self.peers.drain(..).map(|peer| (peer.id, peer)).collect();
        peers.retain(|id, _| !change.gone.contains(id));
        peers.extend(change.peers.into_iter().map(|peer| (peer.id, peer)));
        self.peers = peers.into_values().collect();
        self.revision = change.to;
        self.address = change.address.unwrap_or(self.address);
        self.relay = change.relay.unwrap_or(self.relay);
        self.ticket = change.ticket.or_else(|| self.ticket.take());
        if let Some(relays) = change.relays {
            self.relays = relays;
        }
        if let Some(filter) = change.filter {
            self.filter = filter;
        }
        Ok(())
    }
}
