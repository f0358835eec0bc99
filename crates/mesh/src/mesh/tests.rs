//! Two meshes that know each other as plain WireGuard peers; the test carries the datagrams between them.

mod counters;
mod echoes;
mod hostile;
mod sizes;
mod strangers;
mod trials;

use super::*;
use flotilla_protocol::{
    enroll::MeshAddress,
    key::PublicKey,
    mesh::{Allow, Candidate, CandidateKind, Filter as Rules, Peer},
    path::PathReason,
    policy::Proto,
};
use std::{net::Ipv4Addr, time::Duration};

const UDP: u8 = 17;

fn device(n: u8) -> DeviceId {
    format!("01937c5e-7b1a-7c3e-8b9e-0123456789{n:02x}")
        .parse()
        .unwrap()
}

fn key(n: u8) -> PrivateKey {
    PrivateKey::from_bytes([n; 32])
}

fn public(n: u8) -> PublicKey {
    StaticKey::from_bytes([n; 32]).public()
}

fn ip(n: u8) -> Ipv4Addr {
    Ipv4Addr::new(100, 64, 0, n)
}

fn underlay(n: u8) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, n], 51820))
}

fn map(own: u8, other: u8, open: bool) -> NetworkMap {
    let allow = Allow {
        sources: vec!["100.64.0.0/16".parse().unwrap()],
        proto: Proto::Any,
        ports: vec![],
    };
    NetworkMap {
        revision: 1,
        address: MeshAddress {
            address: ip(own),
            prefix: 16,
        },
        relay: RelayPreference::Auto,
        peers: vec![Peer {
            id: device(other),
            name: "other".parse().unwrap(),
            public_key: public(other),
            address: ip(other),
            relay: RelayPreference::Auto,
            candidates: vec![Candidate {
                kind: CandidateKind::Local,
                address: underlay(other),
            }],
            home_relay: None,
            nat: Nat::Unknown,
            plain: true,
        }],
        relays: vec![],
        filter: Rules {
            allows: if open { vec![allow] } else { vec![] },
        },
        ticket: None,
    }
}

fn mesh(own: u8, other: u8, open: bool, now: Instant) -> Mesh {
    let config = Config {
        private_key: key(own),
        device: device(own),
        clock_start_unix_ms: 1_700_000_000_000,
    };
    let mut mesh = Mesh::new(config, [own; 32], now);
    mesh.apply(&map(own, other, open), now);
    mesh
}

fn udp_packet(from: Ipv4Addr, to: Ipv4Addr, ports: (u16, u16), len: usize) -> Vec<u8> {
    let total = u16::try_from(28 + len).unwrap().to_be_bytes();
    let mut bytes = vec![0x45, 0, total[0], total[1], 0, 1, 0x40, 0, 64, UDP, 0, 0];
    bytes.extend(from.octets());
    bytes.extend(to.octets());
    bytes.extend(ports.0.to_be_bytes());
    bytes.extend(ports.1.to_be_bytes());
    bytes.extend(u16::try_from(8 + len).unwrap().to_be_bytes());
    bytes.resize(28 + len, 0);
    bytes
}

/// Two meshes, and the packets that reached each one's TUN.
struct Pair {
    ends: [Mesh; 2],
    got: [Vec<Vec<u8>>; 2],
    now: Instant,
}

impl Pair {
    fn new(open: bool) -> Self {
        let now = Instant::now();
        Self {
            ends: [mesh(1, 2, open, now), mesh(2, 1, open, now)],
            got: [vec![], vec![]],
            now,
        }
    }

    fn send(&mut self, end: usize, packet: &[u8]) -> Result<Sealed, DropReason> {
        let mut packet = packet.to_vec();
        let len = packet.len();
        let peer = self.ends[end].outbound(&mut packet, len, self.now)?;
        let mut out = vec![0; 2048];
        let sealed = self.ends[end].seal(peer, &packet, &mut out, self.now);
        if let Sealed::Data { len, .. } = sealed {
            self.deliver(1 - end, &out[..len]);
        }
        self.exchange();
        Ok(sealed)
    }

