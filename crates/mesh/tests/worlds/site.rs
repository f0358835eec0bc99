//! A network behind one router: its address families, and what its router lets through.

use crate::{
    firewall::Firewall,
    nat::{Kind, Nat},
    world::World,
};
use flotilla_protocol::{cidr::IpRange, device::RelayPreference};
use rand::Rng;
use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    time::{Duration, Instant},
};

/// A network behind one router. Without a NAT its devices have public addresses.
pub(crate) struct Site {
    pub(crate) number: u8,
    pub(crate) kind: Option<Kind>,
    pub(crate) blocked: bool,
    pub(crate) nat: Option<Nat>,
    pub(crate) public: IpAddr,
    /// The carrier's NAT that this site's NAT is behind.
    pub(crate) carrier: Option<usize>,
    /// Hosts inside cannot send to each other, as in the Wi-Fi of a hotel.
    pub(crate) isolates: bool,
    pub(crate) ipv6: Option<Ipv6>,
    pub(crate) latency: Duration,
    /// Until then TLS legs deliver nothing; TCP sends the data again later.
    pub(crate) stalled: Option<Instant>,
    /// Larger IP packets are silently lost between the router and the internet.
    pub(crate) widest: usize,
    hosts: u8,
}

/// What Ethernet carries.
pub(crate) const WIDE: usize = 1500;

/// A global prefix for the site.
pub(crate) struct Ipv6 {
    pub(crate) firewall: Option<Firewall>,
    /// Hosts have addresses, and all their packets are silently lost.
    pub(crate) broken: bool,
    pub(crate) mended: Option<Instant>,
}

/// The address families of a device that arrives at a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Families {
    V4,
    V6,
    Both,
}

impl Site {
    fn host(&mut self, families: Families) -> Vec<SocketAddr> {
        self.hosts += 1;
        let host = 10 + self.hosts;
        let v4 = match self.kind {
            Some(_) => IpAddr::from([192, 168, 1, host]),
            None => IpAddr::from([198, 51, self.number, host]),
        };
        let v6 = self.ipv6.is_some().then(|| self.prefix(host.into()));
        let wanted = match (families, v6) {
            (Families::V6, Some(v6)) => vec![v6],
            (Families::Both, Some(v6)) => vec![v4, v6],
            _ => vec![v4],
        };
        wanted.into_iter().map(|ip| SocketAddr::new(ip, 51820)).collect()
    }

    fn prefix(&self, host: u16) -> IpAddr {
        IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, self.number.into(), 0, 0, 0, host))
    }

    /// Whether a datagram to this address never leaves the site.
    pub(crate) fn is_inside(&self, to: IpAddr) -> bool {
        match to {
            IpAddr::V4(v4) => v4.is_private(),
            IpAddr::V6(v6) => self.has_prefix_of(v6),
        }
    }

    pub(crate) fn has_prefix_of(&self, ip: Ipv6Addr) -> bool {
        self.ipv6.is_some() && ip.segments()[..4] == [0x2001, 0xdb8, 0, self.number.into()]
    }

    pub(crate) fn has_working_ipv6(&self) -> bool {
        self.ipv6.as_ref().is_some_and(|ipv6| !ipv6.broken)
    }

    /// Whether the site exchanges no datagrams of this family with the internet.
    pub(crate) fn is_cut_off(&self, to: SocketAddr) -> bool {
        self.blocked || (to.is_ipv6() && !self.has_working_ipv6())
    }

    /// The address by which the internet sees the sender.
    pub(crate) fn outward(&mut self, from: SocketAddr, to: SocketAddr, now: Instant) -> SocketAddr {
        if to.is_ipv4() {
            return self.nat.as_mut().map_or(from, |nat| nat.outward(from, to, now));
        }
        if let Some(firewall) = self.ipv6.as_mut().and_then(|ipv6| ipv6.firewall.as_mut()) {
            firewall.outward(from, to, now);
        }
        from
    }

    /// The inside address to which the router passes a datagram, if any.
    pub(crate) fn inward(&self, from: SocketAddr, to: SocketAddr, now: Instant) -> Option<SocketAddr> {
        match (&self.nat, &self.ipv6) {
            (Some(nat), _) if to.is_ipv4() => nat.inward(to.port(), from, now),
            (_, Some(ipv6)) if to.is_ipv6() => {
                let firewall = ipv6.firewall.as_ref();
                firewall
                    .is_none_or(|firewall| firewall.lets_in(from, to, now))
                    .then_some(to)
            }
            _ => to.is_ipv4().then_some(to),
        }
    }
}

