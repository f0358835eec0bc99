//! What a relay reports about itself. Counters only grow.

use super::Leg;
use flotilla_protocol::{id::DeviceId, key::PublicKey};
use std::time::Instant;

/// A snapshot of a relay.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Ordered by key.
    pub clients: Vec<ClientFacts>,
    /// Open TLS legs, admitted or not.
    pub tls_legs: usize,
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
    /// Bytes that wait to be sent to the client.
    pub queued_bytes: usize,
}

/// The traffic of one session.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    pub received_datagrams: u64,
    pub received_bytes: u64,
    pub sent_datagrams: u64,
    pub sent_bytes: u64,
    /// Datagrams to the client that its queue had no room for.
    pub dropped_datagrams: u64,
    /// Datagrams from the client to keys that never sent it anything, beyond its allowance for such keys.
    pub unasked_datagrams: u64,
    /// Datagrams from the client beyond its share of the line.
    pub over_share_datagrams: u64,
}

/// Counters that belong to no session.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    pub admitted: u64,
    pub challenged: u64,
    pub refused: u64,
    /// Hellos that were not checked, because their address sent too many.
    pub rate_limited: u64,
    pub reflected: u64,
    pub malformed: u64,
    /// Runs that named an unknown session, or came on another leg than the session's.
    pub no_session: u64,
    /// Runs to a key that has no session.
    pub gone: u64,
    /// Answers that were dropped, because too many waited to be sent.
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

    /// Takes back a run that was counted as sent before the socket refused it.
    pub(super) fn unsent(&mut self, bytes: usize, segment: usize) {
        self.sent_bytes -= bytes as u64;
        self.sent_datagrams -= datagrams(bytes, segment);
    }
}

/// The number of datagrams in a run of so many bytes, all `segment` long but the last, which may be shorter.
pub(super) fn datagrams(bytes: usize, segment: usize) -> u64 {
    bytes.div_ceil(segment.max(1)) as u64
}
