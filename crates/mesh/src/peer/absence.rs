//! The relays that reported that a peer is not connected to them, and when to try each again.

use flotilla_protocol::id::RelayId;
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

const SHORTEST: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

#[derive(Debug, Default)]
pub(crate) struct Absence {
    relays: BTreeMap<RelayId, (Instant, Duration)>,
}

impl Absence {
    pub(crate) fn note(&mut self, relay: RelayId, now: Instant) {
        let pause = self
            .relays
            .get(&relay)
            .map_or(SHORTEST, |(at, pause)| match now < *at + *pause {
                // This answers a datagram that was sent before the first report came, so the pause does not grow.
                true => *pause,
                false => (*pause * 2).min(LONGEST_PAUSE),
            });
        self.relays.insert(relay, (now, pause));
    }

    /// This relay delivered something from the peer; returns whether it had reported the peer absent.
    pub(crate) fn end(&mut self, relay: RelayId) -> bool {
        self.relays.remove(&relay).is_some()
    }

    pub(crate) fn clear(&mut self) {
        self.relays.clear();
    }

    /// Packets are to be sent to the peer, so reports that are older than a moment do not count. Returns whether that
    /// changes anything.
    pub(crate) fn doubt(&mut self, now: Instant) -> bool {
        let before = self.relays.len();
        self.relays.retain(|_, (at, _)| now < *at + SHORTEST);
        before != self.relays.len()
    }

    pub(crate) fn is_from(&self, relay: RelayId, now: Instant) -> bool {
        self.relays
            .get(&relay)
            .is_some_and(|(at, pause)| now < *at + *pause)
    }

    /// When the next relay is to be tried again.
    pub(crate) fn until(&self, now: Instant) -> Option<Instant> {
        self.relays
            .values()
            .map(|(at, pause)| *at + *pause)
            .filter(|end| *end > now)
            .min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relay_is_asked_again_ever_more_seldom_until_packets_are_to_be_sent() {
        let relay = "01937c5e-7b1a-7c3e-8b9e-0123456789ab".parse().unwrap();
        let (mut absence, mut now) = (Absence::default(), Instant::now());
        for expected in [5, 10, 20, 40, 80, 160, 300, 300] {
            absence.note(relay, now);
            let until = absence.until(now).unwrap();
            assert_eq!(until - now, Duration::from_secs(expected));
            absence.note(relay, now);
            assert_eq!(
                absence.until(now),
                Some(until),
                "a second answer to the same question"
            );
            now = until;
            assert!(!absence.is_from(relay, now));
        }
        absence.note(relay, now);
        assert!(!absence.doubt(now + Duration::from_secs(4)));
        assert!(absence.doubt(now + Duration::from_secs(5)));
        assert!(!absence.is_from(relay, now));
    }
}