/// The networks of these addresses, as interfaces have them.
pub(crate) fn near(local: &[SocketAddr]) -> Vec<IpRange> {
    let network = |one: &SocketAddr| IpRange::new(one.ip(), if one.is_ipv4() { 24 } else { 64 }).unwrap();
    local.iter().map(network).collect()
}

impl World {
    pub(crate) fn add_site(&mut self, kind: Option<Kind>, blocked: bool) -> usize {
        let number = u8::try_from(self.sites.len()).unwrap();
        let public = IpAddr::from([203, 0, 113, number]);
        let patience = self.any_patience();
        self.sites.push(Site {
            number,
            kind,
            blocked,
            nat: kind.map(|kind| Nat::new(kind, public, patience)),
            public,
            carrier: None,
            isolates: false,
            ipv6: None,
            latency: Duration::from_millis(self.rng.random_range(1..40)),
            stalled: None,
            widest: WIDE,
            hosts: 0,
        });
        self.sites.len() - 1
    }

    /// Gives a site a global prefix, with or without a firewall that lets only answers in.
    pub(crate) fn add_ipv6(&mut self, site: usize, firewall: bool) {
        let patience = self.any_patience();
        let firewall = firewall.then(|| Firewall::new(patience));
        self.sites[site].ipv6 = Some(Ipv6 {
            firewall,
            broken: false,
            mended: None,
        });
    }

    /// Adds a NAT that whole sites are behind.
    pub(crate) fn add_carrier(&mut self, kind: Kind, hairpins: bool) -> usize {
        let number = u8::try_from(self.carriers.len()).unwrap();
        let patience = self.any_patience();
        let mut nat = Nat::new(kind, IpAddr::from([203, 0, 114, number]), patience);
        nat.hairpins = hairpins;
        self.carriers.push(nat);
        self.carriers.len() - 1
    }

    /// Gives the site's NAT an outside address of the carrier's range (RFC 6598).
    pub(crate) fn put_behind(&mut self, carrier: usize, site: usize) {
        let site = &mut self.sites[site];
        site.public = IpAddr::from([100, 100, u8::try_from(carrier).unwrap(), site.number]);
        site.nat.as_mut().unwrap().public = site.public;
        site.carrier = Some(carrier);
    }

    /// How long a router remembers outgoing packets.
    fn any_patience(&mut self) -> Duration {
        Duration::from_secs(self.rng.random_range(35..120))
    }

    pub(crate) fn add_device(&mut self, site: usize, preference: RelayPreference) -> usize {
        self.add_device_with(Families::Both, site, preference)
    }

    pub(crate) fn add_device_with(
        &mut self,
        families: Families,
        site: usize,
        preference: RelayPreference,
    ) -> usize {
        let number = self.devices.len();
        let seed = self.rng.random();
        self.devices
            .push(crate::device::Device::new(number, preference, seed, self.now));
        self.settle_in(number, site, families);
        number
    }

    /// A device arrives at a site and gets new addresses.
    pub(crate) fn settle_in(&mut self, number: usize, site: usize, families: Families) {
        let local = self.sites[site].host(families);
        let device = &mut self.devices[number];
        device.site = site;
        device.local.clone_from(&local);
        self.close_legs(number);
        let near = near(&local);
        self.devices[number]
            .mesh
            .set_local_candidates(local, near, self.now);
        self.drain(number);
    }

    pub(crate) fn restart_router(&mut self, site: usize) {
        let site = &mut self.sites[site];
        if let Some(nat) = &mut site.nat {
            nat.restart();
        }
        if let Some(firewall) = site.ipv6.as_mut().and_then(|ipv6| ipv6.firewall.as_mut()) {
            firewall.restart();
        }
    }
}
