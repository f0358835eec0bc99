//! Applying a network map, and reacting to changes of the network.

use super::{Mesh, PeerIndex};
use crate::{
    Event, Reachability, Traffic,
    path::{
        Paths,
        address::{canonical, is_probable},
    },
    peer::{End, Peer, absence::Absence},
};
use flotilla_protocol::{
    device::RelayPreference,
    mesh::{self, Candidate, CandidateKind, NetworkMap},
};
use flotilla_wire::{MAX_ADDRESSES, ProbeKey, ReplayWindow};
use rand::Rng;
use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

/// The longest pause between two searches for a direct path.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// As before, without a relay: both ends must then happen to probe within the time that NATs keep a mapping.
const LONGEST_PAUSE_ALONE: Duration = Duration::from_secs(20);
/// The most relays, beside its own, at which a device keeps sessions because peers listen there.
const MAX_PEER_RELAYS: usize = 8;

impl Mesh {
    pub(super) fn apply_map(&mut self, map: &NetworkMap, now: Instant) {
        let address = IpAddr::V4(map.address.address);
        self.address = Some(address);
        self.range = map.address.range();
        self.own.preference = map.relay;
        self.filter.set_rules(&map.filter);
        let ticket = map
            .ticket
            .as_ref()
            .filter(|_| map.relay != RelayPreference::Never);
        self.relays.apply(&map.relays, ticket, self.range, now);
        self.reflect.set_targets(&self.relays.targets(), now);
        let peers = self.distinct_peers(&map.peers);
        let wanted: BTreeMap<_, _> = peers.iter().map(|peer| (peer.id, *peer)).collect();
        for index in self.peers.indices() {
            let stays = self.peers.get(index).is_some_and(|known| {
                let new = wanted.get(&known.end.id);
                new.is_some_and(|new| new.public_key == known.key && new.plain == known.plain)
            });
            if !stays {
                self.forget(index);
            }
        }
        for peer in &peers {
            match self.peers.by_device(peer.id) {
                Some(index) => self.peers.readdress(index, IpAddr::V4(peer.address)),
                None => self.add_peer(peer, now),
            }
            self.update_peer(peer, now);
        }
        let relayed = peers
            .iter()
            .filter(|peer| !peer.plain && peer.relay != RelayPreference::Never);
        let needed: BTreeSet<_> = relayed
            .filter_map(|peer| peer.home_relay)
            .take(MAX_PEER_RELAYS)
            .collect();
        self.relays.set_needed(needed);
        self.choose_home(now);
        self.update_reachability(now);
    }

    fn forget(&mut self, index: PeerIndex) {
        self.awake.remove(&index);
        let Some(gone) = self.peers.remove(index) else {
            return;
        };
        self.counter = gone.own_counter.max(self.counter);
        if gone.paths.is_tested() {
            let (peer, attempts) = (gone.end.id, Vec::new());
            self.events.push_back(Event::Tested { peer, attempts });
        }
    }

