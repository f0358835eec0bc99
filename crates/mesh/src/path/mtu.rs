//! How large an IP packet the direct path carries, found by padded pings (RFC 8899's idea).
//!
//! Life cycle: unknown, where the least that IPv6 asks of any link is assumed → the ladder is tried from the top,
//! each rung a few times → the first rung that is answered holds. From time to time the ladder is tried from the top
//! again; while large packets flow, the rung that holds is tried often, and left at once when it does not answer.

use flotilla_protocol::mesh::RELAYED_MTU;
use std::time::{Duration, Instant};

/// Ethernet, PPPoE, PPPoE under a tunnel, 6in4 under one: less the 80 bytes of WireGuard over IPv6.
const LADDER: [u16; 4] = [1420, 1400, 1380, 1340];
const TRIES: u8 = 3;
const SPACING: Duration = Duration::from_millis(250);
/// A path that grew is noticed after this.
const AGAIN: Duration = Duration::from_secs(300);
/// A path that shrank is noticed after this, if that matters to anybody.
const CHECK: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(super) struct PathMtu {
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
    pub(super) const LARGEST: u16 = LADDER[0];

    pub(super) fn unknown() -> Self {
        Self {
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

    /// Another path.
    pub(super) fn restart(&mut self, now: Instant) {
        *self = Self::unknown();
        self.next = Some(now);
    }

    pub(super) fn confirm(&mut self, mtu: u16, now: Instant) {
        let climb = self.climb.filter(|climb| now < *climb).unwrap_or(now + AGAIN);
        self.mtu = mtu;
        (self.rung, self.tries) = (0, 0);
        (self.next, self.climb, self.checked) = (Some(climb), Some(climb), Some(now));
    }

    /// A packet is sent that only the size at hand lets through. Whether that size is therefore tried soon.
    pub(super) fn note_large(&mut self, now: Instant) -> bool {
        let (Some(checked), false) = (self.checked, self.is_in_question()) else {
            return false;
        };
        let Some(rung) = LADDER.iter().position(|size| *size == self.mtu) else {
            return false;
        };
        (self.rung, self.next) = (rung, Some(now.max(checked + CHECK)));
        true
    }

    /// Whether something is tried before the ladder's turn comes.
    fn is_in_question(&self) -> bool {
        self.next != self.climb
    }

    pub(super) fn timeout(&self) -> Option<Instant> {
        self.next
    }

    /// The packet size to try now.
    pub(super) fn poll(&mut self, now: Instant) -> Option<u16> {
        if self.next.is_none_or(|next| now < next) {
            return None;
        }
        if self.tries == TRIES {
            if LADDER.get(self.rung) == Some(&self.mtu) {
                self.mtu = RELAYED_MTU;
            }
            (self.rung, self.tries) = (self.rung + 1, 0);
        }
        let Some(mtu) = LADDER.get(self.rung).copied() else {
            self.confirm(RELAYED_MTU, now);
            return None;
        };
        self.tries += 1;
        self.next = Some(now + SPACING);
        Some(mtu)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_size_that_is_answered_holds() {
        let mut now = Instant::now();
        for carried in [1500, 1400, 1300] {
            let mut path = PathMtu::unknown();
            path.restart(now);
            for _ in 0..20 {
                assert!(path.get() <= carried.max(RELAYED_MTU));
                if let Some(tried) = path.poll(now)
                    && tried <= carried
                {
                    path.confirm(tried, now);
                }
                now += SPACING;
            }
            let expected = LADDER
                .iter()
                .find(|size| **size <= carried)
                .unwrap_or(&RELAYED_MTU);
            assert_eq!(path.get(), *expected);
        }
    }

    #[test]
    fn a_size_that_does_not_come_through_anymore_is_left_in_seconds_while_it_is_used() {
        let mut now = Instant::now();
        let mut path = PathMtu::unknown();
        path.restart(now);
        assert_eq!(path.poll(now), Some(1420));
        path.confirm(1420, now);
        assert!(path.note_large(now) && !path.note_large(now));
        now += CHECK;
        assert_eq!(path.timeout(), Some(now));
        let begun = now;
        while path.get() == 1420 {
            now = path.timeout().unwrap();
            assert!(path.poll(now).is_some_and(|tried| tried <= 1420));
        }
        assert_eq!((path.get(), now - begun), (RELAYED_MTU, SPACING * 3));
        path.confirm(1400, now);
        assert_eq!(path.get(), 1400);
        assert_eq!(path.timeout(), Some(begun - CHECK + AGAIN), "it may grow again");
    }

    #[test]
    fn a_size_that_nobody_needs_is_not_tried() {
        let now = Instant::now();
        let mut path = PathMtu::unknown();
        assert!(!path.note_large(now));
        path.confirm(RELAYED_MTU, now);
        assert!(!path.note_large(now + CHECK), "there is nothing smaller");
    }
}
