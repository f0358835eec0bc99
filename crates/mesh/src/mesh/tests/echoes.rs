//! A device asks its own mesh whether packets pass.

use super::*;
use crate::echo::{ECHO_PORT, UNASKED_PORT};
use flotilla_wire::packet::{self, Payload};

fn asked(mesh: &mut Mesh, packet: &[u8], now: Instant) -> Vec<Vec<u8>> {
    let mut packet = packet.to_vec();
    let length = packet.len();
    assert!(mesh.outbound(&mut packet, length, now).is_err());
    std::iter::from_fn(|| mesh.poll_bounce()).collect()
}

#[test]
fn the_first_address_of_the_mesh_answers_its_own_device_and_begins_something() {
    let now = Instant::now();
    let mut mesh = mesh(1, 2, true, now);
    let packet = udp_packet(ip(1), ip(0), (40_000, ECHO_PORT), 16);
    let back = asked(&mut mesh, &packet, now);
    let ports: Vec<_> = back
        .iter()
        .map(|back| {
            let headers = packet::parse(back).unwrap();
            assert_eq!(headers.source, IpAddr::V4(ip(0)));
            assert_eq!(headers.destination, IpAddr::V4(ip(1)));
            assert_eq!(back[28..], packet[28..], "what was asked");
            let Payload::Udp { source, destination } = headers.payload else {
                panic!("{headers:?}");
            };
            (source, destination)
        })
        .collect();
    assert_eq!(ports, [(ECHO_PORT, 40_000), (UNASKED_PORT, 40_000)]);
    assert_eq!(mesh.counters().drops, [(DropReason::Echo, 1)].into());
}

#[test]
fn nothing_else_is_answered_there() {
    let now = Instant::now();
    let mut mesh = mesh(1, 2, true, now);
    let good = udp_packet(ip(1), ip(0), (40_000, ECHO_PORT), 16);
    let mut fragment = good.clone();
    fragment[6] = 0x20;
    for (what, packet) in [
        ("another port", udp_packet(ip(1), ip(0), (40_000, 53), 16)),
        (
            "another address",
            udp_packet(ip(1), ip(9), (40_000, ECHO_PORT), 16),
        ),
        (
            "another sender",
            udp_packet(ip(3), ip(0), (40_000, ECHO_PORT), 16),
        ),
        ("much", udp_packet(ip(1), ip(0), (40_000, ECHO_PORT), 500)),
        ("half of it", good[..30].to_vec()),
        ("a fragment", fragment),
    ] {
        assert_eq!(asked(&mut mesh, &packet, now), Vec::<Vec<u8>>::new(), "{what}");
    }
}
