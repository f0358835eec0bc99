//! Pings that wait for their answer.

use super::Way;
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// An answer that comes later says nothing about the path as it is now.
const PATIENCE: Duration = Duration::from_secs(5);

/// More than a peer with the most candidates is ever asked in [`PATIENCE`].
const MOST: usize = 512;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ping {
    pub(super) way: Way,
    pub(super) at: Instant,
    /// The IP packet size for which it was padded.
    pub(super) mtu: Option<u16>,
}

#[derive(Debug)]
pub(super) struct Pings {
    next: u64,
    sent: BTreeMap<u64, Ping>,
}

impl Pings {
    pub(super) fn new(first: u64) -> Self {
        Self {
            next: first,
            sent: BTreeMap::new(),
        }
    }

    /// A number for a new ping.
    pub(super) fn send(&mut self, ping: Ping) -> u64 {
        while self.sent.len() >= MOST
            || self
                .sent
                .values()
                .next()
                .is_some_and(|old| old.at + PATIENCE < ping.at)
        {
            self.sent.pop_first();
        }
        self.next = self.next.wrapping_add(1);
        self.sent.insert(self.next, ping);
        self.next
    }

    /// The ping that is answered, once.
    pub(super) fn answered(&mut self, tx: u64, way: Way, now: Instant) -> Option<Ping> {
        let ping = *self.sent.get(&tx)?;
        // An answer on another way says nothing about either.
        if ping.way != way || now.saturating_duration_since(ping.at) > PATIENCE {
            return None;
        }
        self.sent.remove(&tx)
    }
}
