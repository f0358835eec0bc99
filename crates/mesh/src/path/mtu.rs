//! How large an IP packet the direct path carries, found by padded pings (RFC 8899's idea).
//!
//! Life cycle: unknown, where the least that IPv6 asks of any link is assumed → the ladder is tried from the top,
//! each rung a few times → the first rung that is answered holds, and is tried again from time to time.

use flotilla_protocol::mesh::RELAYED_MTU;
use std::time::{Duration, Instant};

/// Ethernet, PPPoE, PPPoE under a tunnel, 6in4 under one: less the 80 bytes of WireGuard over IPv6.
const LADDER: [u16; 4] = [1420, 1400, 1380, 1340];
const TRIES: u8 = 3;
const SPACING: Duration = Duration::from_millis(250);
/// A path that shrank is noticed after this.
const AGAIN: Duration = Duration::from_secs(300);

#[derive(Debug)]
pub(super) struct PathMtu {
    mtu: u16,
    rung: usize,
    tries: u8,
    next: Option<Instant>,
}

impl PathMtu {
    pub(super) const LARGEST: u16 = LADDER[0];

    pub(super) fn unknown() -> Self {
        Self {
            mtu: RELAYED_MTU,
            rung: 0,
            tries: 0,
            next: None,
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
        self.mtu = mtu;
        (self.rung, self.tries) = (0, 0);
        self.next = Some(now + AGAIN);
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
}
