//! Devices that send frames to a switchboard, and a clock that moves when told.

use crate::switchboard::{
    Facts, Forward, Leg, Limits, Now, Route, Switchboard, TlsLegId, TlsLegOutput, Transmit,
};
use flotilla_identity::{FleetCa, TicketVerifier};
use flotilla_protocol::{
    Timestamp,
    id::{DeviceId, FleetId},
    key::PublicKey,
};
use flotilla_wire::{
    Challenge, Cookie, Data, Frame, Hello, Proof, Reason, RelayKey, SessionId, StaticKey, Welcome,
};
use std::{
    net::SocketAddr,
    sync::LazyLock,
    time::{Duration, Instant},
};
use uuid::Uuid;

static CA: LazyLock<FleetCa> = LazyLock::new(|| fleet(1));

pub(super) fn fleet(number: u128) -> FleetCa {
    FleetCa::create(FleetId(Uuid::from_u128(number)), start_wall()).unwrap()
}

fn start_wall() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

/// A device with its leg and its ticket.
#[derive(Clone)]
pub(super) struct Device {
    pub(super) key: StaticKey,
    pub(super) leg: Leg,
    pub(super) ticket: String,
}

pub(super) fn udp(port: u16) -> Leg {
    Leg::Udp(Route {
        remote: SocketAddr::from(([192, 0, 2, 1], port)),
        local: None,
    })
}

pub(super) fn route(leg: Leg) -> Route {
    match leg {
        Leg::Udp(route) => route,
        Leg::Tls(_) => panic!("a leg has no route"),
    }
}

impl Device {
    pub(super) fn new(number: u8) -> Self {
        let key = StaticKey::from_bytes([number; 32]);
        let ticket = ticket(&CA, number, key.public());
        Self {
            key,
            leg: udp(1000 + u16::from(number)),
            ticket,
        }
    }

    pub(super) fn public(&self) -> PublicKey {
        self.key.public()
    }

    pub(super) fn at(&self, leg: Leg) -> Self {
        Self { leg, ..self.clone() }
    }
}

pub(super) fn ticket(ca: &FleetCa, number: u8, key: PublicKey) -> String {
    let device = DeviceId(Uuid::from_u128(number.into()));
    ca.issue_ticket(device, key, start_wall()).unwrap().0
}

pub(super) struct Rig {
    pub(super) board: Switchboard,
    pub(super) relay: PublicKey,
    pub(super) now: Now,
    pub(super) forwards: Vec<Forward>,
}

impl Rig {
    pub(super) fn new() -> Self {
        Self::with(Limits::default())
    }

    pub(super) fn with(limits: Limits) -> Self {
        let key = StaticKey::from_bytes([0xEE; 32]);
        let tickets = TicketVerifier::from_authority(CA.cert_der()).unwrap();
        let at = Instant::now();
        Self {
            relay: key.public(),
            board: Switchboard::new(key, tickets, limits, [7; 32], at),
            now: Now {
                at,
                wall: start_wall(),
            },
            forwards: Vec::new(),
        }
    }

    pub(super) fn wait(&mut self, seconds: u64) {
        let until = self.now.at + Duration::from_secs(seconds);
        while self.board.poll_timeout() <= until {
            let at = self.board.poll_timeout();
            self.now.wall += at - self.now.at;
            self.now.at = at;
            self.board.handle_timeout(at);
        }
        self.now.wall += until - self.now.at;
        self.now.at = until;
    }

    /// Sends a run to the switchboard and returns the forwarded datagrams.
    pub(super) fn send_run(&mut self, from: Leg, mut run: Vec<u8>, segment: usize) -> Vec<u8> {
        self.forwards.clear();
        self.board
            .handle_run(from, &mut run, segment, self.now, &mut self.forwards);
        run
    }

    pub(super) fn send(&mut self, from: Leg, frame: &Frame<'_>) {
        let bytes = written(frame);
        let length = bytes.len();
        self.send_run(from, bytes, length);
    }

    /// All answers that wait to be sent by UDP.
    pub(super) fn answers(&mut self) -> Vec<Transmit> {
        std::iter::from_fn(|| self.board.poll_answer()).collect()
    }

    /// The only answer that waits; panics when there are others.
    pub(super) fn answer(&mut self, to: Leg) -> Vec<u8> {
        if let Leg::Tls(leg) = to {
            let Some(TlsLegOutput::Message(message)) = self.board.poll_tls_leg(leg) else {
                panic!("no message on the leg");
            };
            return message;
        }
        let mut answers = self.answers();
        assert_eq!(answers.len(), 1, "{answers:?}");
        let answer = answers.remove(0);
        assert_eq!(answer.to, route(to));
        answer.bytes
    }

    pub(super) fn challenge(&mut self, leg: Leg) -> Cookie {
        if matches!(leg, Leg::Udp(_)) {
            self.send(leg, &first_hello(1));
        }
        match Frame::parse(&self.answer(leg)).unwrap() {
            Frame::Challenge(Challenge { cookie, .. }) => cookie,
            other => panic!("{other:?}"),
        }
    }

    /// The whole admission, from the first hello.
    pub(super) fn try_admit(&mut self, device: &Device) -> Result<Welcome, Reason> {
        let cookie = self.challenge(device.leg);
        self.try_hello(device, &cookie)
    }

    pub(super) fn try_hello(&mut self, device: &Device, cookie: &Cookie) -> Result<Welcome, Reason> {
        let key = RelayKey::of_client(&device.key, self.relay).unwrap();
        let ticket = device.ticket.as_bytes();
        let hello = Hello {
            tx: 2,
            cookie: *cookie,
            proof: key.prove_hello(2, cookie, ticket),
            ticket,
        };
        self.send(device.leg, &Frame::Hello(hello));
        let last = match device.leg {
            Leg::Udp(_) => self.answers().pop().unwrap().bytes,
            Leg::Tls(_) => self.answer(device.leg),
        };
        match Frame::parse(&last).unwrap() {
            Frame::Welcome(welcome) => {
                assert!(key.welcome_is_good(&welcome));
                Ok(welcome)
            }
            Frame::Refused { tx: 2, reason } => Err(reason),
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn admit(&mut self, device: &Device) -> SessionId {
        self.try_admit(device).unwrap().session
    }

    pub(super) fn open_tls_leg(&mut self) -> TlsLegId {
        self.board
            .open_tls_leg(SocketAddr::from(([192, 0, 2, 9], 443)), self.now)
    }

    pub(super) fn facts(&self) -> Facts {
        self.board.facts()
    }
}

pub(super) fn written(frame: &Frame<'_>) -> Vec<u8> {
    let mut bytes = vec![0; 3000];
    let length = frame.write(&mut bytes).unwrap();
    bytes.truncate(length);
    bytes
}

pub(super) fn first_hello(tx: u64) -> Frame<'static> {
    Frame::Hello(Hello {
        tx,
        cookie: Cookie::NONE,
        proof: Proof::NONE,
        ticket: &[],
    })
}

pub(super) fn data(session: SessionId, to: &Device, payload: &[u8]) -> Vec<u8> {
    written(&Frame::Data(Data {
        session,
        key: to.public(),
        payload,
    }))
}
