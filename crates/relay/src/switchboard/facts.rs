//! What a relay can tell about itself. Counters only grow.

use super::Leg;
use flotilla_protocol::{id::DeviceId, key::PublicKey};
use std::time::Instant;

/// A relay as it is now.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// By key.
    pub clients: Vec<ClientFacts>,
    /// Open WebSockets, admitted or not.
    pub streams: usize,
    pub totals: Totals,
}

/// One session.
#[derive(Debug, Clone)]
pub struct ClientFacts {
    pub key: PublicKey,
    pub device: DeviceId,
    pub leg: Leg,
    pub since: Instant,
    pub counters: Counters,
    /// Bytes that wait to be sent to it.
    pub queued_bytes: usize,
}

/// What passed through one session.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    pub received_datagrams: u64,
    pub received_bytes: u64,
    pub sent_datagrams: u64,
    pub sent_bytes: u64,
    /// Datagrams for it that its queue had no room for.
    pub dropped_datagrams: u64,
    /// Datagrams from it, for keys that never sent it anything, beyond what such keys may be sent.
    pub unasked_datagrams: u64,
    /// Datagrams from it beyond its share of the line.
    pub crowded_datagrams: u64,
}

/// What happened that belongs to no session.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    pub admitted: u64,
    pub challenged: u64,
    pub refused: u64,
    /// Hellos that were not looked at, because their address sent too many.
    pub hurried: u64,
    pub reflected: u64,
    pub malformed: u64,
    /// Runs that named a session which is none, or came from elsewhere.
    pub no_session: u64,
    /// Runs for a key that has no session.
    pub gone: u64,
    /// Answers that nobody could send.
    pub unanswered: u64,
}

impl Counters {
    pub(super) fn received(&mut self, bytes: usize, segment: usize) {
        self.received_bytes += bytes as u64;
        self.received_datagrams += datagrams(bytes, segment);
    }

    pub(super) fn sent(&mut self, bytes: usize, segment: usize) {
        self.sent_bytes += bytes as u64;
        self.sent_datagrams += datagrams(bytes, segment);
    }

    /// Takes back what was counted too early.
    pub(super) fn unsent(&mut self, bytes: usize, segment: usize) {
        self.sent_bytes -= bytes as u64;
        self.sent_datagrams -= datagrams(bytes, segment);
    }
}

/// How many datagrams of one length, the last maybe shorter, these bytes are.
pub(super) fn datagrams(bytes: usize, segment: usize) -> u64 {
    bytes.div_ceil(segment.max(1)) as u64
}
