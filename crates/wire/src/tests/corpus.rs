//! One sample of each frame, kept as files: a frame that changes on the wire shows in review, and fuzzing begins from
//! them. `FLOTILLA_CORPUS=write` writes the files again.

use super::{alice, as_probe, between, bob, sealed, written};
use crate::{
    Challenge, Cookie, Data, Forged, Frame, Hello, Probe, Proof, Reason, RelayKey, SessionId, StaticKey,
};
use proptest::{prelude::*, sample::Index};
use std::{fs, net::SocketAddr, path::PathBuf};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

const TX: u64 = 0x0102_0304_0506_0708;
const SESSION: SessionId = SessionId(0x1112_1314_1516_1718);

fn samples() -> Vec<(&'static str, Vec<u8>)> {
    let mut samples = probes();
    samples.extend(admission());
    samples.extend(passing().map(|(name, frame)| (name, written(&frame))));
    samples
}

fn observed() -> [SocketAddr; 2] {
    [
        "203.0.113.7:51820".parse().unwrap(),
        "[2001:db8::7]:51820".parse().unwrap(),
    ]
}

fn probes() -> Vec<(&'static str, Vec<u8>)> {
    let to_bob = between(&alice(), &bob());
    let [observed_v4, _] = observed();
    let ping = Probe::Ping { tx: TX };
    let pong = Probe::Pong {
        tx: TX,
        observed: observed_v4,
    };
    let candidates = Probe::Candidates {
        revision: 7,
        addresses: observed().into_iter().collect(),
    };
    vec![
        ("probe-ping", sealed(&to_bob, &ping, 1, 0)),
        ("probe-ping-padded", sealed(&to_bob, &ping, 2, 1400)),
        ("probe-pong", sealed(&to_bob, &pong, 3, 0)),
        ("probe-candidates", sealed(&to_bob, &candidates, 4, 0)),
    ]
}

fn admission() -> [(&'static str, Vec<u8>); 5] {
    let relay = StaticKey::from_bytes([0x4E; 32]);
    let client = RelayKey::of_client(&alice(), relay.public()).unwrap();
    let (cookie, ticket) = (Cookie([0xC0; 32]), [b'T'; 183]);
    let [observed, _] = observed();
    let first = Hello {
        tx: TX,
        cookie: Cookie::NONE,
        proof: Proof::NONE,
        ticket: &[],
    };
    let second = Hello {
        tx: TX,
        cookie,
        proof: client.prove_hello(TX, &cookie, &ticket),
        ticket: &ticket,
    };
    let reason = Reason::Full;
    [
        ("hello-first", Frame::Hello(first)),
        ("challenge", Frame::Challenge(Challenge { tx: TX, cookie })),
        ("hello", Frame::Hello(second)),
        (
            "welcome",
            Frame::Welcome(client.welcome(TX, SESSION, 25, observed)),
        ),
        ("refused", Frame::Refused { tx: TX, reason }),
    ]
    .map(|(name, frame)| (name, written(&frame)))
}

fn passing() -> [(&'static str, Frame<'static>); 7] {
    let (tx, session, key) = (TX, SESSION, bob().public());
    let [_, observed] = observed();
    let payload = &[4, 0, 0, 0, 9, 9, 9, 9];
    let reason = Reason::Replaced;
    [
        ("reflect-request", Frame::ReflectRequest { tx }),
        ("reflect-answer", Frame::ReflectAnswer { tx, observed }),
        (
            "data",
            Frame::Data(Data {
                session,
                key,
                payload,
            }),
        ),
        ("gone", Frame::Gone { session, key }),
        ("ping", Frame::Ping { session, tx }),
        ("pong", Frame::Pong { session, tx }),
        ("end", Frame::End { session, reason }),
    ]
}

#[test]
fn frames_look_on_the_wire_as_they_always_did() {
    if std::env::var("FLOTILLA_CORPUS").is_ok_and(|wish| wish == "write") {
        for (name, bytes) in samples() {
            fs::write(folder().join(name).with_extension("bin"), bytes).unwrap();
        }
    }
    for (name, bytes) in samples() {
        let kept = fs::read(folder().join(name).with_extension("bin")).unwrap();
        assert!(kept == bytes, "{name} changed");
        assert!(Frame::parse(&kept).is_ok(), "{name} does not parse");
    }
    assert_eq!(fs::read_dir(folder()).unwrap().count(), samples().len());
}

/// One change of a sample: bytes overwritten, removed or inserted, or the end cut off.
#[derive(Debug, Clone)]
enum Change {
    Overwrite(Index, u8),
    Remove(Index),
    Insert(Index, u8),
    Cut(Index),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        any::<(Index, u8)>().prop_map(|(at, byte)| Change::Overwrite(at, byte)),
        any::<Index>().prop_map(Change::Remove),
        any::<(Index, u8)>().prop_map(|(at, byte)| Change::Insert(at, byte)),
        any::<Index>().prop_map(Change::Cut),
    ]
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    if bytes.is_empty() {
        return;
    }
    match change {
        Change::Overwrite(at, byte) => *at.get_mut(bytes) = *byte,
        Change::Remove(at) => drop(bytes.remove(at.index(bytes.len()))),
        Change::Insert(at, byte) => bytes.insert(at.index(bytes.len() + 1), *byte),
        Change::Cut(at) => bytes.truncate(at.index(bytes.len())),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_changed_sample_is_answered_and_never_opened(
        which: Index, changes in proptest::collection::vec(change(), 1..6),
    ) {
        let samples = samples();
        let original = &which.get(&samples).1;
        let mut bytes = original.clone();
        changes.iter().for_each(|change| apply(&mut bytes, change));
        if let Ok(frame) = Frame::parse(&bytes) {
            prop_assert_eq!(written(&frame), bytes.as_slice());
        }
        if let Ok(Frame::Probe(probe)) = Frame::parse(&bytes)
            && bytes != *original
        {
            prop_assert_eq!(between(&bob(), &alice()).open(&probe), Err(Forged));
        }
    }
}

#[test]
fn a_sample_of_a_probe_is_opened() {
    for (name, bytes) in samples().iter().filter(|(name, _)| name.starts_with("probe")) {
        assert!(between(&bob(), &alice()).open(&as_probe(bytes)).is_ok(), "{name}");
    }
}
