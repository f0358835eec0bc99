//! How large an IP packet a way carries, found by padded pings (RFC 8899's idea).
//!
//! Life cycle: unknown, where what every relay is meant to carry is assumed → the ladder is tried from the top, each
//! rung a few times → the first rung that is answered holds, and the lowest one holds without being tried. From time
//! to time the ladder is tried from the top again; while large packets flow, the rung that holds is tried often, and
//! left at once when it does not answer.

use flotilla_protocol::mesh::RELAYED_MTU;
use std::time::{Duration, Instant};

/// Ethernet, PPPoE, PPPoE under a tunnel, 6in4 under one, what relays carry, and the least that IPv6 asks of any link
/// (RFC 8200 §5): each but the fifth less the 80 bytes of WireGuard over IPv6.
const DIRECT: &[u16] = &[1420, 1400, 1380, 1340, RELAYED_MTU, 1200];
/// What relays carry, and the least that IPv6 asks of any link less WireGuard's 80 bytes and a relay's 45.
const RELAYED: &[u16] = &[RELAYED_MTU, 1155];
const TRIES: u8 = 3;
const SPACING: Duration = Duration::from_millis(250);
/// A path that grew is noticed after this.
const AGAIN: Duration = Duration::from_secs(300);
/// A path that shrank is noticed after this, if that matters to anybody.
const CHECK: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(super) struct PathMtu {
    ladder: &'static [u16],
    mtu: u16,
    rung: usize,
    tries: u8,
    next: Option<Instant>,
    /// When the ladder is to be tried from the top.
    climb: Option<Instant>,
    /// When a size was answered.
    checked: Option<Instant>,
}

impl PathMtu {
    pub(super) const LARGEST: u16 = DIRECT[0];

    pub(super) fn direct() -> Self {
        Self::unknown(DIRECT)
    }

    /// Tried only when a large packet is sent: most peers behind relays are idle.
    pub(super) fn relayed() -> Self {
        Self::unknown(RELAYED)
    }

    fn unknown(ladder: &'static [u16]) -> Self {
        Self {
            ladder,
            mtu: RELAYED_MTU,
            rung: 0,
            tries: 0,
            next: None,
            climb: None,
            checked: None,
        }
    }

    pub(super) fn get(&self) -> u16 {
        self.mtu
    }

    /// What every way of this kind carries.
    pub(super) fn least(&self) -> u16 {
        self.ladder.last().copied().unwrap_or(RELAYED_MTU)
    }

    /// Another path.
    pub(super) fn restart(&mut self, now: Instant) {
        *self = Self::unknown(self.ladder);
        self.next = Some(now);
    }

    pub(super) fn confirm(&mut self, mtu: u16, now: Instant) {
        let climb = self.climb.filter(|climb| now < *climb).unwrap_or(now + AGAIN);
        self.mtu = mtu;
        (self.rung, self.tries) = (0, 0);
        // From the top there is nowhere to climb to.
        self.climb = (self.ladder.first() != Some(&mtu)).then_some(climb);
        (self.next, self.checked) = (self.climb, Some(now));
    }

    /// A packet is sent that only the size at hand lets through. Whether that size is therefore tried soon.
    pub(super) fn note_large(&mut self, now: Instant) -> bool {
        if self.is_in_question() || self.mtu == self.least() {
            return false;
        }
        let holds = self.ladder.iter().position(|size| *size == self.mtu);
        (self.rung, self.next) = match self.checked {
            Some(checked) => (holds.unwrap_or_default(), Some(now.max(checked + CHECK))),
            None => (0, Some(now)),
        };
        true
    }

    /// Whether something is tried before the ladder's turn comes.
    fn is_in_question(&self) -> bool {
        self.next != self.climb
    }

    pub(super) fn timeout(&self) -> Option<Instant> {
        self.next
    }

