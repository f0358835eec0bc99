//! The TLS leg of a relay: whether it is needed, open, or to be closed.

use super::{LegState, Relays};
use flotilla_protocol::id::RelayId;

impl Relays {
    pub(crate) fn set_tls_leg(&mut self, id: RelayId, open: bool) -> bool {
        let Some(relay) = self.relays.get_mut(&id) else {
            return false;
        };
        if !open && !relay.tls_open {
            // This leg was given up before, and another one may have been asked for.
            return false;
        }
        relay.tls_open = open;
        relay.tls_asked &= open;
        let was_up = relay.up().is_some();
        // The relay sends the first frame.
        relay.tls = LegState::default();
        was_up != relay.up().is_some()
    }

    pub(crate) fn any_tls_leg_up(&self) -> bool {
        self.relays.values().any(|relay| relay.tls.up().is_some())
    }

    /// A relay whose TLS leg is needed (`true`) or not needed any more.
    pub(crate) fn poll_leg_request(&mut self) -> Option<(RelayId, bool)> {
        self.leg_requests.pop_front()
    }

    pub(super) fn release_tls_leg(&mut self, id: RelayId) {
        if let Some(relay) = self.relays.get_mut(&id)
            && (relay.tls_asked || relay.tls_open)
        {
            (relay.tls_asked, relay.tls_open) = (false, false);
            relay.tls = LegState::default();
            self.leg_requests.push_back((id, false));
        }
    }
}
