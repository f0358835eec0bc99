//! Which clients are admitted, which are refused, and how a session ends.

use super::rig::{Device, Rig, data, fleet, route, ticket, udp, written};
use crate::switchboard::{Leg, TlsLegOutput};
use flotilla_wire::{Frame, Reason, SessionId};
use std::time::Duration;

const DAY: u64 = 86_400;

#[test]
fn devices_pass_on_to_each_other_through_a_month_without_control() {
    let mut rig = Rig::new();
    let (first, second) = (Device::new(1), Device::new(2));
    let mut sessions = [rig.admit(&first), rig.admit(&second)];
    for day in 1..=31 {
        for _ in 0..DAY / 50 {
            rig.wait(50);
            for (device, session) in [&first, &second].into_iter().zip(sessions) {
                rig.send(device.leg, &Frame::Ping { session, tx: day });
                let pong = written(&Frame::Pong { session, tx: day });
                assert_eq!(rig.answer(device.leg), pong, "day {day}");
            }
        }
        if day % 10 == 0 {
            // The relay's device restarts: the same tickets admit all clients again.
            let now = rig.now;
            rig = Rig::new();
            rig.now.wall = now.wall;
            sessions = [rig.admit(&first), rig.admit(&second)];
        }
        rig.send_run(first.leg, data(sessions[0], &second, b"x"), 46);
        assert_eq!(rig.forwards[0].to, route(second.leg), "day {day}");
    }
    // Control is back, and the revocation that it decided meanwhile counts at once.
    rig.board.revoke([second.public()], rig.now.at);
    assert_eq!(rig.facts().clients.len(), 1);
    rig.answers();
    assert_eq!(rig.try_admit(&second), Err(Reason::Revoked));
}

#[test]
fn a_device_with_a_ticket_and_its_key_is_let_in_and_told_where_it_is_seen() {
    let mut rig = Rig::new();
    let device = Device::new(1);
    let welcome = rig.try_admit(&device).unwrap();
    assert_eq!(welcome.observed, route(device.leg).remote);
    assert_eq!(welcome.keepalive_seconds, 25);
    let facts = rig.facts();
    assert_eq!(facts.clients.len(), 1);
    assert_eq!(facts.clients[0].key, device.public());
}

#[test]
fn a_stolen_ticket_is_worth_nothing() {
    let mut rig = Rig::new();
    let thief = Device {
        key: Device::new(2).key,
        ..Device::new(1)
    };
    assert_eq!(rig.try_admit(&thief), Err(Reason::Ticket));
    assert!(rig.facts().clients.is_empty());
}

#[test]
fn a_ticket_that_does_not_count_is_refused_with_the_reason() {
    let mut rig = Rig::new();
    let device = Device::new(1);
    let foreign = Device {
        ticket: ticket(&fleet(2), 1, device.public()),
        ..device.clone()
    };
    assert_eq!(rig.try_admit(&foreign), Err(Reason::Ticket));
    let garbled = Device {
        ticket: "nonsense".into(),
        ..device.clone()
    };
    assert_eq!(rig.try_admit(&garbled), Err(Reason::Ticket));
    rig.board.revoke([device.public()], rig.now.at);
    assert_eq!(rig.try_admit(&device), Err(Reason::Revoked));
    // The revocation is remembered for as long as a ticket of the key might be valid.
    rig.wait(35 * DAY - 1);
    assert_eq!(rig.try_admit(&device), Err(Reason::Revoked));
    rig.wait(1);
    assert_eq!(rig.try_admit(&device), Err(Reason::TicketExpired));
}

#[test]
fn a_cookie_is_good_for_its_address_only_and_for_a_while() {
    let mut rig = Rig::new();
    let device = Device::new(1);
    let cookie = rig.challenge(device.leg);
    let elsewhere = device.at(udp(9));
    let hello = |rig: &mut Rig, device: &Device| {
        let key = flotilla_wire::RelayKey::of_client(&device.key, rig.relay).unwrap();
        let ticket = device.ticket.as_bytes();
        let proof = key.prove_hello(5, &cookie, ticket);
        rig.send(
            device.leg,
            &Frame::Hello(flotilla_wire::Hello {
                tx: 5,
                cookie,
                proof,
                ticket,
            }),
        );
        rig.answer(device.leg)
    };
    let answer = hello(&mut rig, &elsewhere);
    assert!(matches!(Frame::parse(&answer), Ok(Frame::Challenge(_))));
    rig.wait(59);
    let answer = hello(&mut rig, &device);
    assert!(matches!(Frame::parse(&answer), Ok(Frame::Welcome(_))));
    rig.wait(130);
    rig.answers();
    let answer = hello(&mut rig, &device);
    assert!(matches!(Frame::parse(&answer), Ok(Frame::Challenge(_))));
}

