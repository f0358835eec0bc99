//! A small internet: sites with and without NAT, relays, a control server that makes maps, and virtual time.

use crate::{
    device::{Device, id, request},
    nat::Nat,
    relay::Relay,
    site::{Site, near},
};
use flotilla_mesh::{Event, Leg, PathState, Transmit};
use flotilla_protocol::id::RelayId;
use mock_instant::MockClock;
use rand::{Rng, SeedableRng, rngs::StdRng};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    time::{Duration, Instant},
};

/// How badly the internet treats datagrams, in percent.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Weather {
    pub(crate) loss: u32,
    pub(crate) duplicates: u32,
    pub(crate) jitter_ms: u64,
}

pub(crate) enum Arrival {
    /// On the internet, with the address that the outside sees.
    Public {
        from: SocketAddr,
        to: SocketAddr,
        bytes: Vec<u8>,
    },
    /// Inside a site.
    Lan {
        site: usize,
        from: SocketAddr,
        to: SocketAddr,
        bytes: Vec<u8>,
    },
    ToRelay {
        relay: usize,
        device: usize,
        bytes: Vec<u8>,
    },
    FromRelay {
        relay: usize,
        device: usize,
        bytes: Vec<u8>,
    },
    LegUp {
        relay: usize,
        device: usize,
    },
    Map {
        device: usize,
    },
}

pub(crate) struct World {
    pub(crate) now: Instant,
    pub(crate) begin: Instant,
    pub(crate) rng: StdRng,
    pub(crate) weather: Weather,
    pub(crate) sites: Vec<Site>,
    pub(crate) carriers: Vec<Nat>,
    pub(crate) relays: Vec<Relay>,
    pub(crate) devices: Vec<Device>,
    /// Pairs of devices of which the first may send to the second.
    pub(crate) policy: BTreeSet<(usize, usize)>,
    pub(crate) control: bool,
    queue: BTreeMap<(Instant, u64), Arrival>,
    sequence: u64,
    pub(crate) revision: u64,
    next_request: u16,
    pub(crate) log: Vec<String>,
}

pub(crate) fn relay_id(number: usize) -> RelayId {
    RelayId(id(100 + number).0)
}

