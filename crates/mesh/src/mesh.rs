//! One device's data plane: all of its peers, what it may receive, and how it reaches other devices.

mod apply;
mod packets;
mod peers;
mod probes;
mod sizes;
#[cfg(test)]
mod tests;
mod upkeep;

use crate::{
    Counters, DropReason, Event, PathState, Reachability, filter::Filter, path::address::canonical,
    peer::End, reflect::Reflect, relay::Relays, session::Keys,
};
use flotilla_protocol::{
    cidr::IpRange,
    device::RelayPreference,
    id::{DeviceId, RelayId},
    mesh::{Nat, NetworkMap},
};
use flotilla_wire::StaticKey;
use peers::Peers;
use rand::{Rng, SeedableRng, rngs::StdRng};
use std::{
    collections::{BTreeSet, VecDeque},
    net::{IpAddr, SocketAddr},
    time::Instant,
};
use zeroize::Zeroizing;

/// A WireGuard private key. It is in no debug output, and is wiped from memory when dropped.
#[derive(Clone, derive_more::Debug)]
#[debug("PrivateKey(…)")]
pub struct PrivateKey(Zeroizing<[u8; 32]>);

impl PrivateKey {
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// The identity of this device.
#[derive(Debug, Clone)]
pub struct Config {
    pub private_key: PrivateKey,
    pub device: DeviceId,
    /// Milliseconds since 1970 at `now` of [`Mesh::new`], or later. Peers refuse the probes of a start that is not
    /// later than the one before, and recognize a restart when it is later by more than a second.
    pub clock_start_unix_ms: u64,
}

/// The leg by which a datagram leaves or came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Leg {
    /// The UDP socket, to or from this address.
    Udp(SocketAddr),
    /// The TLS leg of a relay.
    Tls(RelayId),
}

/// Identifies a peer for as long as it is in the map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerIndex(pub(crate) u32);

/// A datagram to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transmit {
    pub leg: Leg,
    pub bytes: Vec<u8>,
}

/// The result of sealing an IP packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sealed {
    /// The first `len` bytes of the buffer are a datagram to be sent by `leg`.
    Data {
        len: usize,
        leg: Leg,
    },
    /// The packet waits for a handshake; it comes out of [`Mesh::poll_transmit`] later.
    Queued,
    Dropped(DropReason),
}

/// What a datagram contained.
#[derive(Debug, PartialEq, Eq)]
pub enum Opened<'o> {
    /// An IP packet for the TUN, inside the caller's buffer.
    Packet {
        packet: &'o mut [u8],
        peer: PeerIndex,
    },
    /// The mesh handled it; the caller has nothing to write.
    Consumed,
    Dropped(DropReason),
}

/// One device's data plane. The crate's documentation shows how to drive it.
#[derive(derive_more::Debug)]
#[debug("Mesh({})", own.id)]
pub struct Mesh {
    keys: Keys,
    own_key: StaticKey,
    own: End,
    address: Option<IpAddr>,
    range: Option<IpRange>,
    peers: Peers,
    filter: Filter,
    relays: Relays,
    reflect: Reflect,
    /// Addresses of this device's own interfaces, and the networks of those addresses.
    local: Vec<SocketAddr>,
    near: Vec<IpRange>,
    reachability: Reachability,
    /// The revision of this device's candidates, which peers are told.
    revision: u64,
    /// Where the counter of probes to a new peer begins: no lower than that of any removed peer, so that a peer that
    /// comes back gets no number twice.
    counter: u64,
    /// Sessions that must be ticked.
    awake: BTreeSet<PeerIndex>,
    next_tick: Option<Instant>,
    rng: StdRng,
    scratch: Vec<u8>,
    counters: Counters,
    transmits: VecDeque<Transmit>,
    bounces: VecDeque<Vec<u8>>,
    events: VecDeque<Event>,
}

impl Mesh {
    /// The most bytes that [`Self::seal`] adds to an IP packet: WireGuard's 32 and a relay's header.
    pub const SEAL_OVERHEAD: usize = 128;

    /// The least buffer for [`Self::seal`], because a handshake may be built in it instead.
    pub const SEAL_LEAST: usize = 256;

