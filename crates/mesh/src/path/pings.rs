//! Pings that were sent and are not answered yet.

use super::Way;
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// A later answer does not describe the present path.
const PATIENCE: Duration = Duration::from_secs(5);

/// More pings than the most candidates can cause within [`PATIENCE`].
const MAX_PINGS: usize = 512;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ping {
    pub(super) way: Way,
    pub(super) at: Instant,
    /// The IP packet size that it was padded for.
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

    /// Registers a new ping; returns its number.
    pub(super) fn send(&mut self, ping: Ping) -> u64 {
        while self.sent.len() >= MAX_PINGS
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

    /// Takes the ping that is answered, so that it counts once.
    pub(super) fn answered(&mut self, tx: u64, way: Way, now: Instant) -> Option<Ping> {
        let ping = *self.sent.get(&tx)?;
        // An answer by another way says nothing about either way.
        if ping.way != way || now.saturating_duration_since(ping.at) > PATIENCE {
            return None;
        }
        self.sent.remove(&tx)
    }
}
