//! How a datagram travels from one place to another, if it does.

use crate::{
    device::Device,
    relay::Client,
    world::{Arrival, Weather, World, relay_id, relay_number},
};
use flotilla_mesh::{Leg, Transmit};
use flotilla_protocol::device::RelayPreference;
use rand::Rng;
use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

impl World {
    pub(crate) fn transmit(&mut self, number: usize, transmit: Transmit) {
        let Transmit { leg, bytes } = transmit;
        let site = self.devices[number].site;
        let to = match leg {
            Leg::Udp(to) => to,
            Leg::Tls(relay) => {
                let relay = relay_number(relay);
                if self.devices[number].legs.contains(&relay) {
                    let latency = self.sites[site].latency;
                    self.enqueue(
                        latency,
                        Arrival::ToRelay {
                            relay,
                            device: number,
                            bytes,
                        },
                    );
                }
                return;
            }
        };
        self.check_preference(number, to, &bytes);
        let Some(from) = self.devices[number].source(to) else {
            return;
        };
        if let Some(firewall) = &mut self.devices[number].firewall {
            firewall.outward(from, to, self.now);
        }
        let place = &mut self.sites[site];
        if place.is_inside(to.ip()) {
            if !place.isolates {
                let lan = Arrival::Lan {
                    site,
                    from,
                    to,
                    bytes,
                };
                self.enqueue(Duration::from_micros(300), lan);
            }
            return;
        }
        if place.is_cut_off(to) {
            return;
        }
        let mut outside = place.outward(from, to, self.now);
        // A hairpinned datagram does not pass the link behind the router.
        if outside.ip() != to.ip() && ip_packet(to, &bytes) > place.widest {
            return;
        }
        if let Some(carrier) = place.carrier.filter(|_| to.is_ipv4()) {
            outside = self.carriers[carrier].outward(outside, to, self.now);
        }
        let latency = self.sites[site].latency + self.latency_to(to);
        self.cross(outside, to, &bytes, latency);
    }

    /// Carries a datagram over the internet: once, twice or not at all.
    fn cross(&mut self, from: SocketAddr, to: SocketAddr, bytes: &[u8], latency: Duration) {
        let Weather {
            loss,
            duplicates,
            jitter_ms,
        } = self.weather;
        let copies = 1 + u32::from(self.rng.random_range(0..100) < duplicates);
        for _ in 0..copies {
            if self.rng.random_range(0..100) >= loss {
                let jitter = Duration::from_micros(self.rng.random_range(0..=jitter_ms * 1000));
                let bytes = bytes.to_vec();
                self.enqueue(latency + jitter, Arrival::Public { from, to, bytes });
            }
        }
    }

    /// A person's choice about relays is kept, whatever happens.
    fn check_preference(&self, number: usize, to: SocketAddr, bytes: &[u8]) {
        let to_relay = self.relays.iter().any(|relay| relay.is_at(to));
        match self.devices[number].preference {
            RelayPreference::Always => assert!(to_relay, "device {number} sent to {to} directly"),
            RelayPreference::Never if to_relay => {
                let frame = flotilla_wire::Frame::parse(bytes);
                let reflect = matches!(frame, Ok(flotilla_wire::Frame::ReflectRequest { .. }));
                assert!(reflect, "device {number} used a relay");
            }
            _ => {}
        }
    }

    fn latency_to(&self, to: SocketAddr) -> Duration {
        let site = self.site_at(to.ip());
        site.map_or(Duration::from_millis(10), |site| self.sites[site].latency)
    }

    /// The site that the internet routes this address to.
    fn site_at(&self, ip: IpAddr) -> Option<usize> {
        self.sites.iter().position(|site| match ip {
            IpAddr::V4(v4) if site.kind.is_none() => v4.octets()[..3] == [198, 51, site.number],
            IpAddr::V4(_) => site.public == ip,
            IpAddr::V6(v6) => site.has_prefix_of(v6),
        })
    }

