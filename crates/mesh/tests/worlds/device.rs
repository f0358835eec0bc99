//! One simulated device: its mesh, its place in the network, and the packets that its programs received.

use crate::firewall::Firewall;
use flotilla_mesh::{
    Config, Event, Leg, Mesh, Opened, PathState, PrivateKey, Reachability, Sealed, Transmit,
};
use flotilla_protocol::{device::RelayPreference, id::DeviceId, key::PublicKey};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::{Ipv4Addr, SocketAddr},
    time::Instant,
};

/// The port that requests are sent to and answered from.
const SERVICE: u16 = 7;
const UDP: u8 = 17;
/// MTU of the mesh's interface.
pub(crate) const TUN: usize = 1420;

pub(crate) struct Device {
    pub(crate) number: usize,
    /// The start time that its mesh claims, in milliseconds since 1970.
    pub(crate) began: u64,
    pub(crate) mesh: Mesh,
    pub(crate) preference: RelayPreference,
    pub(crate) site: usize,
    /// At most one address of each family.
    pub(crate) local: Vec<SocketAddr>,
    pub(crate) asleep: bool,
    /// Its own firewall, which lets only answers in.
    pub(crate) firewall: Option<Firewall>,
    pub(crate) reachability: Reachability,
    pub(crate) paths: BTreeMap<DeviceId, PathState>,
    /// TLS legs that its mesh asked for, and those that are open.
    pub(crate) requested_legs: BTreeSet<usize>,
    pub(crate) legs: BTreeSet<usize>,
    /// The devices that may send to this one, by the map that it applied last.
    pub(crate) admits: BTreeSet<usize>,
    /// The largest packet for each device that its IP stack was told a size for.
    pub(crate) sizes: BTreeMap<usize, usize>,
    /// When each request was answered.
    pub(crate) answered: BTreeMap<u16, Instant>,
}

pub(crate) fn id(number: usize) -> DeviceId {
    format!("01937c5e-7b1a-7c3e-8b9e-0123456789{number:02x}")
        .parse()
        .unwrap()
}

pub(crate) fn address(number: usize) -> Ipv4Addr {
    Ipv4Addr::new(100, 64, 0, u8::try_from(number).unwrap() + 1)
}

fn secret(number: usize) -> [u8; 32] {
    [u8::try_from(number).unwrap() + 1; 32]
}

pub(crate) fn key(number: usize) -> PublicKey {
    flotilla_wire::StaticKey::from_bytes(secret(number)).public()
}

/// A packet as a program receives it: the sending device and the two ports.
pub(crate) struct Seen {
    pub(crate) from: usize,
    pub(crate) ports: (u16, u16),
    pub(crate) size: usize,
}

impl Device {
    pub(crate) fn new(number: usize, preference: RelayPreference, seed: [u8; 32], now: Instant) -> Self {
        Self::begun(number, 1_700_000_000_000, preference, seed, now)
    }

    pub(crate) fn begun(
        number: usize,
        began: u64,
        preference: RelayPreference,
        seed: [u8; 32],
        now: Instant,
    ) -> Self {
        let config = Config {
            private_key: PrivateKey::from_bytes(secret(number)),
            device: id(number),
            clock_start_unix_ms: began,
        };
        Self {
            number,
            began,
            mesh: Mesh::new(config, seed, now),
            preference,
            site: 0,
            local: Vec::new(),
            asleep: false,
            firewall: None,
            reachability: Reachability::default(),
            paths: BTreeMap::new(),
            requested_legs: BTreeSet::new(),
            legs: BTreeSet::new(),
            admits: BTreeSet::new(),
            sizes: BTreeMap::new(),
            answered: BTreeMap::new(),
        }
    }

    /// The address from which it sends to `to`, if it has one of that family.
    pub(crate) fn source(&self, to: SocketAddr) -> Option<SocketAddr> {
        let mut local = self.local.iter().copied();
        local.find(|own| own.is_ipv4() == to.is_ipv4())
    }