#[test]
fn the_newest_session_of_a_key_wins_and_the_old_one_is_told() {
    let mut rig = Rig::new();
    let (device, peer) = (Device::new(1), Device::new(2));
    let (old, from_peer) = (rig.admit(&device), rig.admit(&peer));
    let moved = device.at(udp(4000));
    let cookie = rig.challenge(moved.leg);
    let key = flotilla_wire::RelayKey::of_client(&device.key, rig.relay).unwrap();
    let ticket = device.ticket.as_bytes();
    let proof = key.prove_hello(3, &cookie, ticket);
    let hello = flotilla_wire::Hello {
        tx: 3,
        cookie,
        proof,
        ticket,
    };
    rig.send(moved.leg, &Frame::Hello(hello));
    let answers = rig.answers();
    let end = Frame::End {
        session: old,
        reason: Reason::Replaced,
    };
    assert_eq!(
        (answers[0].to, &answers[0].bytes),
        (route(device.leg), &written(&end))
    );
    assert_eq!(answers[1].to, route(moved.leg));
    rig.send_run(peer.leg, data(from_peer, &device, b"x"), 46);
    assert_eq!(rig.forwards[0].to, route(moved.leg));
    assert_eq!(rig.facts().clients.len(), 2);
}

#[test]
fn saying_hello_again_from_the_same_place_changes_nothing() {
    let mut rig = Rig::new();
    let device = Device::new(1);
    let first = rig.admit(&device);
    assert_eq!(rig.admit(&device), first);
    assert_eq!(rig.facts().totals.admitted, 1);
}

#[test]
fn a_session_ends_after_silence_and_stays_while_it_is_heard() {
    let mut rig = Rig::new();
    let (quiet, heard) = (Device::new(1), Device::new(2));
    let (gone, stays) = (rig.admit(&quiet), rig.admit(&heard));
    for _ in 0..4 {
        rig.wait(25);
        let ping = Frame::Ping {
            session: stays,
            tx: 8,
        };
        rig.send(heard.leg, &ping);
        let answers = rig.answers();
        let pong = written(&Frame::Pong {
            session: stays,
            tx: 8,
        });
        assert!(answers.iter().any(|answer| answer.bytes == pong));
    }
    let facts = rig.facts();
    assert_eq!(facts.clients.len(), 1);
    assert_eq!(facts.clients[0].key, heard.public());
    rig.send(quiet.leg, &Frame::Ping { session: gone, tx: 1 });
    let end = Frame::End {
        session: gone,
        reason: Reason::NoSession,
    };
    assert_eq!(rig.answer(quiet.leg), written(&end));
}

#[test]
fn a_session_ends_with_its_ticket() {
    let mut rig = Rig::new();
    let device = Device::new(1);
    rig.now.wall += Duration::from_secs(35 * DAY - 30);
    let session = rig.admit(&device);
    rig.wait(35);
    let end = Frame::End {
        session,
        reason: Reason::TicketExpired,
    };
    assert_eq!(rig.answer(device.leg), written(&end));
    assert!(rig.facts().clients.is_empty());
}

#[test]
fn a_revoked_key_is_out_at_once() {
    let mut rig = Rig::new();
    let device = Device::new(1);
    let session = rig.admit(&device);
    rig.board.revoke([device.public()], rig.now.at);
    let end = Frame::End {
        session,
        reason: Reason::Revoked,
    };
    assert_eq!(rig.answer(device.leg), written(&end));
    assert!(rig.facts().clients.is_empty());
}

#[test]
fn only_the_client_itself_ends_its_session() {
    let mut rig = Rig::new();
    let device = Device::new(1);
    let session = rig.admit(&device);
    let end = |session| Frame::End {
        session,
        reason: Reason::Leaving,
    };
    rig.send(udp(9), &end(session));
    rig.send(device.leg, &end(SessionId(session.0 ^ 1)));
    assert_eq!(rig.facts().clients.len(), 1);
    rig.send(device.leg, &end(session));
    assert!(rig.facts().clients.is_empty());
    assert!(rig.answers().is_empty());
}

#[test]
fn a_tls_leg_is_admitted_with_the_cookie_that_it_was_told() {
    let mut rig = Rig::new();
    let leg = rig.open_tls_leg();
    let device = Device::new(1).at(Leg::Tls(leg));
    rig.admit(&device);
    assert_eq!(rig.facts().clients[0].leg, device.leg);
    assert_eq!(rig.board.poll_tls_leg(leg), None);
    rig.board.close_tls_leg(leg);
    assert!(rig.facts().clients.is_empty());
    assert_eq!(rig.facts().tls_legs, 0);
}

#[test]
fn a_client_that_changes_from_its_tls_leg_to_udp_leaves_the_leg() {
    let mut rig = Rig::new();
    let leg = rig.open_tls_leg();
    let device = Device::new(1);
    let old = rig.admit(&device.at(Leg::Tls(leg)));
    let new = rig.admit(&device);
    assert_ne!(old, new);
    let end = Frame::End {
        session: old,
        reason: Reason::Replaced,
    };
    assert_eq!(rig.answer(Leg::Tls(leg)), written(&end));
    assert_eq!(rig.board.poll_tls_leg(leg), Some(TlsLegOutput::Close));
    rig.board.close_tls_leg(leg);
    assert_eq!(rig.facts().clients.len(), 1);
}

#[test]
fn a_tls_leg_that_is_not_admitted_in_time_is_closed() {
    let mut rig = Rig::new();
    let leg = rig.open_tls_leg();
    rig.challenge(Leg::Tls(leg));
    rig.wait(15);
    assert_eq!(rig.board.poll_tls_leg(leg), Some(TlsLegOutput::Close));
}
