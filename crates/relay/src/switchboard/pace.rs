//! How much of what a client sends is passed on. Two measures, both in bytes, so that small packets are no way around
//! them: each datagram counts with what the line carries in front of it.
//!
//! *Unasked*: a key that never sent anything to a client gets little from it. WireGuard and its probes answer at
//! once whoever they want to hear from, so an honest stream is asked for after one round trip, and a flood is not.
//!
//! *The line*: what the relay passes on in all has a limit, and while that is reached, clients share it evenly: whoever
//! sends less than its share loses nothing.

use flotilla_protocol::key::PublicKey;
use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

/// What Ethernet, IP and UDP take for a datagram, gaps included.
const HEAD: u64 = 66;

/// For so long a line is shared out. Longer than it takes a short burst of all clients to pass, and short enough
/// that whoever has used up its share is not taken for dead.
const SLOT: Duration = Duration::from_millis(100);

/// How many seconds' worth of unasked bytes may come at once: a device that comes up greets all its peers.
const UNASKED_BURST: u64 = 4;

/// What a run of datagrams costs.
pub(super) fn cost(bytes: usize, segment: usize) -> u64 {
    bytes as u64 + super::facts::datagrams(bytes, segment) * HEAD
}

/// What all clients share.
#[derive(Debug)]
pub(super) struct Line {
    begun: Instant,
    slot: u128,
    passed: u64,
    senders: u64,
    /// In the slot before.
    last_senders: u64,
}

impl Line {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            begun: now,
            slot: 0,
            passed: 0,
            senders: 0,
            last_senders: 0,
        }
    }

    fn turn(&mut self, now: Instant) {
        let slot = now.saturating_duration_since(self.begun).as_nanos() / SLOT.as_nanos();
        if slot != self.slot {
            self.last_senders = if slot == self.slot + 1 { self.senders } else { 0 };
            (self.slot, self.passed, self.senders) = (slot, 0, 0);
        }
    }
}

/// One client's part.
#[derive(Debug)]
pub(super) struct Pace {
    /// The keys that have sent something to this client.
    asked_by: BTreeSet<PublicKey>,
    unasked: u64,
    since: Instant,
    slot: u128,
    passed: u64,
}

impl Pace {
    pub(super) fn new(now: Instant, unasked: u64) -> Self {
        Self {
            asked_by: BTreeSet::new(),
            unasked: unasked * UNASKED_BURST,
            since: now,
            slot: u128::MAX,
            passed: 0,
        }
    }

    /// A client that comes again is still asked by the same keys.
    pub(super) fn succeed(&mut self, before: Self) {
        self.asked_by = before.asked_by;
        (self.unasked, self.since) = (before.unasked, before.since);
    }

    pub(super) fn hear(&mut self, key: PublicKey) {
        if !self.asked_by.contains(&key) {
            self.asked_by.insert(key);
        }
    }

    /// How many keys are remembered.
    pub(super) fn known(&self) -> usize {
        self.asked_by.len()
    }

    pub(super) fn forget(&mut self, is_here: impl Fn(&PublicKey) -> bool) {
        self.asked_by.retain(is_here);
    }

    /// Whether a key may be sent so much, as far as it is a matter of who asked; `rate` is in bytes per second.
    pub(super) fn is_welcome(&mut self, to: &PublicKey, cost: u64, rate: u64, now: Instant) -> bool {
        if self.asked_by.contains(to) {
            return true;
        }
        let passed = now.saturating_duration_since(self.since).as_millis();
        let earned = u64::try_from(passed).unwrap_or(u64::MAX).saturating_mul(rate) / 1000;
        if earned > 0 {
            self.unasked = self.unasked.saturating_add(earned).min(rate * UNASKED_BURST);
            self.since = now;
        }
        let left = self.unasked.checked_sub(cost);
        self.unasked = left.unwrap_or(self.unasked);
        left.is_some()
    }

    /// Whether there is room for so much; `rate` is in bytes per second, of all clients.
    pub(super) fn has_room(&mut self, line: &mut Line, cost: u64, rate: u64, now: Instant) -> bool {
        line.turn(now);
        if self.slot != line.slot {
            (self.slot, self.passed) = (line.slot, 0);
            line.senders += 1;
        }
        let whole = rate / 1000 * u64::try_from(SLOT.as_millis()).unwrap_or(u64::MAX);
        let share = whole / line.senders.max(line.last_senders).max(1);
        // A run passes whole or not at all, so what counts is whether the share was used up before it.
        let passes = line.passed < whole || self.passed < share;
        if passes {
            line.passed += cost;
            self.passed += cost;
        }
        passes
    }
}