    fn deliver(&mut self, end: usize, datagram: &[u8]) {
        let mut out = vec![0; 2048];
        let from = Leg::Udp(underlay(if end == 0 { 2 } else { 1 }));
        if let Opened::Packet { packet, .. } = self.ends[end].open(from, datagram, &mut out, self.now) {
            let packet = packet.to_vec();
            self.got[end].push(packet);
        }
    }

    fn exchange(&mut self) {
        while let Some((end, transmit)) =
            (0..2).find_map(|end| self.ends[end].poll_transmit().map(|transmit| (end, transmit)))
        {
            self.deliver(1 - end, &transmit.bytes);
        }
    }
}

#[test]
fn packets_that_wait_for_the_handshake_arrive_in_order_and_later_ones_go_at_once() {
    let mut pair = Pair::new(true);
    let packets: Vec<_> = (1..=3)
        .map(|port| udp_packet(ip(1), ip(2), (port, 53), 100))
        .collect();
    assert_eq!(pair.send(0, &packets[0]), Ok(Sealed::Queued));
    for packet in &packets[1..] {
        let sealed = pair.send(0, packet).unwrap();
        assert!(
            matches!(
                sealed,
                Sealed::Data {
                    len: 160,
                    leg: Leg::Udp(_)
                }
            ),
            "{sealed:?}"
        );
    }
    assert_eq!(pair.got[1], packets);
    let answer = udp_packet(ip(2), ip(1), (53, 1), 900);
    assert!(matches!(pair.send(1, &answer), Ok(Sealed::Data { .. })));
    assert_eq!(pair.got[0], [answer]);
    assert_eq!(
        pair.ends[0].counters().peers[&device(2)],
        crate::Traffic {
            sent_bytes: 384,
            received_bytes: 928
        }
    );
}

#[test]
fn an_answer_passes_where_nothing_else_may_come_in() {
    let mut pair = Pair::new(false);
    let hello = udp_packet(ip(2), ip(1), (9, 9), 10);
    pair.send(1, &hello).unwrap();
    assert_eq!(pair.got[0], Vec::<Vec<u8>>::new());
    assert_eq!(pair.ends[0].counters().drops[&DropReason::Filtered], 1);
    pair.send(0, &udp_packet(ip(1), ip(2), (9, 9), 10)).unwrap();
    pair.send(1, &hello).unwrap();
    assert_eq!(pair.got[0], [hello]);
}

#[test]
fn an_open_flow_is_cut_with_its_rule_and_what_comes_then_is_counted() {
    let mut pair = Pair::new(true);
    let packet = udp_packet(ip(1), ip(2), (9, 9), 10);
    for count in 1..=3 {
        pair.send(0, &packet).unwrap();
        pair.send(1, &udp_packet(ip(2), ip(1), (9, 9), 10)).unwrap();
        assert_eq!(pair.got[1].len(), count);
    }
    let now = pair.now;
    pair.ends[1].apply(&map(2, 1, false), now);
    for _ in 0..2 {
        pair.send(0, &packet).unwrap();
    }
    assert_eq!(pair.got[1].len(), 3);
    assert_eq!(pair.ends[1].counters().drops[&DropReason::Filtered], 2);
}

#[test]
fn a_peer_that_borrows_an_address_is_not_heard() {
    let mut pair = Pair::new(true);
    pair.send(0, &udp_packet(ip(1), ip(2), (1, 2), 10)).unwrap();
    // The other end believes that it has another address than the one in this end's map.
    let mut other = map(2, 1, true);
    other.address.address = ip(7);
    pair.ends[1].apply(&other, pair.now);
    pair.send(1, &udp_packet(ip(7), ip(1), (1, 2), 10)).unwrap();
    assert_eq!(pair.got[0], Vec::<Vec<u8>>::new());
    assert_eq!(pair.ends[0].counters().drops[&DropReason::Spoofed], 1);
}

#[test]
fn a_packet_larger_than_its_path_is_answered_with_the_size_that_fits() {
    let mut pair = Pair::new(true);
    let large = udp_packet(ip(1), ip(2), (1, 2), 1500 - 28);
    assert_eq!(pair.send(0, &large), Err(DropReason::TooBig));
    let bounce = pair.ends[0].poll_bounce().unwrap();
    assert_eq!(bounce[16..20], ip(1).octets());
    assert_eq!(bounce[26..28], 1280u16.to_be_bytes());
    assert_eq!(pair.ends[0].poll_bounce(), None);
}

