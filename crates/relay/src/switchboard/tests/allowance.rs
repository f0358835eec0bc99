//! How much of what a client sends is passed on: little to keys that never sent to it, and a fair share of the line.

use super::rig::{Device, Rig, data};
use crate::switchboard::{Counters, Limits};
use flotilla_wire::SessionId;
use std::time::Duration;

/// A full packet; TCP sends runs of them.
const PAYLOAD: [u8; 1312] = [0x5A; 1312];
const SEGMENT: usize = 45 + PAYLOAD.len();
const RUN: usize = 40;

fn run(rig: &mut Rig, from: &Device, session: SessionId, to: &Device) -> usize {
    let bytes = data(session, to, &PAYLOAD).repeat(RUN);
    rig.send_run(from.leg, bytes, SEGMENT);
    rig.forwards.iter().map(|forward| forward.range.len()).sum()
}

fn counters(rig: &Rig, of: &Device) -> Counters {
    let facts = rig.facts();
    let client = facts.clients.iter().find(|client| client.key == of.public());
    client.unwrap().counters
}

#[test]
fn a_client_sends_little_to_a_key_that_never_sent_to_it_and_all_of_it_once_it_was_answered() {
    let mut rig = Rig::new();
    let (flooder, home) = (Device::new(1), Device::new(2));
    let (from, to) = (rig.admit(&flooder), rig.admit(&home));
    let mut passed = 0;
    for _ in 0..1000 {
        passed += run(&mut rig, &flooder, from, &home);
        rig.now.at += Duration::from_millis(10);
    }
    let most = 14 * Limits::default().unasked as usize;
    assert!(
        passed > most / 2 && passed <= most,
        "{passed} bytes in ten seconds"
    );
    let count = counters(&rig, &flooder);
    assert_eq!(
        count.received_datagrams - count.unasked_datagrams,
        (passed / SEGMENT) as u64
    );
    let received = counters(&rig, &home).sent_bytes;
    assert_eq!(received, passed as u64);

    rig.send_run(home.leg, data(to, &flooder, b"yes?"), 49);
    for _ in 0..1000 {
        assert_eq!(run(&mut rig, &flooder, from, &home), RUN * SEGMENT);
    }
}

#[test]
fn a_flow_goes_on_when_either_end_comes_back_from_another_address() {
    let mut rig = Rig::new();
    let (alice, bob) = (Device::new(1), Device::new(2));
    let (from, to) = (rig.admit(&alice), rig.admit(&bob));
    rig.send_run(bob.leg, data(to, &alice, b"yes"), 48);
    let bob = bob.at(super::rig::udp(4000));
    rig.now.at += Duration::from_secs(1);
    rig.admit(&bob);
    let alice = alice.at(super::rig::udp(4001));
    let again = rig.admit(&alice);
    assert_ne!(again, from);
    for _ in 0..1000 {
        assert_eq!(run(&mut rig, &alice, again, &bob), RUN * SEGMENT);
    }
}

#[test]
fn a_peer_that_is_greeted_once_in_five_seconds_by_a_thousand_hears_all_of_them() {
    let mut rig = Rig::new();
    let (alice, bob) = (Device::new(1), Device::new(2));
    let from = rig.admit(&alice);
    rig.admit(&bob);
    for second in 0..60u64 {
        // One sender greets as many peers as if a thousand greeted one, because the cost counts for the sender.
        for _ in 0..200 {
            rig.send_run(alice.leg, data(from, &bob, &[1; 148]), 193);
            assert_eq!(rig.forwards.len(), 1, "second {second}");
        }
        rig.now.at += Duration::from_secs(1);
    }
}

#[test]
fn a_full_line_is_shared_and_a_client_that_needs_less_than_its_share_loses_nothing() {
    let line = 12_500_000;
    let mut rig = Rig::with(Limits {
        line,
        ..Limits::default()
    });
    let [flooder, friend, honest, peer] = [1, 2, 3, 4].map(Device::new);
    let [from, to, calm, there] = [&flooder, &friend, &honest, &peer].map(|device| rig.admit(device));
    rig.send_run(friend.leg, data(to, &flooder, b"yes"), 48);
    rig.send_run(peer.leg, data(there, &honest, b"yes"), 48);
    let (mut flood, mut flow) = (0, 0);
    for _ in 0..1000 {
        // 43 MB in a second from one client and twice as much from the other, on a line for twelve.
        for _ in 0..8 {
            flood += run(&mut rig, &flooder, from, &friend);
        }
        for _ in 0..2 {
            rig.send_run(honest.leg, data(calm, &peer, &[1; 955]), 1000);
            flow += rig.forwards.len();
        }
        rig.now.at += Duration::from_micros(10_000);
    }
    assert_eq!(flow, 2000, "nothing of it is lost");
    let most = 10 * line as usize;
    assert!(
        flood > most / 2 && flood < most * 11 / 10,
        "{flood} bytes in ten seconds"
    );
    assert!(counters(&rig, &flooder).over_share_datagrams > 100_000);
    assert_eq!(counters(&rig, &honest).over_share_datagrams, 0);
}
