//! A router's firewall for IPv6 that lets only answers in: the strictest form that RFC 6092 §3.2 allows.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    time::{Duration, Instant},
};

#[derive(Debug)]
pub(crate) struct Firewall {
    patience: Duration,
    /// When each inside address last sent to each outside address.
    sent: BTreeMap<(SocketAddr, SocketAddr), Instant>,
}

impl Firewall {
    pub(crate) fn new(patience: Duration) -> Self {
        Self {
            patience,
            sent: BTreeMap::new(),
        }
    }

    pub(crate) fn restart(&mut self) {
        self.sent.clear();
    }

    pub(crate) fn outward(&mut self, from: SocketAddr, to: SocketAddr, now: Instant) {
        self.sent.insert((from, to), now);
    }

    pub(crate) fn lets_in(&self, from: SocketAddr, to: SocketAddr, now: Instant) -> bool {
        let sent = self.sent.get(&(to, from));
        sent.is_some_and(|sent| now < *sent + self.patience)
    }
}