#[test]
fn a_peer_that_left_the_map_is_not_known_anymore() {
    let mut pair = Pair::new(true);
    let packet = udp_packet(ip(1), ip(2), (1, 2), 10);
    pair.send(0, &packet).unwrap();
    let mut without = map(1, 2, true);
    without.peers.clear();
    pair.ends[0].apply(&without, pair.now);
    assert_eq!(pair.send(0, &packet), Err(DropReason::NoPeer));
    pair.send(1, &udp_packet(ip(2), ip(1), (1, 2), 10)).unwrap();
    assert_eq!(pair.got[0], Vec::<Vec<u8>>::new());
}

#[test]
fn a_plain_peer_shows_a_direct_path() {
    let pair = Pair::new(true);
    let [path] = &pair.ends[0].paths(pair.now)[..] else {
        panic!("one peer, one path");
    };
    assert_eq!(
        (path.why, path.remote),
        (PathReason::DirectNat, Some(underlay(2)))
    );
}

#[test]
fn too_small_buffers_and_garbage_are_refused() {
    let mut pair = Pair::new(true);
    let peer = pair.ends[0]
        .outbound(&mut udp_packet(ip(1), ip(2), (1, 2), 10), 38, pair.now)
        .unwrap();
    let sealed = pair.ends[0].seal(peer, &[0x45; 100], &mut [0; 100], pair.now);
    assert_eq!(sealed, Sealed::Dropped(DropReason::BufferTooSmall));
    let mut out = [0; 2048];
    let opened = pair.ends[0].open(Leg::Udp(underlay(2)), &[9; 40], &mut out[..100], pair.now);
    assert_eq!(opened, Opened::Dropped(DropReason::BufferTooSmall));
    for garbage in [
        &[][..],
        &[4, 0, 0, 0],
        &[1; 148],
        &[0xF1, 0x07, 0x11, 0xA0],
        &[0; 1500],
    ] {
        let opened = pair.ends[0].open(Leg::Udp(underlay(2)), garbage, &mut out, pair.now);
        assert!(matches!(opened, Opened::Dropped(_)), "{garbage:?}");
    }
}

#[test]
fn a_queue_that_is_never_emptied_is_bounded() {
    let mut pair = Pair::new(true);
    let mut packet = udp_packet(ip(1), ip(2), (1, 2), 10);
    let peer = pair.ends[0].outbound(&mut packet, 38, pair.now).unwrap();
    let mut out = [0; 2048];
    let mut last = Sealed::Queued;
    for _ in 0..1000 {
        last = pair.ends[0].seal(peer, &packet, &mut out, pair.now + Duration::from_millis(1));
    }
    assert_eq!(last, Sealed::Dropped(DropReason::QueueFull));
}

#[test]
fn an_old_handshake_is_refused_and_answered_with_a_new_one_now_and_then() {
    let now = Instant::now();
    let [mut sender, mut receiver] = [mesh(1, 2, true, now), mesh(2, 1, true, now)];
    let mut packet = udp_packet(ip(1), ip(2), (9, 53), 10);
    let len = packet.len();
    let peer = sender.outbound(&mut packet, len, now).unwrap();
    sender.seal(peer, &packet, &mut [0; 2048], now);
    let handshake = sender.poll_transmit().unwrap().bytes;
    let mut hear = |now| {
        let mut out = [0; 2048];
        let opened = receiver.open(Leg::Udp(underlay(1)), &handshake, &mut out, now);
        let is_refused = opened == Opened::Dropped(DropReason::Replayed);
        let sent = std::iter::from_fn(|| receiver.poll_transmit());
        (is_refused, sent.map(|sent| sent.bytes[0]).collect::<Vec<_>>())
    };
    assert_eq!(hear(now), (false, vec![2]));
    let mut offers = vec![];
    for second in (0..400).step_by(5) {
        let (is_refused, sent) = hear(now + Duration::from_secs(second));
        assert!(is_refused);
        offers.extend(sent.iter().filter(|kind| **kind == 1).map(|_| second));
    }
    assert_eq!(offers, [0, 5, 15, 35, 75, 155, 275, 395]);
}
