//! Keys of the mesh that are nobody's any more, for as long as a ticket might still open a relay to them.

use super::State;
use flotilla_identity::TICKET_LIFETIME;
use flotilla_protocol::{Timestamp, key::PublicKey};

impl State {
    /// Keys stopped being their devices', each at a moment.
    pub(crate) fn end_keys(&mut self, keys: impl IntoIterator<Item = (PublicKey, Timestamp)>) {
        self.ended_keys.extend(keys);
    }

    /// Keys that no relay may serve although their tickets may not have run out yet.
    pub(crate) fn ended_keys(&self, now: Timestamp) -> Vec<PublicKey> {
        let lately = |at: &Timestamp| now.duration_since(*at).unsigned_abs() < TICKET_LIFETIME;
        let ended = self.ended_keys.iter().filter(|(_, at)| lately(at));
        ended.map(|(key, _)| *key).collect()
    }
}
