//! All peers, indexed by everything that they are looked up by.

use crate::{PeerIndex, peer::Peer, session::INDEX_BITS};
use flotilla_protocol::{id::DeviceId, key::PublicKey};
use flotilla_wire::Hint;
use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    time::Instant,
};

#[derive(Debug, Default)]
pub(super) struct Peers {
    slots: BTreeMap<PeerIndex, Peer>,
    next: u32,
    sessions: BTreeMap<u32, PeerIndex>,
    addresses: BTreeMap<IpAddr, PeerIndex>,
    keys: BTreeMap<PublicKey, PeerIndex>,
    hints: BTreeMap<Hint, PeerIndex>,
    devices: BTreeMap<DeviceId, PeerIndex>,
    timers: BTreeSet<(Instant, PeerIndex)>,
}

impl Peers {
    pub(super) fn insert(&mut self, make: impl FnOnce(u32) -> Peer) -> PeerIndex {
        let index = loop {
            self.next = self.next.wrapping_add(1) & ((1 << INDEX_BITS) - 1);
            if !self.sessions.contains_key(&self.next) {
                break PeerIndex(self.next);
            }
        };
        let peer = make(index.0);
        self.sessions.insert(peer.index, index);
        self.addresses.insert(peer.address, index);
        self.keys.insert(peer.key, index);
        self.hints.insert(Hint::of(peer.key), index);
        self.devices.insert(peer.end.id, index);
        self.slots.insert(index, peer);
        index
    }

    pub(super) fn remove(&mut self, index: PeerIndex) -> Option<Peer> {
        let peer = self.slots.remove(&index)?;
        if let Some(timer) = peer.timer {
            self.timers.remove(&(timer, index));
        }
        self.sessions.remove(&peer.index);
        let ours = |at: &PeerIndex| *at == index;
        self.addresses.retain(|_, at| !ours(at));
        self.keys.retain(|_, at| !ours(at));
        self.hints.retain(|_, at| !ours(at));
        self.devices.retain(|_, at| !ours(at));
        Some(peer)
    }

    /// The map changed a peer's address.
    pub(super) fn readdress(&mut self, index: PeerIndex, address: IpAddr) {
        if let Some(peer) = self.slots.get_mut(&index)
            && peer.address != address
        {
            // Two peers may swap addresses, so the entry may already be the other's.
            if self.addresses.get(&peer.address) == Some(&index) {
                self.addresses.remove(&peer.address);
            }
            peer.address = address;
            self.addresses.insert(address, index);
        }
    }

    pub(super) fn get(&self, index: PeerIndex) -> Option<&Peer> {
        self.slots.get(&index)
    }

    pub(super) fn get_mut(&mut self, index: PeerIndex) -> Option<&mut Peer> {
        self.slots.get_mut(&index)
    }

    pub(super) fn by_session(&self, session: u32) -> Option<PeerIndex> {
        self.sessions.get(&session).copied()
    }

    pub(super) fn by_address(&self, address: IpAddr) -> Option<PeerIndex> {
        self.addresses.get(&address).copied()
    }

    pub(super) fn by_key(&self, key: PublicKey) -> Option<PeerIndex> {
        self.keys.get(&key).copied()
    }

    pub(super) fn by_hint(&self, hint: Hint) -> Option<PeerIndex> {
        self.hints.get(&hint).copied()
    }

    pub(super) fn by_device(&self, device: DeviceId) -> Option<PeerIndex> {
        self.devices.get(&device).copied()
    }

    pub(super) fn by_device_mut(&mut self, device: DeviceId) -> Option<(PeerIndex, &mut Peer)> {
        let index = self.by_device(device)?;
        Some((index, self.slots.get_mut(&index)?))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (PeerIndex, &Peer)> {
        self.slots.iter().map(|(index, peer)| (*index, peer))
    }

    pub(super) fn indices(&self) -> Vec<PeerIndex> {
        self.slots.keys().copied().collect()
    }

    pub(super) fn schedule(&mut self, index: PeerIndex, at: Option<Instant>) {
        let Some(peer) = self.slots.get_mut(&index) else {
            return;
        };
        if peer.timer == at {
            return;
        }
        if let Some(old) = peer.timer {
            self.timers.remove(&(old, index));
        }
        peer.timer = at;
        self.timers.extend(at.map(|at| (at, index)));
    }

    pub(super) fn timeout(&self) -> Option<Instant> {
        self.timers.first().map(|(at, _)| *at)
    }

    /// The next peer whose timer is due.
    pub(super) fn poll_due(&mut self, now: Instant) -> Option<PeerIndex> {
        let (at, index) = *self.timers.first()?;
        if at > now {
            return None;
        }
        self.schedule(index, None);
        Some(index)
    }
}
