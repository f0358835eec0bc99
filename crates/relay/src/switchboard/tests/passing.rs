//! Packets pass by key, with the source's key put in, and a run stays a run.

use super::rig::{Device, Rig, data, route, udp, written};
use crate::switchboard::{Leg, TlsLegOutput};
use flotilla_wire::{Data, Frame, Reason};

#[test]
fn a_packet_arrives_with_the_key_of_its_sender() {
    let mut rig = Rig::new();
    let (alice, bob) = (Device::new(1), Device::new(2));
    let (from, to) = (rig.admit(&alice), rig.admit(&bob));
    let run = rig.send_run(alice.leg, data(from, &bob, b"sealed"), 51);
    assert_eq!(rig.forwards.len(), 1);
    assert_eq!(rig.forwards[0].to, route(bob.leg));
    let expected = Data {
        session: to,
        key: alice.public(),
        payload: b"sealed",
    };
    assert_eq!(
        Frame::parse(&run[rig.forwards[0].range.clone()]),
        Ok(Frame::Data(expected))
    );
    let counters = rig
        .facts()
        .clients
        .iter()
        .map(|client| client.counters)
        .collect::<Vec<_>>();
    assert_eq!(counters.iter().map(|one| one.received_datagrams).sum::<u64>(), 1);
    assert_eq!(counters.iter().map(|one| one.sent_bytes).sum::<u64>(), 51);
}

#[test]
fn a_run_to_one_destination_goes_on_as_one() {
    let mut rig = Rig::new();
    let (alice, bob, carol) = (Device::new(1), Device::new(2), Device::new(3));
    let from = rig.admit(&alice);
    let (to_bob, _) = (rig.admit(&bob), rig.admit(&carol));
    let payload = [0x5A; 1312];
    let segment = 45 + payload.len();
    let mut run: Vec<u8> = (0..44).flat_map(|_| data(from, &bob, &payload)).collect();
    run.extend(data(from, &bob, b"short"));
    let length = run.len();
    let run = rig.send_run(alice.leg, run, segment);
    assert_eq!(rig.forwards.len(), 1);
    assert_eq!(rig.forwards[0].range, 0..length);
    for datagram in run.chunks(segment) {
        let Ok(Frame::Data(data)) = Frame::parse(datagram) else {
            panic!("no data");
        };
        assert_eq!((data.session, data.key), (to_bob, alice.public()));
    }

    let packets = [(&bob, 2), (&carol, 1), (&bob, 1)];
    let run: Vec<u8> = packets
        .iter()
        .flat_map(|(to, count)| data(from, to, &payload).repeat(*count))
        .collect();
    rig.send_run(alice.leg, run, segment);
    let sent: Vec<_> = rig
        .forwards
        .iter()
        .map(|one| (one.to, one.range.len() / segment))
        .collect();
    let expected = packets.map(|(to, count)| (route(to.leg), count));
    assert_eq!(sent, expected);
}

#[test]
fn a_key_that_is_not_connected_is_said_to_be_gone_once_a_run() {
    let mut rig = Rig::new();
    let (alice, absent) = (Device::new(1), Device::new(2));
    let session = rig.admit(&alice);
    rig.send_run(alice.leg, data(session, &absent, b"hello").repeat(20), 50);
    let gone = Frame::Gone {
        session,
        key: absent.public(),
    };
    assert_eq!(rig.answer(alice.leg), written(&gone));
    assert!(rig.forwards.is_empty());
    rig.send_run(alice.leg, data(session, &alice, b"myself"), 51);
    let gone = Frame::Gone {
        session,
        key: alice.public(),
    };
    assert_eq!(rig.answer(alice.leg), written(&gone));
}

#[test]
fn a_session_is_good_from_its_own_address_only() {
    let mut rig = Rig::new();
    let (alice, bob) = (Device::new(1), Device::new(2));
    let (session, _) = (rig.admit(&alice), rig.admit(&bob));
    rig.send_run(udp(9), data(session, &bob, b"forged"), 51);
    assert!(rig.forwards.is_empty());
    let end = Frame::End {
        session,
        reason: Reason::NoSession,
    };
    assert_eq!(rig.answer(udp(9)), written(&end));
    assert_eq!(rig.facts().clients.len(), 2);
}

#[test]
fn packets_pass_between_a_tls_leg_and_udp() {
    let mut rig = Rig::new();
    let leg = rig.open_tls_leg();
    let alice = Device::new(1).at(Leg::Tls(leg));
    let bob = Device::new(2);
    let (from, to) = (rig.admit(&alice), rig.admit(&bob));
    rig.send_run(alice.leg, data(from, &bob, b"up"), 47);
    assert_eq!(rig.forwards[0].to, route(bob.leg));
    rig.send_run(
        bob.leg,
        [data(to, &alice, b"one"), data(to, &alice, b"two")].concat(),
        48,
    );
    assert!(rig.forwards.is_empty());
    while let Some(ready) = rig.board.poll_tls_leg_ready() {
        assert_eq!(ready, leg);
    }
    for payload in [b"one", b"two"] {
        let expected = written(&Frame::Data(Data {
            session: from,
            key: bob.public(),
            payload,
        }));
        assert_eq!(rig.board.poll_tls_leg(leg), Some(TlsLegOutput::Message(expected)));
    }
    assert_eq!(rig.board.poll_tls_leg(leg), None);
}

#[test]
fn what_a_full_socket_did_not_take_comes_later_and_in_order() {
    let mut rig = Rig::new();
    let (alice, bob) = (Device::new(1), Device::new(2));
    let (from, _) = (rig.admit(&alice), rig.admit(&bob));
    let first = rig.send_run(alice.leg, data(from, &bob, b"first"), 50);
    let forward = rig.forwards[0].clone();
    rig.board.return_forward(&forward, &first);
    rig.send_run(alice.leg, data(from, &bob, b"second"), 51);
    assert!(rig.forwards.is_empty(), "it waits behind the first");
    let payloads: Vec<_> = std::iter::from_fn(|| rig.board.poll_transmit())
        .map(|transmit| transmit.bytes[45..].to_vec())
        .collect();
    assert_eq!(payloads, [b"first".to_vec(), b"second".to_vec()]);
    let bob_facts = rig
        .facts()
        .clients
        .into_iter()
        .find(|client| client.key == bob.public())
        .unwrap();
    assert_eq!(bob_facts.counters.sent_datagrams, 2);
    assert_eq!(bob_facts.queued_bytes, 0);
}
