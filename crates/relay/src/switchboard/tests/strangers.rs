//! Whatever strangers send, none gets more bytes than it sent, and none makes anything grow.

use super::rig::{Device, Rig, data, first_hello, route, udp, written};
use crate::switchboard::Leg;
use flotilla_wire::{Cookie, Data, Frame, Hello, MAGIC, Proof, Reason, SessionId};
use proptest::{collection::vec, prelude::*};

/// Datagrams of all kinds, valid and invalid.
fn datagram() -> impl Strategy<Value = Vec<u8>> {
    let raw = (0u8..0x18, vec(any::<u8>(), 0..200));
    prop_oneof![
        vec(any::<u8>(), 0..300),
        raw.prop_map(|(kind, rest)| [&MAGIC[..], &[kind], &rest].concat()),
        any::<u64>().prop_map(|tx| written(&first_hello(tx))),
        any::<u64>().prop_map(|tx| written(&Frame::ReflectRequest { tx })),
        (any::<u64>(), any::<[u8; 32]>(), vec(any::<u8>(), 0..300)).prop_map(|(tx, secret, ticket)| {
            let (cookie, proof) = (Cookie(secret), Proof(secret));
            written(&Frame::Hello(Hello {
                tx,
                cookie,
                proof,
                ticket: &ticket,
            }))
        }),
        (any::<u64>(), vec(any::<u8>(), 1..80)).prop_map(|(session, payload)| {
            let key = Device::new(1).public();
            written(&Frame::Data(Data {
                session: SessionId(session),
                key,
                payload: &payload,
            }))
        }),
        any::<(u64, u64)>().prop_map(|(session, tx)| {
            written(&Frame::Ping {
                session: SessionId(session),
                tx,
            })
        }),
        any::<u64>().prop_map(|session| {
            written(&Frame::End {
                session: SessionId(session),
                reason: Reason::Leaving,
            })
        }),
    ]
}

proptest! {
    #[test]
    fn a_stranger_is_never_answered_with_more_bytes_than_it_sent(
        datagrams in vec((datagram(), 0u16..4), 1..40), segment in 1usize..400,
    ) {
        let mut rig = Rig::new();
        for (datagram, port) in datagrams {
            let asked = datagram.len();
            rig.send_run(udp(port), datagram, segment);
            prop_assert!(rig.forwards.is_empty());
            let answers = rig.answers();
            prop_assert!(answers.iter().all(|answer| answer.to == route(udp(port))));
            let told: usize = answers.iter().map(|answer| answer.bytes.len()).sum();
            prop_assert!(told <= asked, "{told} bytes for {asked}");
        }
        prop_assert!(rig.facts().clients.is_empty());
    }

    #[test]
    fn no_stranger_disturbs_a_client(datagrams in vec((datagram(), 0u16..4), 1..40)) {
        let mut rig = Rig::new();
        let (alice, bob) = (Device::new(1), Device::new(2));
        let (from, _) = (rig.admit(&alice), rig.admit(&bob));
        for (datagram, port) in datagrams {
            let length = datagram.len();
            rig.send_run(udp(port), datagram, length);
        }
        rig.answers();
        rig.send_run(alice.leg, data(from, &bob, b"still here"), 55);
        prop_assert_eq!(rig.forwards.first().map(|forward| forward.to), Some(route(bob.leg)));
    }
}

#[test]
fn a_flood_of_garbage_leaves_nothing_behind() {
    let mut rig = Rig::new();
    for bits in 0..50_000u32 {
        let remote = std::net::SocketAddr::from((bits.to_be_bytes(), 7));
        let from = Leg::Udp(crate::switchboard::Route { remote, local: None });
        let [a, b, c, d] = bits.to_be_bytes();
        let garbage = [0xF1, 0x07, 0x11, 0xA0, a, b, c, d].repeat(9);
        rig.send_run(from, garbage, 72);
        rig.send(from, &first_hello(bits.into()));
    }
    assert_eq!(rig.answers().len(), super::super::ANSWERS, "the rest had no room");
    let facts = rig.facts();
    assert!(facts.clients.is_empty() && facts.tls_legs == 0);
    assert_eq!(facts.totals.unanswered, 50_000 - super::super::ANSWERS as u64);
    let device = Device::new(1);
    rig.admit(&device);
}

#[test]
fn a_reflexive_request_is_answered_with_the_address_that_is_seen() {
    let mut rig = Rig::new();
    rig.send(udp(7), &Frame::ReflectRequest { tx: 11 });
    let observed = route(udp(7)).remote;
    assert_eq!(
        rig.answer(udp(7)),
        written(&Frame::ReflectAnswer { tx: 11, observed })
    );
}
