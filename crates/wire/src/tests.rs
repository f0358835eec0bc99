//! Properties of all frames: one form each, no panic on any bytes, and only the peer's own probes open.

use crate::{
    Addresses, Challenge, Cookie, DATA_HEADER_LEN, Data, Forged, Frame, Hello, Hint, MAGIC, MAX_ADDRESSES,
    MAX_CONTROL_LEN, MAX_PROBE_LEN, MAX_TICKET_LEN, Malformed, Probe, ProbeKey, Proof, REFLECT_REQUEST_LEN,
    Reason, RelayKey, SealedProbe, SessionId, StaticKey, WeakKey, Welcome, is_ours, readdress,
};
use flotilla_protocol::key::PublicKey;
use proptest::{collection::vec, prelude::*};
use std::net::SocketAddr;

mod corpus;

fn alice() -> StaticKey {
    StaticKey::from_bytes([0x0A; 32])
}

fn bob() -> StaticKey {
    StaticKey::from_bytes([0x0B; 32])
}

fn between(own: &StaticKey, peer: &StaticKey) -> ProbeKey {
    ProbeKey::between(own, peer.public()).unwrap()
}

fn sealed(key: &ProbeKey, probe: &Probe, counter: u64, length: usize) -> Vec<u8> {
    let mut out = vec![0xEE; MAX_PROBE_LEN];
    let written = key.seal(probe, counter, length, &mut out).unwrap();
    out.truncate(written);
    out
}

fn as_probe(bytes: &[u8]) -> SealedProbe<'_> {
    let Ok(Frame::Probe(probe)) = Frame::parse(bytes) else {
        panic!("not a probe: {:?}", Frame::parse(bytes));
    };
    probe
}

fn written(frame: &Frame<'_>) -> Vec<u8> {
    let mut out = vec![0xEE; 70_000];
    let length = frame.write(&mut out).unwrap();
    out.truncate(length);
    out
}

fn address() -> impl Strategy<Value = SocketAddr> {
    prop_oneof![
        any::<([u8; 4], u16)>().prop_map(SocketAddr::from),
        any::<([u8; 16], u16)>()
            .prop_map(|(ip, port)| { SocketAddr::new(std::net::Ipv6Addr::from(ip).to_canonical(), port) }),
    ]
}

fn probe() -> impl Strategy<Value = Probe> {
    prop_oneof![
        any::<u64>().prop_map(|tx| Probe::Ping { tx }),
        (any::<u64>(), address()).prop_map(|(tx, observed)| Probe::Pong { tx, observed }),
        (any::<u64>(), vec(address(), 0..=MAX_ADDRESSES)).prop_map(|(revision, list)| Probe::Candidates {
            revision,
            addresses: list.into_iter().collect(),
        }),
    ]
}

