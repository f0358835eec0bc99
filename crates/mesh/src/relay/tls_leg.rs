//! The TLS leg of a relay: whether it is wanted, there, or to be given up.

use super::{LegState, Relays};
use flotilla_protocol::id::RelayId;

impl Relays {
    pub(crate) fn set_stream(&mut self, id: RelayId, open: bool) -> bool {
        let Some(relay) = self.relays.get_mut(&id) else {
            return false;
        };
        if !open && !relay.stream_open {
            // It was given up before, and another one may be under way.
            return false;
        }
        relay.stream_open = open;
        relay.stream_asked &= open;
        let was_up = relay.up().is_some();
        // It speaks first.
        relay.stream = LegState::default();
        was_up != relay.up().is_some()
    }

    pub(crate) fn any_stream_up(&self) -> bool {
        self.relays.values().any(|relay| relay.stream.up().is_some())
    }

    /// A TLS leg that is wanted, or no longer.
    pub(crate) fn poll_wish(&mut self) -> Option<(RelayId, bool)> {
        self.wishes.pop_front()
    }

    pub(super) fn release_stream(&mut self, id: RelayId) {
        if let Some(relay) = self.relays.get_mut(&id)
            && (relay.stream_asked || relay.stream_open)
        {
            (relay.stream_asked, relay.stream_open) = (false, false);
            relay.stream = LegState::default();
            self.wishes.push_back((id, false));
        }
    }
}
