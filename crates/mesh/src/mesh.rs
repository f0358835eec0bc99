//! One device's data plane: all of its peers, what it may receive, and how it reaches the others.

mod apply;
mod control;
mod packets;
mod peers;
mod probes;
mod sizes;
#[cfg(test)]
mod tests;

use crate::{
    Counters, DropReason, Event, PathState, Standing, filter::Filter, path::address::canonical, peer::End,
    reflect::Reflect, relay::Relays, session::Keys,
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
    fmt,
    net::{IpAddr, SocketAddr},
    time::Instant,
};
use zeroize::Zeroizing;

/// A WireGuard private key. It is never shown and wiped from memory when dropped.
#[derive(Clone)]
pub struct PrivateKey(Zeroizing<[u8; 32]>);

impl PrivateKey {
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(…)")
    }
}

/// Who this device is.
#[derive(Debug, Clone)]
pub struct Config {
    pub private_key: PrivateKey,
    pub device: DeviceId,
    /// Milliseconds since 1970 at `now` of [`Mesh::new`], or later: peers refuse the probes of a start that is not later
    /// than the one before, and notice one that is later by more than a second.
    pub clock_start_unix_ms: u64,
}

/// Where a datagram goes to, or came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Leg {
    /// Our UDP socket, to or from this address.
    Udp(SocketAddr),
    /// A relay's TLS leg.
    Stream(RelayId),
}

/// A peer, for as long as it is in the map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerIndex(pub(crate) u32);

/// A datagram to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transmit {
    pub leg: Leg,
    pub bytes: Vec<u8>,
}

/// What became of an IP packet for a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sealed {
    /// The first `len` bytes of the buffer are a datagram for `leg`.
    Data {
        len: usize,
        leg: Leg,
    },
    /// It waits for a handshake and comes out of [`Mesh::poll_transmit`] later.
    Queued,
    Dropped(DropReason),
}

/// What a datagram was.
#[derive(Debug, PartialEq, Eq)]
pub enum Opened<'o> {
    /// An IP packet for the TUN, inside the caller's buffer.
    Packet {
        packet: &'o mut [u8],
        peer: PeerIndex,
    },
    /// Something for the mesh itself.
    Consumed,
    Dropped(DropReason),
}

/// See the crate's documentation for how to drive it.
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
    /// Addresses of our own interfaces, and the networks that these are in.
    local: Vec<SocketAddr>,
    near: Vec<IpRange>,
    standing: Standing,
    /// Of the candidates that we tell.
    revision: u64,
    /// Where the counter of probes to a new peer begins: no lower than that of any peer that was removed, so that one
    /// that comes back gets no number twice.
    counter: u64,
    /// Sessions that want to know the time.
    awake: BTreeSet<PeerIndex>,
    next_tick: Option<Instant>,
    rng: StdRng,
    scratch: Vec<u8>,
    counters: Counters,
    transmits: VecDeque<Transmit>,
    bounces: VecDeque<Vec<u8>>,
    events: VecDeque<Event>,
}

impl fmt::Debug for Mesh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mesh")
            .field("device", &self.own.id)
            .finish_non_exhaustive()
    }
}

impl Mesh {
    /// Bytes that [`Self::seal`] may put around an IP packet: WireGuard's 32 and a relay's header.
    pub const SEAL_OVERHEAD: usize = 128;

    /// Room that [`Self::seal`] needs even for the smallest packet, since a handshake is built in the same buffer.
    pub const SEAL_LEAST: usize = 256;

    #[must_use]
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
            standing: Standing::default(),
            revision: config.clock_start_unix_ms,
            // 65,536 probes per millisecond are never sent, so a later start begins higher than this one ends.
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

    /// Makes a map the one in force. Sessions and paths of peers that stay go on; flows that the new filter does
    /// not allow end.
    pub fn apply(&mut self, map: &NetworkMap, now: Instant) {
        self.apply_map(map, now);
        self.settle_all(now);
    }

    /// Where a relay's names lead to now.
    pub fn set_relay_addresses(&mut self, relay: RelayId, addresses: Vec<SocketAddr>, now: Instant) {
        self.relays.set_addresses(relay, addresses, self.range, now);
        self.reflect.set_targets(&self.relays.targets(), now);
    }

    /// The TLS leg to a relay came up, or went down.
    pub fn set_stream(&mut self, relay: RelayId, up: bool, now: Instant) {
        if self.relays.set_stream(relay, up) {
            self.settle_all(now);
        }
    }

    /// The addresses of this device's interfaces, each with the port of the UDP socket, and the networks in which they
    /// are: who is there is near. To be called at start and whenever the network changed, with the same lists too:
    /// everything is probed anew.
    pub fn set_local_candidates(&mut self, candidates: Vec<SocketAddr>, near: Vec<IpRange>, now: Instant) {
        let local: Vec<_> = candidates.into_iter().map(canonical).collect();
        let moved = self.local.iter().any(|old| !local.contains(old));
        (self.local, self.near) = (local, near);
        self.handle_change(moved, now);
    }

    /// The machine slept, so that nothing known of the network can be trusted.
    pub fn handle_wake(&mut self, now: Instant) {
        self.handle_change(false, now);
    }

    /// Probes all ways to a peer now; [`Event::Tested`] tells the results within 2 s.
    pub fn test_path(&mut self, peer: DeviceId, now: Instant) {
        if let Some((index, peer)) = self.peers.by_device_mut(peer) {
            peer.paths.test(now);
            self.settle(index, now);
        }
    }

    /// Handshakes, keepalives, probes, relay control, and packets that waited for a handshake.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transmits.pop_front().or_else(|| self.relays.poll_transmit())
    }

    /// IP packets that the mesh itself writes to the TUN: ICMP errors for packets larger than their path, and echoes.
    pub fn poll_bounce(&mut self) -> Option<Vec<u8>> {
        self.bounces.pop_front()
    }

    pub fn poll_event(&mut self) -> Option<Event> {
        if let Some((relay, wanted)) = self.relays.poll_wish() {
            return Some(if wanted {
                Event::NeedsStream(relay)
            } else {
                Event::NoLongerNeedsStream(relay)
            });
        }
        self.events.pop_front()
    }

    /// When [`Self::handle_timeout`] is to be called next.
    #[must_use]
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

    /// How each peer is reached now.
    #[must_use]
    pub fn paths(&self, now: Instant) -> Vec<PathState> {
        self.peers.iter().map(|(_, peer)| peer.state(now)).collect()
    }

    /// What was dropped, and the bytes per peer.
    #[must_use]
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
