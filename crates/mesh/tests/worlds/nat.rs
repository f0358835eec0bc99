//! Network address translators in the terms of RFC 4787: their mapping and their filtering.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

/// What a mapping, or the permission to come in, depends on (RFC 4787 §4.1 and §5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Depends {
    /// On nothing of the remote end.
    Independent,
    Address,
    AddressAndPort,
}

impl Depends {
    fn key(self, remote: SocketAddr) -> (Option<IpAddr>, Option<u16>) {
        match self {
            Self::Independent => (None, None),
            Self::Address => (Some(remote.ip()), None),
            Self::AddressAndPort => (Some(remote.ip()), Some(remote.port())),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kind {
    pub(crate) mapping: Depends,
    pub(crate) filtering: Depends,
}

impl Kind {
    /// The behavior of two of them in a row.
    pub(crate) fn behind(self, carrier: Self) -> Self {
        Self {
            mapping: self.mapping.max(carrier.mapping),
            filtering: self.filtering.max(carrier.filtering),
        }
    }
}

pub(crate) const CONE: Kind = Kind {
    mapping: Depends::Independent,
    filtering: Depends::Independent,
};
pub(crate) const PORT_RESTRICTED: Kind = Kind {
    mapping: Depends::Independent,
    filtering: Depends::AddressAndPort,
};
pub(crate) const SYMMETRIC: Kind = Kind {
    mapping: Depends::AddressAndPort,
    filtering: Depends::AddressAndPort,
};

type MapKey = (SocketAddr, (Option<IpAddr>, Option<u16>));

#[derive(Debug)]
struct Mapping {
    key: MapKey,
    used: Instant,
    /// When it last sent to each remote address.
    permissions: BTreeMap<SocketAddr, Instant>,
}

#[derive(Debug)]
pub(crate) struct Nat {
    pub(crate) kind: Kind,
    pub(crate) public: IpAddr,
    /// An inside host that sends to the outside address of another inside host reaches it, and is seen by its own
    /// outside address (RFC 4787 §6).
    pub(crate) hairpins: bool,
    patience: Duration,
    next: u16,
    ports: BTreeMap<MapKey, u16>,
    mappings: BTreeMap<u16, Mapping>,
}

impl Nat {
    pub(crate) fn new(kind: Kind, public: IpAddr, patience: Duration) -> Self {
        Self {
            kind,
            public,
            hairpins: false,
            patience,
            next: 20_000,
            ports: BTreeMap::new(),
            mappings: BTreeMap::new(),
        }
    }

    /// The router restarted: mappings get other ports, and all permissions are gone.
    pub(crate) fn restart(&mut self) {
        self.next += 777;
        self.ports.clear();
        self.mappings.clear();
    }

    pub(crate) fn outward(&mut self, private: SocketAddr, remote: SocketAddr, now: Instant) -> SocketAddr {
        let key = (private, self.kind.mapping.key(remote));
        let alive = self
            .ports
            .get(&key)
            .copied()
            .filter(|port| now < self.mappings[port].used + self.patience);
        let port = alive.unwrap_or_else(|| {
            if let Some(old) = self.ports.remove(&key) {
                self.mappings.remove(&old);
            }
            self.next += 1;
            let mapping = Mapping {
                key,
                used: now,
                permissions: BTreeMap::new(),
            };
            self.ports.insert(key, self.next);
            self.mappings.insert(self.next, mapping);
            self.next
        });
        let mapping = self.mappings.get_mut(&port).unwrap();
        mapping.used = now;
        mapping.permissions.insert(remote, now);
        SocketAddr::new(self.public, port)
    }

    pub(crate) fn inward(&self, port: u16, remote: SocketAddr, now: Instant) -> Option<SocketAddr> {
        if remote.ip() == self.public && !self.hairpins {
            return None;
        }
        let mapping = self
            .mappings
            .get(&port)
            .filter(|mapping| now < mapping.used + self.patience)?;
        let wanted = self.kind.filtering.key(remote);
        let mut sent_to = mapping
            .permissions
            .iter()
            .filter(|(_, at)| now < **at + self.patience);
        sent_to
            .any(|(to, _)| self.kind.filtering.key(*to) == wanted)
            .then_some(mapping.key.0)
    }
}
