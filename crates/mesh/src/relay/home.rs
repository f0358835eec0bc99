//! Which relay is this device's home, at which it listens and peers find it.

use super::{Relay, Relays};
use flotilla_protocol::id::RelayId;
use std::time::{Duration, Instant};

/// Another relay becomes the home only when it is nearer by a fifth and by this much.
const NEARER_BY: Duration = Duration::from_millis(5);

impl Relays {
    /// The second relay at which this device listens, in case its home fails. All devices with the same home choose
    /// the same one, because they could not tell each other then.
    pub(crate) fn standby(&self) -> Option<RelayId> {
        let home = self.home?;
        self.relays.keys().copied().find(|id| *id != home)
    }

    /// Makes the nearest relay the home, unless the present one is nearly as near.
    pub(crate) fn choose_home(&mut self, rtt: impl Fn(RelayId) -> Option<Duration>, now: Instant) {
        if self.ticket.is_none() {
            self.home = None;
            return;
        }
        let dead = |relay: &Relay| relay.avoid.is_some_and(|until| now < until);
        let measure = |id: &RelayId, relay: &Relay| (dead(relay), rtt(*id).unwrap_or(Duration::MAX), *id);
        let Some(best) = self.relays.iter().map(|(id, relay)| measure(id, relay)).min() else {
            self.home = None;
            return;
        };
        let at_hand = self
            .home
            .and_then(|home| Some(measure(&home, self.relays.get(&home)?)));
        let keep = at_hand.is_some_and(|(is_dead, rtt, _)| {
            let clearly = rtt.mul_f32(0.8).min(rtt.saturating_sub(NEARER_BY));
            is_dead == best.0 && (rtt == Duration::MAX && best.1 == Duration::MAX || best.1 >= clearly)
        });
        if !keep {
            self.home = Some(best.2);
        }
    }
}
