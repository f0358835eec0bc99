//! Maps and peers with contents that no honest one has.

use super::*;
use flotilla_protocol::{
    endpoint::Endpoint,
    mesh::{Relay, RelayTicket},
};
use flotilla_wire::{MAX_ADDRESSES, Probe, ProbeKey};
use std::collections::BTreeSet;

/// Addresses at which no peer can be, and to which no datagram may go.
const NOWHERE: [&str; 12] = [
    "127.0.0.1:7",
    "[::ffff:127.0.0.1]:7",
    "[::1]:7",
    "0.0.0.0:7",
    "[::]:7",
    "255.255.255.255:7",
    "224.0.0.251:5353",
    "[::ffff:224.0.0.251]:5353",
    "[ff02::1]:7",
    "100.64.0.9:7",
    "[::ffff:100.64.0.9]:7",
    "192.0.2.2:0",
];
const SOMEWHERE: &str = "198.51.100.7:7";

fn local(address: &str) -> Candidate {
    Candidate {
        kind: CandidateKind::Local,
        address: address.parse().unwrap(),
    }
}

fn map_with(candidates: Vec<Candidate>, plain: bool) -> NetworkMap {
    let mut map = map(1, 2, true);
    (map.peers[0].candidates, map.peers[0].plain) = (candidates, plain);
    map
}

fn own() -> Mesh {
    let config = Config {
        private_key: key(1),
        device: device(1),
        clock_start_unix_ms: 1_700_000_000_000,
    };
    Mesh::new(config, [1; 32], Instant::now())
}

/// All addresses that a device sends to within two minutes, a packet for its peer included.
fn targets(mesh: &mut Mesh, now: Instant) -> BTreeSet<SocketAddr> {
    let mut packet = udp_packet(ip(1), ip(2), (1, 2), 10);
    if let Ok(peer) = mesh.outbound(&mut packet, 38, now) {
        mesh.seal(peer, &packet, &mut [0; 2048], now);
    }
    let mut targets = BTreeSet::new();
    for step in 0..1200 {
        mesh.handle_timeout(now + Duration::from_millis(100) * step);
        let sent = std::iter::from_fn(|| mesh.poll_transmit());
        targets.extend(sent.filter_map(|transmit| match transmit.leg {
            Leg::Udp(to) => Some(to),
            Leg::Tls(_) => None,
        }));
    }
    targets
}

#[test]
fn nothing_is_sent_to_where_no_peer_can_be_whatever_the_map_says() {
    for address in NOWHERE {
        for plain in [false, true] {
            let now = Instant::now();
            let mut mesh = own();
            mesh.apply(&map_with(vec![local(address), local(SOMEWHERE)], plain), now);
            let expected = BTreeSet::from([SOMEWHERE.parse().unwrap()]);
            assert_eq!(targets(&mut mesh, now), expected, "{address} {plain}");
        }
    }
}

/// A probe that is sealed by the peer.
fn probe(probe: &Probe, counter: u64) -> Vec<u8> {
    let key = ProbeKey::between(&StaticKey::from_bytes([2; 32]), public(1)).unwrap();
    let mut out = vec![0; 1500];
    let length = key.seal(probe, counter, 0, &mut out).unwrap();
    out.truncate(length);
    out
}

#[test]
fn nothing_is_sent_to_where_no_peer_can_be_whatever_a_peer_says() {
    let now = Instant::now();
    let mut mesh = own();
    mesh.apply(&map_with(vec![], false), now);
    let all = NOWHERE.into_iter().chain([SOMEWHERE]);
    let candidates = Probe::Candidates {
        revision: 1,
        addresses: all.map(|text| text.parse().unwrap()).collect(),
    };
    let mut out = [0; 2048];
    let opened = mesh.open(Leg::Udp(underlay(2)), &probe(&candidates, 1), &mut out, now);
    assert_eq!(opened, Opened::Consumed);
    let targets = targets(&mut mesh, now);
    assert_eq!(targets, BTreeSet::from([SOMEWHERE.parse().unwrap()]));
}

#[test]
fn of_many_candidates_no_more_are_tried_than_a_peer_may_tell() {
    let now = Instant::now();
    let mut mesh = own();
    let mut candidates: Vec<_> = (1..=1000)
        .map(|port| local(&format!("198.51.100.7:{port}")))
        .collect();
    let reflexive = Candidate {
        kind: CandidateKind::Reflexive,
        address: "203.0.113.7:7".parse().unwrap(),
    };
    candidates.push(reflexive);
    mesh.apply(&map_with(candidates, false), now);
    let targets = targets(&mut mesh, now);
    assert_eq!(targets.len(), MAX_ADDRESSES);
    assert!(targets.contains(&reflexive.address));
}

