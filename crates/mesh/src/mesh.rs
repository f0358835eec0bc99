//! One device's data plane: all of its peers, what it may receive, and how it reaches the others.

use crate::{Counters, DropReason, Event, PathState};
use flotilla_protocol::{
    id::{DeviceId, RelayId},
    mesh::NetworkMap,
};
use std::{collections::VecDeque, fmt, net::SocketAddr, time::Instant};
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
    /// Milliseconds since 1970 at `now` of [`Mesh::new`]: probes of a later start are newer than those of an earlier.
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
    config: Config,
    counters: Counters,
    transmits: VecDeque<Transmit>,
    bounces: VecDeque<Vec<u8>>,
    events: VecDeque<Event>,
}

impl fmt::Debug for Mesh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mesh")
            .field("device", &self.config.device)
            .finish_non_exhaustive()
    }
}

impl Mesh {
    /// Bytes that [`Self::seal`] may put around an IP packet: WireGuard's 32 and a relay's header.
    pub const SEAL_OVERHEAD: usize = 128;

    /// Room that [`Self::seal`] needs even for the smallest packet, since a handshake is built in the same buffer.
    pub const SEAL_LEAST: usize = 256;

    #[must_use]
    pub fn new(config: Config, _seed: [u8; 32], _now: Instant) -> Self {
        Self {
            config,
            counters: Counters::default(),
            transmits: VecDeque::new(),
            bounces: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    /// Makes a map the one in force. Sessions and paths of peers that stay go on; flows that the new filter does
    /// not allow end.
    pub fn apply(&mut self, _map: &NetworkMap, _now: Instant) {}

    /// Where a relay's names lead to now.
    pub fn set_relay_addresses(&mut self, _relay: RelayId, _addresses: Vec<SocketAddr>, _now: Instant) {}

    /// The TLS leg to a relay came up, or went down.
    pub fn set_stream(&mut self, _relay: RelayId, _up: bool, _now: Instant) {}

    /// The addresses of this device's interfaces, each with the port of the UDP socket. To be called at start and
    /// whenever the network changed, with the same list too: everything is probed anew.
    pub fn set_local_candidates(&mut self, _candidates: Vec<SocketAddr>, _now: Instant) {}

    /// The machine slept, so that nothing known of the network can be trusted.
    pub fn handle_wake(&mut self, _now: Instant) {}

    /// Finds the peer for an IP packet from the TUN, and opens or refreshes its flow. Called once for a run of
    /// segments: `headers` is the packet, or at least its headers, with checksums finished (the segment size of a
    /// SYN may be lowered); `largest` is the size of the largest IP packet of the run.
    ///
    /// # Errors
    /// The packets go nowhere. After [`DropReason::TooBig`], [`Self::poll_bounce`] has an answer for the sender.
    pub fn outbound(
        &mut self,
        _headers: &mut [u8],
        _largest: usize,
        _now: Instant,
    ) -> Result<PeerIndex, DropReason> {
        Err(DropReason::NoPeer)
    }

    /// Encrypts one IP packet for a peer into `out`, which needs [`Self::SEAL_OVERHEAD`] bytes more than the packet
    /// and [`Self::SEAL_LEAST`] at least. Equal packet sizes and an unchanged path give equal datagram sizes.
    pub fn seal(&mut self, _peer: PeerIndex, _packet: &[u8], _out: &mut [u8], _now: Instant) -> Sealed {
        Sealed::Dropped(DropReason::NoPath)
    }

    /// Takes one datagram in. `out` needs as many bytes as the datagram has, and [`Self::SEAL_LEAST`] at least.
    pub fn open<'o>(
        &mut self,
        _from: Leg,
        _datagram: &[u8],
        _out: &'o mut [u8],
        _now: Instant,
    ) -> Opened<'o> {
        Opened::Dropped(DropReason::UnknownDatagram)
    }

    /// Probes all ways to a peer now; [`Event::Tested`] tells the results within 2 s.
    pub fn test_path(&mut self, _peer: DeviceId, _now: Instant) {}

    /// Handshakes, keepalives, probes, relay control, and packets that waited for a handshake.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transmits.pop_front()
    }

    /// IP packets that the mesh itself writes to the TUN: ICMP errors for packets larger than their path.
    pub fn poll_bounce(&mut self) -> Option<Vec<u8>> {
        self.bounces.pop_front()
    }

    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    pub fn handle_timeout(&mut self, _now: Instant) {}

    /// When [`Self::handle_timeout`] is to be called next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        None
    }

    /// How each peer is reached now.
    #[must_use]
    pub fn paths(&self) -> Vec<PathState> {
        Vec::new()
    }

    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }
}
