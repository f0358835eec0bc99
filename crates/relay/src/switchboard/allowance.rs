//! How much of what a client sends is passed on. There are two limits, both in bytes; each datagram also counts with
//! its headers on the line, so that sending small packets does not evade them.
//!
//! *Unasked*: a client may send only little to a key that never sent it anything. WireGuard and its probes answer
//! peers at once, so an honest flow is answered after one round trip and is then not limited, and a flood is.

use flotilla_pace::{Pace, Rate};
use flotilla_protocol::key::PublicKey;
use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

/// What Ethernet, IP and UDP add to a datagram on the line, gaps included.
const LINE_OVERHEAD: u64 = 66;

/// The line is shared out anew after each slot. A slot is longer than a short burst of all clients takes to pass, and
/// short enough that a client that has used up its share does not look dead to its peers.
const SLOT: Duration = Duration::from_millis(100);

/// How many seconds' worth of unasked bytes may come at once: a device that comes up greets all its peers.
const UNASKED_BURST: u64 = 4;

/// The bytes that a run counts for against the limits.
pub(super) fn cost(bytes: usize, segment: usize) -> u64 {
    bytes as u64 + super::facts::datagrams(bytes, segment) * LINE_OVERHEAD
}

/// The use of the line in the present slot, by all clients together.
#[derive(Debug)]
pub(super) struct SharedLine {
    begun: Instant,
    slot: u128,
    passed: u64,
    senders: u64,
    /// Clients that sent something in the slot before.
    last_senders: u64,
}

impl SharedLine {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            begun: now,
            slot: 0,
            passed: 0,
            senders: 0,
            last_senders: 0,
        }
    }

    fn advance(&mut self, now: Instant) {
        let slot = now.saturating_duration_since(self.begun).as_nanos() / SLOT.as_nanos();
        if slot != self.slot {
            self.last_senders = if slot == self.slot + 1 { self.senders } else { 0 };
            (self.slot, self.passed, self.senders) = (slot, 0, 0);
        }
    }
}

/// One client's use of both limits.
#[derive(Debug)]
pub(super) struct Allowance {
    /// The keys that have sent something to this client.
    asked_by: BTreeSet<PublicKey>,
    unasked: Pace<Instant>,
    slot: u128,
    passed: u64,
}

impl Allowance {
    /// `unasked` is in bytes per second.
    pub(super) fn new(unasked: u64) -> Self {
        Self {
            asked_by: BTreeSet::new(),
            unasked: Pace::new(Rate::per_second(unasked, unasked * UNASKED_BURST)),
            slot: u128::MAX,
            passed: 0,
        }
    }

    /// Takes over from an earlier session of the same client, so that answered keys stay answered.
    pub(super) fn inherit(&mut self, before: Self) {
        (self.asked_by, self.unasked) = (before.asked_by, before.unasked);
    }

    pub(super) fn note_sender(&mut self, key: PublicKey) {
        if !self.asked_by.contains(&key) {
            self.asked_by.insert(key);
        }
    }

    /// How many keys are remembered.
    pub(super) fn remembered_keys(&self) -> usize {
        self.asked_by.len()
    }

    pub(super) fn retain_keys(&mut self, is_here: impl Fn(&PublicKey) -> bool) {
        self.asked_by.retain(is_here);
    }

    /// Whether this much may be sent to a key by the limit on unasked bytes.
    pub(super) fn may_reach(&mut self, to: &PublicKey, cost: u64, now: Instant) -> bool {
        self.asked_by.contains(to) || self.unasked.take(cost, now)
    }

    /// Whether this much may be sent by the limit of the line; `rate` is in bytes per second, of all clients.
    pub(super) fn takes_share(&mut self, line: &mut SharedLine, cost: u64, rate: u64, now: Instant) -> bool {
        line.advance(now);
        if self.slot != line.slot {
            (self.slot, self.passed) = (line.slot, 0);
            line.senders += 1;
        }
        let whole = rate / 1000 * u64::try_from(SLOT.as_millis()).unwrap_or(u64::MAX);
        let share = whole / line.senders.max(line.last_senders).max(1);
        // A run passes whole or not at all, so it passes when the share was not used up before it.
        let passes = line.passed < whole || self.passed < share;
        if passes {
            line.passed += cost;
            self.passed += cost;
        }
        passes
    }
}
