//! Keys of the mesh that ended, for as long as a ticket might still open a relay to them.

use super::State;
use crate::store::ticket_end;
use flotilla_protocol::{Timestamp, key::PublicKey};
use std::collections::BTreeMap;

/// What relays have to know of keys and tickets.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tickets {
    /// Keys that ended, each with the moment until which relays are told of it.
    pub(crate) ended: BTreeMap<PublicKey, Timestamp>,
    /// The latest end of all tickets that were given out, by the clock of that time. A clock that was ahead makes it
    /// late, and never early.
    pub(crate) last: Timestamp,
}

impl State {
    /// A key stopped being its device's now: it stays barred until no ticket of it can count.
    pub(crate) fn end_key(&mut self, key: Option<PublicKey>, now: Timestamp) {
        let until = ticket_end(now).max(self.tickets.last);
        self.tickets.ended.extend(key.map(|key| (key, until)));
    }

    /// Keys that no relay may serve although their tickets may not have run out yet.
    pub(crate) fn ended_keys(&self, now: Timestamp) -> Vec<PublicKey> {
        let ended = self.tickets.ended.iter().filter(|(_, until)| **until > now);
        ended.map(|(key, _)| *key).collect()
    }
}