    pub(crate) fn has_ipv4(&self) -> bool {
        self.local.iter().any(SocketAddr::is_ipv4)
    }

    pub(crate) fn has_ipv6(&self) -> bool {
        self.local.iter().any(SocketAddr::is_ipv6)
    }

    /// Sends a request, or an answer to one, in a packet of this size or the largest that is known to fit.
    pub(crate) fn send(
        &mut self,
        to: usize,
        ports: (u16, u16),
        size: usize,
        now: Instant,
    ) -> Option<Transmit> {
        let fits = self.sizes.get(&to).copied().unwrap_or(TUN);
        let mut packet = packet(self.number, to, ports, size.min(fits));
        let length = packet.len();
        let peer = self.mesh.outbound(&mut packet, length, now).ok()?;
        let mut out = vec![0; 2048];
        match self.mesh.seal(peer, &packet, &mut out, now) {
            Sealed::Data { len, leg } => {
                out.truncate(len);
                Some(Transmit { leg, bytes: out })
            }
            Sealed::Queued | Sealed::Dropped(_) => None,
        }
    }

    /// Whether its own firewall lets a datagram in.
    pub(crate) fn lets_in(&self, from: SocketAddr, to: SocketAddr, now: Instant) -> bool {
        let firewall = self.firewall.as_ref();
        firewall.is_none_or(|firewall| firewall.lets_in(from, to, now))
    }

    /// Receives a datagram; returns the packet to answer when it is a request.
    pub(crate) fn receive(&mut self, from: Leg, datagram: &[u8], now: Instant) -> Option<Seen> {
        let mut out = vec![0; 2048];
        let Opened::Packet { packet, .. } = self.mesh.open(from, datagram, &mut out, now) else {
            return None;
        };
        let port = |at: usize| u16::from_be_bytes([packet[at], packet[at + 1]]);
        let seen = Seen {
            from: usize::from(packet[15]) - 1,
            ports: (port(20), port(22)),
            size: packet.len(),
        };
        if seen.ports.0 == SERVICE {
            self.answered.entry(seen.ports.1).or_insert(now);
            return None;
        }
        // The central check: nothing comes in that the applied map does not allow.
        assert!(
            self.admits.contains(&seen.from),
            "device {} let device {} in",
            self.number,
            seen.from
        );
        Some(seen)
    }

    /// Obeys what the mesh answers to packets that were too large, as an IP stack does.
    pub(crate) fn heed_bounces(&mut self) {
        while let Some(icmp) = self.mesh.poll_bounce() {
            let fits = u16::from_be_bytes([icmp[26], icmp[27]]);
            let to = usize::from(icmp[47]) - 1;
            self.sizes.insert(to, fits.into());
        }
    }

    pub(crate) fn note(&mut self, event: &Event) {
        match event {
            Event::Path(path) => {
                self.paths.insert(path.peer, path.clone());
            }
            Event::Reachability(reachability) => self.reachability = reachability.clone(),
            Event::NeedsLeg(_) | Event::NoLongerNeedsLeg(_) | Event::Tested { .. } => {}
        }
    }
}

pub(crate) fn request(number: u16) -> (u16, u16) {
    (number, SERVICE)
}

fn packet(from: usize, to: usize, ports: (u16, u16), size: usize) -> Vec<u8> {
    let total = u16::try_from(size).unwrap().to_be_bytes();
    let mut bytes = vec![0x45, 0, total[0], total[1], 0, 1, 0x40, 0, 64, UDP, 0, 0];
    bytes.extend(address(from).octets());
    bytes.extend(address(to).octets());
    bytes.extend(ports.0.to_be_bytes());
    bytes.extend(ports.1.to_be_bytes());
    bytes.extend(u16::try_from(size - 20).unwrap().to_be_bytes());
    bytes.resize(size, 0);
    bytes
}