/// Any frame; its variable part borrows from `bytes`.
fn frame(bytes: &'static [u8]) -> impl Strategy<Value = Frame<'static>> {
    let session = any::<u64>().prop_map(SessionId);
    let key = any::<[u8; 32]>().prop_map(PublicKey::from_bytes);
    let proofs = any::<([u8; 32], [u8; 32])>();
    let fields = (
        any::<u64>(),
        session,
        key,
        address(),
        proofs,
        any::<u8>(),
        1..=bytes.len(),
    );
    (0usize..11, fields).prop_map(
        move |(kind, (tx, session, key, observed, (a, b), reason, length))| {
            let reason = match Frame::parse(&[&MAGIC[..], &[0x14], &[0; 8], &[reason]].concat()) {
                Ok(Frame::End { reason, .. }) => reason,
                other => panic!("{other:?}"),
            };
            let (cookie, proof) = (Cookie(a), Proof(b));
            let welcome = Welcome {
                tx,
                session,
                keepalive_seconds: 25,
                observed,
                proof,
            };
            let ticket = bytes.get(..length.min(MAX_TICKET_LEN)).unwrap_or_default();
            let payload = bytes.get(..length).unwrap_or_default();
            match kind {
                0 => Frame::ReflectRequest { tx },
                1 => Frame::ReflectAnswer { tx, observed },
                2 => Frame::Hello(Hello {
                    tx,
                    cookie,
                    proof,
                    ticket,
                }),
                3 => Frame::Challenge(Challenge { tx, cookie }),
                4 => Frame::Welcome(welcome),
                5 => Frame::Refused { tx, reason },
                6 => Frame::Data(Data {
                    session,
                    key,
                    payload,
                }),
                7 => Frame::Gone { session, key },
                8 => Frame::Ping { session, tx },
                9 => Frame::Pong { session, tx },
                _ => Frame::End { session, reason },
            }
        },
    )
}

static BYTES: [u8; 1400] = [0x5A; 1400];

proptest! {
    #[test]
    fn a_frame_reads_back_as_it_was_written(frame in frame(&BYTES)) {
        let bytes = written(&frame);
        prop_assert!(is_ours(&bytes));
        prop_assert_eq!(Frame::parse(&bytes), Ok(frame));
    }

    #[test]
    fn a_frame_is_not_written_where_it_has_no_room(frame in frame(&BYTES), short in 1usize..1500) {
        let length = written(&frame).len();
        let mut out = vec![0; length.saturating_sub(short)];
        prop_assert_eq!(frame.write(&mut out), None);
    }

    #[test]
    fn any_bytes_are_answered_and_what_parses_has_one_form(kind in 0u8..0x18, rest in vec(any::<u8>(), 0..700)) {
        let bytes = [&MAGIC[..], &[kind], &rest].concat();
        if let Ok(frame) = Frame::parse(&bytes) {
            prop_assert_eq!(written(&frame), bytes);
        }
        prop_assert!(Frame::parse(&rest).is_err() || rest.starts_with(&MAGIC));
    }

    #[test]
    fn what_wireguard_sends_is_never_ours(kind in 1u8..=4, rest in vec(any::<u8>(), 0..200)) {
        let message = [&[kind, 0, 0, 0][..], &rest].concat();
        prop_assert!(!is_ours(&message));
        prop_assert_eq!(Frame::parse(&message), Err(Malformed::Foreign));
    }

    #[test]
    fn a_probe_is_opened_by_the_peer_and_by_no_other_key(probe in probe(), counter: u64, length in 0usize..=1500) {
        let (to_bob, to_alice) = (between(&alice(), &bob()), between(&bob(), &alice()));
        let bytes = sealed(&to_bob, &probe, counter, length);
        let read = as_probe(&bytes);
        prop_assert_eq!((read.hint(), read.counter()), (Hint::of(alice().public()), counter));
        prop_assert_eq!(to_alice.open(&read), Ok(probe));
        prop_assert_eq!(to_bob.open(&read), Err(Forged));
        let eve = StaticKey::from_bytes([0x0E; 32]);
        prop_assert_eq!(between(&eve, &alice()).open(&read), Err(Forged));
        prop_assert_eq!(between(&bob(), &eve).open(&read), Err(Forged));
    }

    #[test]
    fn a_changed_probe_is_forged(probe in probe(), at: prop::sample::Index, flip in 1u8..) {
        let mut bytes = sealed(&between(&alice(), &bob()), &probe, 7, 0);
        let at = at.index(bytes.len() - 5) + 5;
        bytes[at] ^= flip;
        prop_assert_eq!(between(&bob(), &alice()).open(&as_probe(&bytes)), Err(Forged));
    }

    #[test]
    fn a_hello_proves_one_key_to_one_relay_for_one_cookie(cookie: [u8; 32], tx: u64, ticket in vec(any::<u8>(), 0..300)) {
        let relay = StaticKey::from_bytes([0x4E; 32]);
        let client = RelayKey::of_client(&alice(), relay.public()).unwrap();
        let cookie = Cookie(cookie);
        let hello = Hello { tx, cookie, proof: client.prove_hello(tx, &cookie, &ticket), ticket: &ticket };
        let good = RelayKey::of_relay(&relay, alice().public()).unwrap();
        prop_assert!(good.hello_is_good(&hello));
        let later = Hello { tx: tx ^ 1, ..hello };
        let from_elsewhere = Hello { cookie: Cookie([!cookie.0[0]; 32]), ..hello };
        let with_another_ticket = Hello { ticket: b"another", ..hello };
        for changed in [later, from_elsewhere, with_another_ticket] {
            prop_assert!(!good.hello_is_good(&changed));
        }
        let (other_client, other_relay) = (bob().public(), StaticKey::from_bytes([0x4F; 32]));
        prop_assert!(!RelayKey::of_relay(&relay, other_client).unwrap().hello_is_good(&hello));
        prop_assert!(!RelayKey::of_relay(&other_relay, alice().public()).unwrap().hello_is_good(&hello));
    }

    #[test]
    fn a_relay_changes_the_address_and_never_the_payload(payload in vec(any::<u8>(), 1..1400)) {
        let (here, there) = (SessionId(3), SessionId(4));
        let mut bytes = written(&Frame::Data(Data { session: here, key: bob().public(), payload: &payload }));
        prop_assert!(readdress(&mut bytes, there, alice().public()));
        let expected = Data { session: there, key: alice().public(), payload: &payload };
        prop_assert_eq!(Frame::parse(&bytes), Ok(Frame::Data(expected)));
    }
}

#[test]
fn a_welcome_is_believed_only_from_the_relay_that_was_asked() {
    let relay = StaticKey::from_bytes([0x4E; 32]);
    let ours = RelayKey::of_client(&alice(), relay.public()).unwrap();
    let theirs = RelayKey::of_relay(&relay, alice().public()).unwrap();
    let welcome = theirs.welcome(9, SessionId(77), 25, "203.0.113.7:4000".parse().unwrap());
    assert!(ours.welcome_is_good(&welcome));
    let other = Welcome {
        session: SessionId(78),
        ..welcome
    };
    assert!(!ours.welcome_is_good(&other));
    let moved = Welcome {
        observed: "203.0.113.8:4000".parse().unwrap(),
        ..welcome
    };
    assert!(!ours.welcome_is_good(&moved));
}

#[test]
fn a_device_may_use_the_relay_that_it_runs() {
    let cookie = Cookie([3; 32]);
    let client = RelayKey::of_client(&alice(), alice().public()).unwrap();
    let hello = Hello {
        tx: 1,
        cookie,
        proof: client.prove_hello(1, &cookie, b"ticket"),
        ticket: b"ticket",
    };
    let relay = RelayKey::of_relay(&alice(), alice().public()).unwrap();
    assert!(relay.hello_is_good(&hello));
}

#[test]
fn a_key_that_gives_no_secret_is_refused() {
    let zero = PublicKey::from_bytes([0; 32]);
    assert_eq!(ProbeKey::between(&alice(), zero).unwrap_err(), WeakKey);
    assert_eq!(
        ProbeKey::between(&alice(), alice().public()).unwrap_err(),
        WeakKey
    );
    assert_eq!(RelayKey::of_relay(&alice(), zero).unwrap_err(), WeakKey);
}

#[test]
fn a_ping_is_padded_to_the_length_that_is_measured() {
    let key = between(&alice(), &bob());
    for length in [0, 45, 46, 47, 1200, 1472, 1500] {
        assert_eq!(
            sealed(&key, &Probe::Ping { tx: 1 }, 1, length).len(),
            length.max(46)
        );
    }
    let mut small = [0; 45];
    assert_eq!(key.seal(&Probe::Ping { tx: 1 }, 1, 0, &mut small), None);
    let mut large = [0; 1600];
    assert_eq!(key.seal(&Probe::Ping { tx: 1 }, 1, 1501, &mut large), None);
}

#[test]
fn answers_to_strangers_are_shorter_than_their_questions() {
    let observed = "[2001:db8::1]:9".parse().unwrap();
    let session = SessionId(1);
    let hello = Hello {
        tx: 1,
        cookie: Cookie::NONE,
        proof: Proof::NONE,
        ticket: &[],
    };
    let challenge = Challenge {
        tx: 1,
        cookie: Cookie::NONE,
    };
    let end = Frame::End {
        session,
        reason: Reason::NoSession,
    };
    let data = Data {
        session,
        key: bob().public(),
        payload: &[0],
    };
    for (question, answer) in [
        (
            Frame::ReflectRequest { tx: 1 },
            Frame::ReflectAnswer { tx: 1, observed },
        ),
        (Frame::Hello(hello), Frame::Challenge(challenge)),
        (
            Frame::Hello(hello),
            Frame::Refused {
                tx: 1,
                reason: Reason::Ticket,
            },
        ),
        (Frame::Ping { session, tx: 1 }, Frame::Pong { session, tx: 1 }),
        (Frame::Ping { session, tx: 1 }, end),
        (Frame::Data(data), end),
        (
            Frame::Data(data),
            Frame::Gone {
                session,
                key: bob().public(),
            },
        ),
    ] {
        assert!(
            written(&answer).len() <= written(&question).len(),
            "{answer:?} to {question:?}"
        );
    }
}

#[test]
fn the_lengths_are_those_of_the_table() {
    let ticket = [0; MAX_TICKET_LEN];
    let hello = Hello {
        tx: 1,
        cookie: Cookie::NONE,
        proof: Proof::NONE,
        ticket: &ticket,
    };
    assert_eq!(written(&Frame::Hello(hello)).len(), MAX_CONTROL_LEN);
    assert_eq!(
        Frame::Hello(Hello {
            ticket: &BYTES,
            ..hello
        })
        .write(&mut [0; 2000]),
        None
    );
    assert_eq!(
        written(&Frame::ReflectRequest { tx: 1 }).len(),
        REFLECT_REQUEST_LEN
    );
    let data = Data {
        session: SessionId(1),
        key: bob().public(),
        payload: &[1],
    };
    assert_eq!(written(&Frame::Data(data)).len(), DATA_HEADER_LEN + 1);
    assert_eq!(
        Frame::Data(Data { payload: &[], ..data }).write(&mut [0; 100]),
        None
    );
}

#[test]
fn addresses_beyond_the_sixteenth_are_left_out() {
    let many: Addresses = (0..40)
        .map(|port| SocketAddr::from(([192, 0, 2, 1], port)))
        .collect();
    assert_eq!(many.len(), MAX_ADDRESSES);
    assert_eq!(many.last().map(SocketAddr::port), Some(15));
}

#[test]
fn secrets_do_not_print_themselves() {
    let shown = format!("{:?} {:?} {:?}", alice(), SessionId(4242), Cookie([7; 32]));
    assert!(!shown.contains("4242") && !shown.contains("7, 7") && !shown.contains("10, 10"));
}