    /// How long a TLS leg's data is delayed.
    fn stalls(&self, relay: usize, device: usize) -> Option<Duration> {
        let (relay, device) = (&self.relays[relay], &self.devices[device]);
        let stalled = self.sites[device.site].stalled;
        let left = stalled.map(|until| until.saturating_duration_since(self.now));
        let cut_off = relay.alive && !self.serves(relay, device);
        left.filter(|left| !left.is_zero())
            .or(cut_off.then_some(Duration::from_secs(1)))
    }

    pub(crate) fn arrive(&mut self, arrival: Arrival) {
        if let Arrival::ToRelay { relay, device, .. } | Arrival::FromRelay { relay, device, .. } = arrival
            && let Some(late) = self.stalls(relay, device)
        {
            return self.enqueue(late, arrival);
        }
        match arrival {
            Arrival::Public { from, to, bytes } => self.arrive_public(from, to, &bytes),
            Arrival::Lan {
                site,
                from,
                to,
                bytes,
            } => {
                let host = |device: &&Device| {
                    device.site == site && device.local.contains(&to) && device.lets_in(from, to, self.now)
                };
                if let Some(number) = self.devices.iter().find(host).map(|device| device.number) {
                    self.receive(number, Leg::Udp(from), &bytes);
                }
            }
            Arrival::ToRelay { relay, device, bytes } => {
                if self.relays[relay].alive {
                    let out = self.relays[relay].handle(Client::Tls(device), &bytes);
                    self.relay_sends(relay, None, out);
                }
            }
            Arrival::FromRelay { relay, device, bytes } => {
                if self.devices[device].legs.contains(&relay) {
                    self.receive(device, Leg::Tls(relay_id(relay)), &bytes);
                }
            }
            Arrival::LegUp { relay, device } => self.open_leg(relay, device),
            Arrival::Map { device } => {
                if self.control && !self.devices[device].asleep {
                    self.apply_map(device);
                }
            }
        }
    }

    fn arrive_public(&mut self, from: SocketAddr, to: SocketAddr, bytes: &[u8]) {
        if let Some(relay) = self.relays.iter().position(|relay| relay.is_at(to)) {
            if self.relays[relay].alive {
                let out = self.relays[relay].handle(Client::Udp(from), bytes);
                self.relay_sends(relay, Some((from, to)), out);
            }
            return;
        }
        let carrier = self.carriers.iter().find(|nat| nat.public == to.ip());
        let inner = carrier.map_or(Some(to), |nat| nat.inward(to.port(), from, self.now));
        let Some(to) = inner else { return };
        let Some(site) = self.site_at(to.ip()) else { return };
        let place = &self.sites[site];
        let is_too_wide = from.ip() != to.ip() && ip_packet(to, bytes) > place.widest;
        if place.is_cut_off(to) || is_too_wide {
            return;
        }
        let Some(local) = place.inward(from, to, self.now) else {
            return;
        };
        let host = |device: &&Device| {
            device.site == site && device.local.contains(&local) && device.lets_in(from, local, self.now)
        };
        if let Some(number) = self.devices.iter().find(host).map(|device| device.number) {
            self.receive(number, Leg::Udp(from), bytes);
        }
    }

    /// `asked` is the client that asked the relay, and which of the relay's addresses it used.
    fn relay_sends(
        &mut self,
        relay: usize,
        asked: Option<(SocketAddr, SocketAddr)>,
        out: Vec<(Client, Vec<u8>)>,
    ) {
        for (client, bytes) in out {
            match client {
                Client::Udp(to) => {
                    let back = asked.filter(|(client, _)| *client == to);
                    let from = back.map_or_else(|| self.relays[relay].address_for(to), |(_, at)| at);
                    if self.rng.random_range(0..100) >= self.weather.loss {
                        self.enqueue(self.latency_to(to), Arrival::Public { from, to, bytes });
                    }
                }
                Client::Tls(device) => {
                    let latency = self.sites[self.devices[device].site].latency;
                    self.enqueue(latency, Arrival::FromRelay { relay, device, bytes });
                }
            }
        }
    }
}

/// The size of a datagram with its UDP and IP headers.
pub(crate) fn ip_packet(to: SocketAddr, bytes: &[u8]) -> usize {
    bytes.len() + if to.is_ipv4() { 28 } else { 48 }
}
