//! Nothing grows beyond its limit, whatever clients send and do not read.

use super::rig::{Device, Rig, data};
use crate::switchboard::{Leg, Limits, TlsLegId, TlsLegOutput};
use flotilla_wire::{Frame, Reason, SessionId};
use proptest::{collection::vec, prelude::*};
use std::net::SocketAddr;

fn small() -> Limits {
    Limits {
        clients: 2,
        half_open: 3,
        queue_bytes: 500,
        queued_bytes: 800,
        ..Limits::default()
    }
}

#[test]
fn a_client_that_takes_nothing_loses_the_oldest_and_keeps_the_newest() {
    let mut rig = Rig::with(small());
    let leg = rig.open_tls_leg();
    let (alice, bob) = (Device::new(1), Device::new(2).at(Leg::Tls(leg)));
    let (from, _) = (rig.admit(&alice), rig.admit(&bob));
    for number in 0..30u8 {
        rig.send_run(alice.leg, data(from, &bob, &[number; 55]), 100);
    }
    let facts = rig.facts();
    let slow = facts
        .clients
        .iter()
        .find(|client| client.key == bob.public())
        .unwrap();
    assert_eq!((slow.queued_bytes, slow.counters.dropped_datagrams), (500, 25));
    let kept: Vec<_> = std::iter::from_fn(|| rig.board.poll_tls_leg(leg))
        .map(|output| match output {
            TlsLegOutput::Message(message) => message[99],
            TlsLegOutput::Close => panic!("it was closed"),
        })
        .collect();
    assert_eq!(kept, [25, 26, 27, 28, 29]);
}

#[test]
fn a_relay_takes_as_many_clients_as_it_was_told() {
    let mut rig = Rig::with(small());
    let devices = [1, 2, 3].map(Device::new);
    rig.admit(&devices[0]);
    rig.admit(&devices[1]);
    assert_eq!(rig.try_admit(&devices[2]), Err(Reason::Full));
    rig.admit(&devices[1]);
}

/// The legs that are to be closed.
fn closed(rig: &mut Rig) -> Vec<TlsLegId> {
    let ready: Vec<_> = std::iter::from_fn(|| rig.board.poll_tls_leg_ready()).collect();
    let is_closed = |leg: &TlsLegId| {
        let mut outputs = std::iter::from_fn(|| rig.board.poll_tls_leg(*leg));
        outputs
            .by_ref()
            .take(10)
            .any(|output| output == TlsLegOutput::Close)
    };
    ready.into_iter().filter(is_closed).collect()
}

#[test]
fn newcomers_of_one_network_close_their_own_legs_and_no_others() {
    let mut rig = Rig::with(small());
    let alice = Device::new(1).at(Leg::Tls(rig.open_tls_leg()));
    let cookie = rig.challenge(alice.leg);
    let crowd: Vec<_> = (0..10u16)
        .map(|number| {
            let remote = SocketAddr::from(([0x2001, 0xdb8, 0, 0, number, 0, 0, 1], 443));
            rig.board.open_tls_leg(remote, rig.now)
        })
        .collect();
    assert_eq!(closed(&mut rig), crowd[..8], "two and Alice wait");
    rig.try_hello(&alice, &cookie).unwrap();
    let remote = SocketAddr::from(([192, 0, 2, 10], 443));
    rig.board.open_tls_leg(remote, rig.now);
    assert!(
        closed(&mut rig).is_empty(),
        "an admitted leg does not wait, so it leaves room"
    );
}

#[test]
fn a_client_that_floods_a_slow_one_loses_only_its_own_packets() {
    let mut rig = Rig::with(Limits {
        clients: 3,
        queued_bytes: 4000,
        ..small()
    });
    let leg = rig.open_tls_leg();
    let (flooder, honest) = (Device::new(1), Device::new(3));
    let slow = Device::new(2).at(Leg::Tls(leg));
    let (from, other) = (rig.admit(&flooder), rig.admit(&honest));
    rig.admit(&slow);
    rig.send_run(honest.leg, data(other, &slow, &[7; 55]), 100);
    for number in 100..200u8 {
        rig.send_run(flooder.leg, data(from, &slow, &[number; 55]), 100);
    }
    rig.send_run(honest.leg, data(other, &slow, &[8; 55]), 100);
    let kept: Vec<_> = std::iter::from_fn(|| rig.board.poll_tls_leg(leg))
        .map(|output| match output {
            TlsLegOutput::Message(message) => message[99],
            TlsLegOutput::Close => panic!("it was closed"),
        })
        .collect();
    assert_eq!(kept, [7, 197, 198, 199, 8]);
}