    /// The peers whose id, key and address differ from this device's and from each other's. Of two peers that share
    /// one of these the first stays: maps are in order of ids, and ids in order of creation.
    fn distinct_peers<'p>(&self, peers: &'p [mesh::Peer]) -> Vec<&'p mesh::Peer> {
        let mut ids = BTreeSet::from([self.own.id]);
        let mut keys = BTreeSet::from([self.own_key.public()]);
        let mut addresses: BTreeSet<_> = self.address.into_iter().collect();
        let mut is_new = |peer: &&mesh::Peer| {
            let address = IpAddr::V4(peer.address);
            let is_known =
                ids.contains(&peer.id) || keys.contains(&peer.public_key) || addresses.contains(&address);
            !is_known && ids.insert(peer.id) && keys.insert(peer.public_key) && addresses.insert(address)
        };
        peers.iter().filter(|peer| is_new(peer)).collect()
    }

    fn add_peer(&mut self, peer: &mesh::Peer, now: Instant) {
        let seed = self.rng.random();
        let probe_key = ProbeKey::between(&self.own_key, peer.public_key).ok();
        let counter = self.counter;
        self.peers.insert(|index| Peer {
            end: End {
                id: peer.id,
                preference: peer.relay,
                nat: peer.nat,
            },
            key: peer.public_key,
            address: IpAddr::V4(peer.address),
            plain: peer.plain,
            home: None,
            candidates: Vec::new(),
            probe_key: probe_key.filter(|_| !peer.plain),
            window: ReplayWindow::default(),
            counter: None,
            has_begun_anew: false,
            renewed: None,
            own_counter: counter,
            revision: 0,
            index,
            session: None,
            paths: Paths::new(seed),
            endpoint: None,
            absence: Absence::default(),
            heard_by: None,
            relay: None,
            route: None,
            large: Vec::new(),
            summary: None,
            since: now,
            timer: None,
            traffic: Traffic::default(),
        });
    }

    fn update_peer(&mut self, new: &mesh::Peer, now: Instant) {
        let (own, range, near) = (self.own, self.range, &self.near);
        let Some((_, peer)) = self.peers.by_device_mut(new.id) else {
            return;
        };
        peer.end.preference = new.relay;
        peer.end.nat = new.nat;
        if peer.home != new.home_relay {
            peer.home = new.home_relay;
            peer.absence.clear();
        }
        let mut candidates = new.candidates.clone();
        // Reflexive candidates come first, because they work from more places.
        candidates.sort_by_key(|candidate| candidate.kind != CandidateKind::Reflexive && !peer.plain);
        let candidates = candidates.into_iter().map(|one| Candidate {
            address: canonical(one.address),
            ..one
        });
        let candidates = candidates.filter(|one| is_probable(one.address, range));
        let candidates = mesh::share_evenly(candidates, MAX_ADDRESSES).into_iter();
        let candidates: Vec<_> = candidates.map(|one| one.address).collect();
        let alone = !peer.may_relay(&own);
        let pause = if alone { LONGEST_PAUSE_ALONE } else { LONGEST_PAUSE };
        peer.paths.allow(peer.may_direct(&own), pause, now);
        if peer.candidates != candidates {
            if peer.plain {
                peer.endpoint = candidates.first().copied();
            } else {
                peer.paths.set_candidates(&candidates, near, now);
            }
            peer.candidates = candidates;
        }
    }

    /// Treats everything that was learned about the network as doubtful; `moved` means that an own address is gone.
    pub(super) fn handle_change(&mut self, moved: bool, now: Instant) {
        self.reflect.restart(now);
        self.relays.handle_change(now);
        self.update_reachability(now);
        for index in self.peers.indices() {
            if let Some(peer) = self.peers.get_mut(index) {
                peer.absence.clear();
                peer.paths.handle_change(moved, &self.near, now);
            }
        }
        self.settle_all(now);
    }

    /// The addresses at which peers may try to reach this device.
    pub(super) fn own_candidates(&self) -> Vec<SocketAddr> {
        self.reachability
            .candidates
            .iter()
            .map(|candidate| candidate.address)
            .collect()
    }

    pub(super) fn update_reachability(&mut self, now: Instant) {
        self.own.nat = self.reflect.nat(&self.local, self.relays.any_tls_leg_up());
        let candidates = match self.own.preference {
            RelayPreference::Always => Vec::new(),
            _ => self.collect_candidates(),
        };
        let reachability = Reachability {
            candidates,
            nat: self.own.nat,
            home_relay: self.relays.home(),
        };
        if reachability == self.reachability {
            return;
        }
        let moved = reachability.candidates != self.reachability.candidates;
        self.reachability = reachability.clone();
        self.events.push_back(Event::Reachability(reachability));
        if moved {
            self.revision += 1;
            for index in self.peers.indices() {
                if let Some(peer) = self.peers.get_mut(index) {
                    peer.paths.call_peer(now);
                }
            }
        }
        self.settle_all(now);
    }

    /// Local and reflexive candidates, as many as peers accept, with a share for each kind.
    fn collect_candidates(&self) -> Vec<Candidate> {
        let probable = |address: &SocketAddr| is_probable(*address, self.range);
        let of = |kind| move |address| Candidate { kind, address };
        let seen = self.reflect.observed().into_iter().filter(probable);
        let seen = seen.filter(|address| !self.local.contains(address));
        let seen = seen.map(of(CandidateKind::Reflexive));
        let local = self.local.iter().copied().filter(probable);
        let local = local.map(of(CandidateKind::Local));
        mesh::share_evenly(local.chain(seen), MAX_ADDRESSES)
    }

    pub(super) fn choose_home(&mut self, now: Instant) {
        let reflect = &self.reflect;
        self.relays
            .choose_home(|relay| reflect.nearest(relay).map(|(_, rtt)| rtt), now);
    }
}