pub(crate) fn relay_number(relay: RelayId) -> usize {
    usize::from(relay.0.as_bytes()[15]) - 100
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let now = Instant::now();
        Self {
            now,
            begin: now,
            rng: StdRng::seed_from_u64(seed),
            weather: Weather::default(),
            sites: Vec::new(),
            carriers: Vec::new(),
            relays: Vec::new(),
            devices: Vec::new(),
            policy: BTreeSet::new(),
            control: true,
            queue: BTreeMap::new(),
            sequence: 0,
            revision: 0,
            next_request: 1000,
            log: Vec::new(),
        }
    }

    pub(crate) fn note(&mut self, text: String) {
        let at = (self.now - self.begin).as_secs_f32();
        self.log.push(format!("{at:9.3} {text}"));
    }

    pub(crate) fn add_relay(&mut self) {
        let number = u8::try_from(self.relays.len()).unwrap();
        self.relays.push(Relay::new(number));
    }

    /// Adds a relay that has an IPv6 address, too.
    pub(crate) fn add_relay_of_both(&mut self) {
        self.add_relay();
        self.relays.last_mut().unwrap().has_ipv6 = true;
    }

    pub(crate) fn sleep(&mut self, number: usize) {
        self.devices[number].asleep = true;
    }

    pub(crate) fn wake(&mut self, number: usize) {
        self.devices[number].asleep = false;
        self.close_legs(number);
        self.devices[number].mesh.handle_wake(self.now);
        self.apply_map(number);
        self.drain(number);
    }

    /// The device's programs restart with a claimed start time only a minute after the last one, because its clock was
    /// set back.
    pub(crate) fn restart_with_an_old_clock(&mut self, number: usize) {
        let old = &self.devices[number];
        let (began, preference) = (old.began + 60_000, old.preference);
        let (site, local) = (old.site, old.local.clone());
        let seed = self.rng.random();
        let mut device = Device::begun(number, began, preference, seed, self.now);
        (device.site, device.local) = (site, local.clone());
        let near = near(&local);
        device.mesh.set_local_candidates(local, near, self.now);
        self.devices[number] = device;
        self.apply_map(number);
    }

    pub(crate) fn kill_relay(&mut self, relay: usize) {
        self.relays[relay].die();
        for number in 0..self.devices.len() {
            // A sleeping device notices it when it wakes.
            if !self.devices[number].asleep && self.devices[number].legs.remove(&relay) {
                self.devices[number]
                    .mesh
                    .set_leg(relay_id(relay), false, self.now);
                self.drain(number);
            }
        }
    }

    /// Control makes a new map for every device and sends it.
    pub(crate) fn push_maps(&mut self) {
        if !self.control {
            return;
        }
        for device in 0..self.devices.len() {
            let at = Duration::from_millis(self.rng.random_range(20..200));
            self.enqueue(at, Arrival::Map { device });
        }
    }

    /// Sends a request; returns its number.
    pub(crate) fn request(&mut self, from: usize, to: usize) -> u16 {
        let size = self.rng.random_range(40..1230);
        self.request_of(size, from, to)
    }

    pub(crate) fn request_of(&mut self, size: usize, from: usize, to: usize) -> u16 {
        self.next_request += 1;
        let number = self.next_request;
        let transmit = self.devices[from].send(to, request(number), size, self.now);
        self.transmit_all(from, transmit);
        number
    }

    pub(crate) fn is_answered(&self, from: usize, number: u16) -> bool {
        self.devices[from].answered.contains_key(&number)
    }

    pub(crate) fn path(&self, from: usize, to: usize) -> PathState {
        let paths = self.devices[from].mesh.paths(self.now);
        paths.into_iter().find(|path| path.peer == id(to)).unwrap()
    }

    pub(crate) fn run_for(&mut self, time: Duration) {
        self.run_until(self.now + time);
    }

    pub(crate) fn run_until(&mut self, end: Instant) {
        let mut idle = 0;
        loop {
            let wakes = self.devices.iter().filter(|device| !device.asleep);
            let wakes = wakes.filter_map(|device| Some((device.mesh.poll_timeout()?, device.number)));
            let wake = wakes.min().filter(|(at, _)| *at <= end);
            let arrival = self
                .queue
                .first_key_value()
                .map(|(at, _)| *at)
                .filter(|(at, _)| *at <= end);
            let before = self.now;
            match (wake, arrival) {
                (None, None) => break,
                (Some((at, number)), arrival) if arrival.is_none_or(|(then, _)| at <= then) => {
                    self.advance(at);
                    self.devices[number].mesh.handle_timeout(self.now);
                    self.drain(number);
                }
                (_, Some(key)) => {
                    self.advance(key.0);
                    let arrival = self.queue.remove(&key).unwrap();
                    self.arrive(arrival);
                }
                (Some(_), None) => {}
            }
            idle = if self.now == before { idle + 1 } else { 0 };
            assert!(idle < 20_000, "time stands still at {:?}", self.log.last());
        }
        self.advance(end);
    }

    fn advance(&mut self, to: Instant) {
        if let Some(passed) = to.checked_duration_since(self.now) {
            MockClock::advance(passed);
            self.now = to;
        }
    }

    pub(crate) fn enqueue(&mut self, after: Duration, arrival: Arrival) {
        self.sequence += 1;
        self.queue.insert((self.now + after, self.sequence), arrival);
    }

    pub(crate) fn drain(&mut self, number: usize) {
        self.devices[number].heed_bounces();
        while let Some(transmit) = self.devices[number].mesh.poll_transmit() {
            self.transmit(number, transmit);
        }
        while let Some(event) = self.devices[number].mesh.poll_event() {
            self.devices[number].note(&event);
            match event {
                Event::Reachability(_) => self.push_maps(),
                Event::NeedsLeg(relay) => {
                    let relay = relay_number(relay);
                    self.devices[number].requested_legs.insert(relay);
                    self.enqueue(
                        Duration::from_millis(90),
                        Arrival::LegUp {
                            relay,
                            device: number,
                        },
                    );
                }
                Event::NoLongerNeedsLeg(relay) => {
                    self.devices[number].requested_legs.remove(&relay_number(relay));
                    self.devices[number].legs.remove(&relay_number(relay));
                }
                Event::Path(_) | Event::Tested { .. } => {}
            }
        }
    }

    fn transmit_all(&mut self, number: usize, first: Option<Transmit>) {
        if let Some(first) = first {
            self.transmit(number, first);
        }
        self.drain(number);
    }

    pub(crate) fn receive(&mut self, number: usize, from: Leg, bytes: &[u8]) {
        if self.devices[number].asleep {
            return;
        }
        if let Some(seen) = self.devices[number].receive(from, bytes, self.now) {
            let ports = (seen.ports.1, seen.ports.0);
            let answer = self.devices[number].send(seen.from, ports, seen.size, self.now);
            self.transmit_all(number, answer);
        }
        self.drain(number);
    }

    pub(crate) fn open_leg(&mut self, relay: usize, device: usize) {
        if !self.devices[device].requested_legs.contains(&relay) || self.devices[device].legs.contains(&relay)
        {
            return;
        }
        let can_be_reached = self.serves(&self.relays[relay], &self.devices[device]);
        if !can_be_reached || self.devices[device].asleep {
            self.enqueue(Duration::from_secs(1), Arrival::LegUp { relay, device });
            return;
        }
        self.devices[device].legs.insert(relay);
        self.devices[device].mesh.set_leg(relay_id(relay), true, self.now);
        self.drain(device);
        let latency = self.sites[self.devices[device].site].latency;
        self.enqueue(
            latency,
            Arrival::FromRelay {
                relay,
                device,
                bytes: Relay::greeting(),
            },
        );
    }

    pub(crate) fn close_legs(&mut self, number: usize) {
        for relay in std::mem::take(&mut self.devices[number].legs) {
            self.devices[number]
                .mesh
                .set_leg(relay_id(relay), false, self.now);
            self.enqueue(
                Duration::from_millis(90),
                Arrival::LegUp {
                    relay,
                    device: number,
                },
            );
        }
    }
}