    /// The packet size to try now; an answer takes `rtt`.
    pub(super) fn poll(&mut self, rtt: Option<Duration>, now: Instant) -> Option<u16> {
        if self.next.is_none_or(|next| now < next) {
            return None;
        }
        if self.tries == TRIES {
            if self.ladder.get(self.rung) == Some(&self.mtu) {
                self.mtu = if self.mtu > RELAYED_MTU {
                    RELAYED_MTU
                } else {
                    self.least()
                };
            }
            (self.rung, self.tries) = (self.rung + 1, 0);
        }
        let above_least = self.ladder.split_last().map_or(&[][..], |(_, above)| above);
        let Some(mtu) = above_least.get(self.rung).copied() else {
            self.confirm(self.least(), now);
            return None;
        };
        self.tries += 1;
        self.next = Some(now + rtt.map_or(SPACING, |rtt| rtt.max(SPACING)));
        Some(mtu)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tries until nothing more is to be tried at once.
    fn settle(path: &mut PathMtu, carried: u16, now: &mut Instant) {
        let begun = *now;
        while let Some(next) = path.timeout().filter(|next| *next < begun + AGAIN) {
            *now = next.max(*now);
            if let Some(tried) = path.poll(None, *now)
                && tried <= carried
            {
                path.confirm(tried, *now);
            }
        }
    }

    #[test]
    fn the_largest_size_that_is_answered_holds() {
        let mut now = Instant::now();
        for (carried, expected) in [
            (1500, 1420),
            (1400, 1400),
            (1300, 1280),
            (1280, 1280),
            (1279, 1200),
            (1200, 1200),
        ] {
            let mut path = PathMtu::direct();
            path.restart(now);
            settle(&mut path, carried, &mut now);
            assert_eq!(path.get(), expected, "of {carried}");
        }
    }

    #[test]
    fn a_size_that_does_not_come_through_anymore_is_left_in_seconds_while_it_is_used() {
        let mut now = Instant::now();
        let mut path = PathMtu::direct();
        path.restart(now);
        assert_eq!(path.poll(None, now), Some(1420));
        path.confirm(1420, now);
        assert_eq!(path.timeout(), None, "nobody needs to know");
        assert!(path.note_large(now) && !path.note_large(now));
        now += CHECK;
        assert_eq!(path.timeout(), Some(now));
        let begun = now;
        while path.get() == 1420 {
            now = path.timeout().unwrap();
            assert!(path.poll(None, now).is_some_and(|tried| tried <= 1420));
        }
        assert_eq!((path.get(), now - begun), (RELAYED_MTU, SPACING * 3));
        path.confirm(1400, now);
        assert_eq!(path.get(), 1400);
        assert_eq!(path.timeout(), Some(now + AGAIN), "it may grow again");
    }

    #[test]
    fn a_far_path_is_not_taken_for_a_narrow_one() {
        let (begin, rtt) = (Instant::now(), Duration::from_millis(900));
        let mut path = PathMtu::direct();
        path.restart(begin);
        let mut tried = vec![];
        while let Some(next) = path.timeout().filter(|next| *next < begin + rtt * 2) {
            tried.extend(path.poll(Some(rtt), next));
        }
        assert_eq!(
            tried,
            [1420, 1420],
            "the first is not answered before the second goes"
        );
    }

    #[test]
    fn what_is_assumed_of_an_untried_way_is_given_up_when_it_does_not_come_through() {
        let mut now = Instant::now();
        for (mut path, least) in [(PathMtu::direct(), 1200), (PathMtu::relayed(), 1155)] {
            assert_eq!((path.get(), path.timeout()), (RELAYED_MTU, None));
            assert!(path.note_large(now));
            settle(&mut path, least, &mut now);
            assert_eq!(path.get(), least);
            assert!(!path.note_large(now + CHECK), "there is nothing smaller");
            now += AGAIN;
            settle(&mut path, 1500, &mut now);
            assert_eq!(path.get(), path.ladder[0], "it grew again");
        }
    }
}