    pub fn new(config: Config, seed: [u8; 32], now: Instant) -> Self {
        let own_key = StaticKey::from_bytes(*config.private_key.as_bytes());
        let mut rng = StdRng::from_seed(seed);
        let mut other = || StdRng::from_seed(rng.random());
        let (of_relays, of_reflect) = (other(), other());
        Self {
            keys: Keys::new(&config.private_key),
            own: End {
                id: config.device,
                preference: RelayPreference::Auto,
                nat: Nat::Unknown,
            },
            address: None,
            range: None,
            peers: Peers::default(),
            filter: Filter::default(),
            relays: Relays::new(own_key.clone(), of_relays),
            reflect: Reflect::new(of_reflect),
            own_key,
            local: Vec::new(),
            near: Vec::new(),
            reachability: Reachability::default(),
            revision: config.clock_start_unix_ms,
            // Fewer than 65,536 probes are sent per millisecond, so a later start begins with a higher counter than
            // this one ends with.
            counter: config.clock_start_unix_ms << 16,
            awake: BTreeSet::new(),
            next_tick: Some(now),
            rng,
            scratch: vec![0; 2048],
            counters: Counters::default(),
            transmits: VecDeque::new(),
            bounces: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    /// Applies a map. Sessions and paths of peers that stay go on; flows that the new filter does not allow end.
    pub fn apply(&mut self, map: &NetworkMap, now: Instant) {
        self.apply_map(map, now);
        self.settle_all(now);
    }

    /// Sets the addresses that a relay's names resolve to.
    pub fn set_relay_addresses(&mut self, relay: RelayId, addresses: Vec<SocketAddr>, now: Instant) {
        self.relays.set_addresses(relay, addresses, self.range, now);
        self.reflect.set_targets(&self.relays.targets(), now);
    }

    /// The TLS leg to a relay came up or went down.
    pub fn set_leg(&mut self, relay: RelayId, up: bool, now: Instant) {
        if self.relays.set_tls_leg(relay, up) {
            self.settle_all(now);
        }
    }

    /// Sets the addresses of this device's interfaces, each with the port of the UDP socket, and the networks that
    /// they are in, in which peers count as near. To be called at start and whenever the network changed, even with
    /// the same lists, because every path is probed again.
    pub fn set_local_candidates(&mut self, candidates: Vec<SocketAddr>, near: Vec<IpRange>, now: Instant) {
        let local: Vec<_> = candidates.into_iter().map(canonical).collect();
        let moved = self.local.iter().any(|old| !local.contains(old));
        (self.local, self.near) = (local, near);
        self.handle_change(moved, now);
    }

    /// The machine slept, so everything that was learned about the network is tested again.
    pub fn handle_wake(&mut self, now: Instant) {
        self.handle_change(false, now);
    }

    /// Probes all candidates of a peer; [`Event::Tested`] has the results within 2 s.
    pub fn test_path(&mut self, peer: DeviceId, now: Instant) {
        if let Some((index, peer)) = self.peers.by_device_mut(peer) {
            peer.paths.test(now);
            self.settle(index, now);
        }
    }

    /// The next datagram of the mesh itself: handshakes, keepalives, probes, relay frames, and packets that waited for
    /// a handshake.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transmits.pop_front().or_else(|| self.relays.poll_transmit())
    }

    /// An IP packet that the mesh itself writes to the TUN: ICMP errors for packets larger than their path, and
    /// echoes.
    pub fn poll_bounce(&mut self) -> Option<Vec<u8>> {
        self.bounces.pop_front()
    }

    pub fn poll_event(&mut self) -> Option<Event> {
        if let Some((relay, wanted)) = self.relays.poll_leg_request() {
            return Some(if wanted {
                Event::NeedsLeg(relay)
            } else {
                Event::NoLongerNeedsLeg(relay)
            });
        }
        self.events.pop_front()
    }

    /// When to call [`Self::handle_timeout`] next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let tick = self.next_tick.filter(|_| !self.awake.is_empty());
        [
            self.reflect.timeout(),
            self.relays.timeout(),
            self.peers.timeout(),
            tick,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// The present path to each peer.
    pub fn paths(&self, now: Instant) -> Vec<PathState> {
        self.peers.iter().map(|(_, peer)| peer.state(now)).collect()
    }

    /// The counts of dropped packets, and the bytes per peer.
    pub fn counters(&self) -> Counters {
        let mut counters = self.counters.clone();
        counters.peers = self
            .peers
            .iter()
            .map(|(_, peer)| (peer.end.id, peer.traffic))
            .collect();
        counters
    }

    fn drop(&mut self, reason: DropReason) -> DropReason {
        *self.counters.drops.entry(reason).or_default() += 1;
        reason
    }
}
