//! Packets of an established session pass without an allocation, which would cost throughput at line rate.

#![expect(
    clippy::unwrap_used,
    reason = "the fixtures of a test fail by panicking, as it does"
)]

use flotilla_mesh::{Config, Leg, Mesh, Opened, PrivateKey, Sealed};
use flotilla_protocol::{
    device::RelayPreference,
    enroll::MeshAddress,
    id::DeviceId,
    mesh::{Allow, Candidate, CandidateKind, Filter, Nat, NetworkMap, Peer},
    policy::Proto,
};
use flotilla_wire::StaticKey;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::{
    alloc::System,
    net::{Ipv4Addr, SocketAddr},
    time::Instant,
};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const PACKETS: usize = 10_000;
/// Segments of a run of 64 KiB.
const RUN: usize = 44;
const UDP: u8 = 17;

fn device(n: u8) -> DeviceId {
    format!("01937c5e-7b1a-7c3e-8b9e-0123456789{n:02x}")
        .parse()
        .unwrap()
}

fn ip(n: u8) -> Ipv4Addr {
    Ipv4Addr::new(100, 64, 0, n)
}

fn underlay(n: u8) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, n], 51820))
}

fn mesh(own: u8, other: u8, now: Instant) -> Mesh {
    let peer = Peer {
        id: device(other),
        name: "other".parse().unwrap(),
        public_key: StaticKey::from_bytes([other; 32]).public(),
        address: ip(other),
        relay: RelayPreference::Auto,
        candidates: vec![Candidate {
            kind: CandidateKind::Local,
            address: underlay(other),
        }],
        home_relay: None,
        nat: Nat::Unknown,
        plain: true,
    };
    let allow = Allow {
        sources: vec!["100.64.0.0/16".parse().unwrap()],
        proto: Proto::Any,
        ports: vec![],
    };
    let map = NetworkMap {
        revision: 1,
        address: MeshAddress {
            address: ip(own),
            prefix: 16,
        },
        relay: RelayPreference::Auto,
        peers: vec![peer],
        relays: vec![],
        filter: Filter { allows: vec![allow] },
        ticket: None,
    };
    let config = Config {
        private_key: PrivateKey::from_bytes([own; 32]),
        device: device(own),
        clock_start_unix_ms: 1_700_000_000_000,
    };
    let mut mesh = Mesh::new(config, [own; 32], now);
    mesh.apply(&map, now);
    mesh
}

/// The largest UDP packet that a direct path carries.
fn packet() -> Vec<u8> {
    let total = 1280u16.to_be_bytes();
    let mut bytes = vec![0x45, 0, total[0], total[1], 0, 1, 0x40, 0, 64, UDP, 0, 0];
    bytes.extend(ip(1).octets());
    bytes.extend(ip(2).octets());
    bytes.extend([0x13, 0x88, 0x13, 0x88]);
    bytes.extend(1260u16.to_be_bytes());
    bytes.resize(1280, 0);
    bytes
}

/// Both ends, with the buffers that a caller of the mesh keeps.
struct Pair {
    from: Mesh,
    to: Mesh,
    packet: Vec<u8>,
    sealed: Vec<u8>,
    opened: Vec<u8>,
    now: Instant,
}

impl Pair {
    /// Sends a run of packets; returns how many arrived.
    fn run(&mut self) -> usize {
        let largest = self.packet.len();
        let peer = self.from.outbound(&mut self.packet, largest, self.now).unwrap();
        let mut arrived = 0;
        for _ in 0..RUN {
            let sealed = self.from.seal(peer, &self.packet, &mut self.sealed, self.now);
            if let Sealed::Data { len, .. } = sealed {
                let from = Leg::Udp(underlay(1));
                let opened = self
                    .to
                    .open(from, &self.sealed[..len], &mut self.opened, self.now);
                arrived += usize::from(matches!(opened, Opened::Packet { .. }));
            }
        }
        arrived
    }

    fn shake_hands(&mut self) {
        self.run();
        loop {
            let there = self.from.poll_transmit();
            if let Some(transmit) = &there {
                let from = Leg::Udp(underlay(1));
                self.to.open(from, &transmit.bytes, &mut self.opened, self.now);
            }
            let back = self.to.poll_transmit();
            if let Some(transmit) = &back {
                let from = Leg::Udp(underlay(2));
                self.from.open(from, &transmit.bytes, &mut self.opened, self.now);
            }
            if there.is_none() && back.is_none() {
                break;
            }
        }
    }
}

#[test]
fn ten_thousand_packets_pass_without_an_allocation() {
    let region = Region::new(ALLOCATOR);
    let now = Instant::now();
    let mut pair = Pair {
        from: mesh(1, 2, now),
        to: mesh(2, 1, now),
        packet: packet(),
        sealed: vec![0; 2048],
        opened: vec![0; 2048],
        now,
    };
    pair.shake_hands();
    assert_eq!(pair.run(), RUN);
    assert!(region.change().allocations > 0, "they are counted");

    let region = Region::new(ALLOCATOR);
    let arrived: usize = (0..PACKETS.div_ceil(RUN)).map(|_| pair.run()).sum();
    let change = region.change();
    assert!(arrived >= PACKETS, "{arrived}");
    assert_eq!((change.allocations, change.reallocations), (0, 0), "{change:?}");
}
