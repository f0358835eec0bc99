//! Keys of the mesh that ended, kept for as long as a relay ticket of theirs may be valid.

use super::{DeviceEntry, State};
use crate::store::ticket_end;
use flotilla_protocol::{Timestamp, agent::RelayDuty, key::PublicKey};
use std::collections::BTreeMap;

/// Ended keys and the lifetime of tickets.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tickets {
    /// Keys that ended, each with the moment until which relays refuse it.
    pub(crate) ended: BTreeMap<PublicKey, Timestamp>,
    /// The latest end of all tickets that were issued, by the clock at that time. A clock that was ahead makes it too
    /// late, and a clock that was behind can't make it too early.
    pub(crate) last: Timestamp,
}

impl State {
    /// Notes that a key ended: relays refuse it until no ticket of it can be valid.
    pub(crate) fn end_key(&mut self, key: Option<PublicKey>, now: Timestamp) {
        let until = ticket_end(now).max(self.tickets.last);
        self.tickets.ended.extend(key.map(|key| (key, until)));
    }

    /// Ended keys that relays must refuse because a ticket of theirs may still be valid.
    pub(crate) fn ended_keys(&self, now: Timestamp) -> Vec<PublicKey> {
        let ended = self.tickets.ended.iter().filter(|(_, until)| **until > now);
        ended.map(|(key, _)| *key).collect()
    }

    /// The settings with which a device runs its relay; `None` when it runs none.
    pub(crate) fn relay_duty(&self, entry: &DeviceEntry, now: Timestamp) -> Option<RelayDuty> {
        let relaying = entry.row.relaying.as_ref()?;
        Some(RelayDuty {
            port: relaying.port,
            mbit_per_second: relaying.mbit_per_second,
            revoked: self.ended_keys(now),
        })
    }
}
