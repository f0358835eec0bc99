//! Nothing grows beyond its limit, whatever clients do and do not take.

use super::rig::{Device, Rig, data};
use crate::switchboard::{Leg, Limits, StreamId, StreamOutput};
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
    let stream = rig.open_stream();
    let (alice, bob) = (Device::new(1), Device::new(2).at(Leg::Stream(stream)));
    let (from, _) = (rig.admit(&alice), rig.admit(&bob));
    for number in 0..30u8 {
        rig.say_run(alice.leg, data(from, &bob, &[number; 55]), 100);
    }
    let facts = rig.facts();
    let slow = facts
        .clients
        .iter()
        .find(|client| client.key == bob.public())
        .unwrap();
    assert_eq!((slow.queued_bytes, slow.counters.dropped_datagrams), (500, 25));
    let kept: Vec<_> = std::iter::from_fn(|| rig.board.poll_stream(stream))
        .map(|output| match output {
            StreamOutput::Message(message) => message[99],
            StreamOutput::Close => panic!("it was closed"),
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

/// The streams that are to be closed.
fn closed(rig: &mut Rig) -> Vec<StreamId> {
    let ready: Vec<_> = std::iter::from_fn(|| rig.board.poll_stream_ready()).collect();
    let is_closed = |stream: &StreamId| {
        let mut outputs = std::iter::from_fn(|| rig.board.poll_stream(*stream));
        outputs
            .by_ref()
            .take(10)
            .any(|output| output == StreamOutput::Close)
    };
    ready.into_iter().filter(is_closed).collect()
}

#[test]
fn newcomers_of_one_network_close_their_own_streams_and_nobody_elses() {
    let mut rig = Rig::with(small());
    let alice = Device::new(1).at(Leg::Stream(rig.open_stream()));
    let cookie = rig.challenge(alice.leg);
    let crowd: Vec<_> = (0..10u16)
        .map(|number| {
            let remote = SocketAddr::from(([0x2001, 0xdb8, 0, 0, number, 0, 0, 1], 443));
            rig.board.open_stream(remote, rig.now)
        })
        .collect();
    assert_eq!(closed(&mut rig), crowd[..8], "two and Alice wait");
    rig.try_hello(&alice, &cookie).unwrap();
    let remote = SocketAddr::from(([192, 0, 2, 10], 443));
    rig.board.open_stream(remote, rig.now);
    assert!(
        closed(&mut rig).is_empty(),
        "whoever was admitted waits no longer, and makes room"
    );
}

#[test]
fn who_floods_a_slow_client_drowns_out_itself_alone() {
    let mut rig = Rig::with(Limits {
        clients: 3,
        queued_bytes: 4000,
        ..small()
    });
    let stream = rig.open_stream();
    let (flooder, honest) = (Device::new(1), Device::new(3));
    let slow = Device::new(2).at(Leg::Stream(stream));
    let (from, other) = (rig.admit(&flooder), rig.admit(&honest));
    rig.admit(&slow);
    rig.say_run(honest.leg, data(other, &slow, &[7; 55]), 100);
    for number in 100..200u8 {
        rig.say_run(flooder.leg, data(from, &slow, &[number; 55]), 100);
    }
    rig.say_run(honest.leg, data(other, &slow, &[8; 55]), 100);
    let kept: Vec<_> = std::iter::from_fn(|| rig.board.poll_stream(stream))
        .map(|output| match output {
            StreamOutput::Message(message) => message[99],
            StreamOutput::Close => panic!("it was closed"),
        })
        .collect();
    assert_eq!(kept, [7, 197, 198, 199, 8]);
}

#[derive(Debug, Clone)]
enum Step {
    Send { from: usize, to: usize, length: usize },
    Take(usize),
    Admit { device: usize, on_stream: bool },
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
        3 => (device.clone(), any::<bool>()).prop_map(|(device, on_stream)| Step::Admit { device, on_stream }),
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
                let run = rig.say_run(device.leg, datagram.repeat(3), datagram.len());
                // Every other forward finds the socket full.
                for forward in rig.forwards.clone().iter().step_by(2) {
                    rig.board.return_forward(forward, &run);
                }
            }
            Step::Take(device) => match self.devices[device].0.leg {
                Leg::Udp(_) => drop(rig.board.poll_transmit()),
                Leg::Stream(stream) => drop(rig.board.poll_stream(stream)),
            },
            Step::Admit { device, on_stream } => {
                rig.answers();
                let (device, session) = &mut self.devices[device];
                let remote = SocketAddr::from(([192, 0, 2, 9], 443));
                let stream = on_stream.then(|| rig.board.open_stream(remote, rig.now));
                device.leg = stream.map_or(Device::new(device.key.public().as_bytes()[0]).leg, Leg::Stream);
                *session = rig.try_admit(device).ok().map(|welcome| welcome.session);
            }
            Step::Leave(device) => {
                let (device, session) = &self.devices[device];
                let session = session.unwrap_or(SessionId(1));
                rig.say(
                    device.leg,
                    &Frame::End {
                        session,
                        reason: Reason::Leaving,
                    },
                );
            }
            Step::Close(device) => {
                if let Leg::Stream(stream) = self.devices[device].0.leg {
                    rig.board.close_stream(stream);
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
