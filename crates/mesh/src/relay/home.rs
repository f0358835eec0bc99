//! Which relay is this device's home: where it listens, and where peers find it.

use super::{Relay, Relays};
use flotilla_protocol::id::RelayId;
use std::time::{Duration, Instant};

/// A relay must be nearer than the one at hand by a fifth and by this to become the home.
const NEARER_BY: Duration = Duration::from_millis(5);

impl Relays {
    /// Where this device listens, too, in case its home dies. It is the same for all that have the same home, since
    /// they could not tell each other then.
    pub(crate) fn standby(&self) -> Option<RelayId> {
        let home = self.home?;
        self.relays.keys().copied().find(|id| *id != home)
    }

    /// Takes the nearest relay for the home, with some reluctance.
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