#[derive(Debug, Clone)]
enum Step {
    Send { from: usize, to: usize, length: usize },
    Take(usize),
    Admit { device: usize, on_tls: bool },
    Leave(usize),
    Close(usize),
    Revoke(usize),
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let device = 0usize..4;
    prop_oneof![
        8 => (device.clone(), device.clone(), 1usize..300)
            .prop_map(|(from, to, length)| Step::Send { from, to, length }),
        3 => device.clone().prop_map(Step::Take),
        3 => (device.clone(), any::<bool>()).prop_map(|(device, on_tls)| Step::Admit { device, on_tls }),
        1 => device.clone().prop_map(Step::Leave),
        1 => device.clone().prop_map(Step::Close),
        1 => device.prop_map(Step::Revoke),
        1 => (0u64..120).prop_map(Step::Wait),
    ]
}

struct Crowd {
    rig: Rig,
    devices: Vec<(Device, Option<SessionId>)>,
}

impl Crowd {
    fn step(&mut self, step: &Step) {
        let rig = &mut self.rig;
        match *step {
            Step::Send { from, to, length } => {
                let to = self.devices[to].0.clone();
                let (device, session) = &self.devices[from];
                let payload = vec![1; length];
                let datagram = data(session.unwrap_or(SessionId(1)), &to, &payload);
                let run = rig.send_run(device.leg, datagram.repeat(3), datagram.len());
                // Every other forward finds the socket full.
                for forward in rig.forwards.clone().iter().step_by(2) {
                    rig.board.return_forward(forward, &run);
                }
            }
            Step::Take(device) => match self.devices[device].0.leg {
                Leg::Udp(_) => drop(rig.board.poll_transmit()),
                Leg::Tls(leg) => drop(rig.board.poll_tls_leg(leg)),
            },
            Step::Admit { device, on_tls } => {
                rig.answers();
                let (device, session) = &mut self.devices[device];
                let remote = SocketAddr::from(([192, 0, 2, 9], 443));
                let leg = on_tls.then(|| rig.board.open_tls_leg(remote, rig.now));
                device.leg = leg.map_or(Device::new(device.key.public().as_bytes()[0]).leg, Leg::Tls);
                *session = rig.try_admit(device).ok().map(|welcome| welcome.session);
            }
            Step::Leave(device) => {
                let (device, session) = &self.devices[device];
                let session = session.unwrap_or(SessionId(1));
                rig.send(
                    device.leg,
                    &Frame::End {
                        session,
                        reason: Reason::Leaving,
                    },
                );
            }
            Step::Close(device) => {
                if let Leg::Tls(leg) = self.devices[device].0.leg {
                    rig.board.close_tls_leg(leg);
                }
            }
            Step::Revoke(device) => {
                let key = self.devices[device].0.public();
                rig.board.revoke([key], rig.now.at);
            }
            Step::Wait(seconds) => rig.wait(seconds),
        }
        rig.answers();
    }
}

proptest! {
    #[test]
    fn whatever_happens_the_limits_hold(steps in vec(step(), 1..60)) {
        let devices = (1..=4).map(|number| (Device::new(number), None)).collect();
        let mut crowd = Crowd { rig: Rig::with(small()), devices };
        for step in &steps {
            crowd.step(step);
            let facts = crowd.rig.facts();
            prop_assert!(facts.clients.len() <= 2);
            prop_assert!(facts.clients.iter().all(|client| client.queued_bytes <= 500));
            prop_assert!(facts.clients.iter().map(|client| client.queued_bytes).sum::<usize>() <= 800);
            let distinct = facts.clients.windows(2).all(|pair| pair[0].key < pair[1].key);
            prop_assert!(distinct, "one session a key");
        }
    }
}