#[test]
fn what_comes_through_the_mesh_itself_is_no_way_to_a_peer() {
    let now = Instant::now();
    let mut mesh = own();
    mesh.apply(&map_with(vec![], false), now);
    let inside = SocketAddr::from((ip(2), 51820));
    let ping = probe(&Probe::Ping { tx: 7 }, 1);
    let mut out = [0; 2048];
    let opened = mesh.open(Leg::Udp(inside), &ping, &mut out, now);
    assert_eq!(opened, Opened::Dropped(DropReason::Spoofed));
    assert_eq!(targets(&mut mesh, now), BTreeSet::new());
}

#[test]
fn a_relay_is_asked_at_few_addresses_and_never_where_none_can_be() {
    let now = Instant::now();
    let mut mesh = own();
    let mut map = map_with(vec![], false);
    let addresses = NOWHERE
        .iter()
        .filter(|text| !text.contains("127.0.0.1") && !text.contains("::1]"));
    let hostile: Vec<SocketAddr> = addresses.map(|text| text.parse().unwrap()).collect();
    let honest = (1..=100).map(|n| SocketAddr::from(([198, 51, 100, n], 7443)));
    let all: Vec<_> = hostile.into_iter().chain(honest).collect();
    let id = RelayId(device(9).0);
    map.relays.push(Relay {
        id,
        name: "other".to_owned(),
        public_key: public(9),
        endpoints: all
            .iter()
            .map(|one| Endpoint::from_ip(one.ip(), one.port()))
            .collect(),
        reflect_port: None,
    });
    map.ticket = Some(RelayTicket("ticket".to_owned()));
    mesh.apply(&map, now);
    let expected: BTreeSet<_> = (1..=4)
        .map(|n| SocketAddr::from(([198, 51, 100, n], 7443)))
        .collect();
    assert_eq!(targets(&mut mesh, now), expected);
    mesh.set_relay_addresses(id, all, now + Duration::from_secs(200));
    assert_eq!(targets(&mut mesh, now + Duration::from_secs(200)), expected);
}

#[test]
fn of_peers_that_cannot_be_told_apart_the_first_stays() {
    let now = Instant::now();
    let mut mesh = own();
    let mut map = map_with(vec![local(SOMEWHERE)], true);
    let honest = map.peers[0].clone();
    let other = |id, key, address| Peer {
        id: device(id),
        public_key: public(key),
        address: ip(address),
        candidates: vec![local("203.0.113.9:9")],
        ..honest.clone()
    };
    map.peers.extend([
        other(3, 2, 3),
        other(4, 4, 2),
        other(2, 5, 5),
        other(6, 1, 6),
        other(7, 7, 1),
    ]);
    map.peers.push(other(8, 8, 8));
    mesh.apply(&map, now);
    let paths = mesh.paths(now);
    let peers: Vec<_> = paths.iter().map(|path| (path.peer, path.remote)).collect();
    let elsewhere = "203.0.113.9:9".parse().ok();
    assert_eq!(
        peers,
        [(device(2), SOMEWHERE.parse().ok()), (device(8), elsewhere)]
    );
    let mut packet = udp_packet(ip(1), ip(2), (1, 2), 10);
    let to = mesh.outbound(&mut packet, 38, now).unwrap();
    mesh.seal(to, &packet, &mut [0; 2048], now);
    assert_eq!(
        mesh.poll_transmit().unwrap().leg,
        Leg::Udp(SOMEWHERE.parse().unwrap())
    );
}

#[test]
fn a_peer_that_is_heard_by_one_relay_and_another_is_followed_once_a_second() {
    let now = Instant::now();
    let mut mesh = own();
    mesh.apply(&map_with(vec![], false), now);
    let (peer, _) = mesh.peers.by_device_mut(device(2)).unwrap();
    let relays = [RelayId(device(8).0), RelayId(device(9).0)];
    let followed = (0..10_000u32).filter(|ms| {
        let relay = relays[usize::from(ms % 2 == 0)];
        mesh.note_relay(peer, relay, now + Duration::from_millis(1) * *ms)
    });
    assert!((9..=11).contains(&followed.count()));
}
