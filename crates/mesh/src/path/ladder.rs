//! The search for the largest IP packet that a way carries, by padded pings (after RFC 8899).
//!
//! Life cycle: unknown, while the size that every relay should carry is assumed → the largest size is tried, then the
//! assumed one, then smaller and smaller ones until a size comes through, then the middle between that and the
//! smallest that did not, until the two are neighbors. A size is given up after [`TRIES`] pings without an answer, and
//! at once when the system refuses to send it. Every [`RESTART_INTERVAL`] the search starts again at the top. While large packets
//! are sent, the size in use is tried every [`RECHECK_INTERVAL`], and given up like any other.
//!
//! The smallest size is assumed to come through without being tried, because senders cannot be made to send less; on a
//! way that carries less, larger packets are lost.

use super::{Paths, Way};
use flotilla_protocol::mesh::RELAYED_MTU;
use std::time::{Duration, Instant};

/// What Ethernet carries, less the 80 bytes that WireGuard over IPv6 adds.
const DIRECT: u16 = 1420;
/// What every IPv4 host accepts (RFC 791 §3.1); mesh addresses are IPv4. It is less than any link in use leaves: a
/// link carries it directly with 636 bytes, through a relay with 701.
const LEAST: u16 = 576;
/// All sizes are multiples of this apart; a gain of less is not worth a try.
const GRANULARITY: u16 = 4;
/// After a size that does not come through, one that is smaller by this is tried. Senders are told each size, and many
/// keep to it for ten minutes, so the steps are small.
const DESCENT: u16 = 128;
const TRIES: u8 = 3;
const SPACING: Duration = Duration::from_millis(250);
/// A path that grew is noticed after this time.
const RESTART_INTERVAL: Duration = Duration::from_secs(300);
/// A path that shrank is noticed after this time, while packets are sent that need its size.
const RECHECK_INTERVAL: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(super) struct MtuLadder {
    largest: u16,
    /// The largest packet that senders may use, in bytes.
    mtu: u16,
    /// Whether that size came through since it was last tried.
    holds: bool,
    /// The smallest size that does not come through; above the largest when none is known.
    refused: u16,
    /// Pings of the tried size that were not answered so far.
    tries: u8,
    next: Option<Instant>,
    /// When the search starts again at the top.
    climb: Option<Instant>,
    /// When a size was last answered.
    checked: Option<Instant>,
}

impl MtuLadder {
    pub(super) const LARGEST: u16 = DIRECT;

    pub(super) fn direct() -> Self {
        Self::unknown(DIRECT)
    }

    /// The size of a way through a relay. It is tried only when a large packet is sent, because most peers behind
    /// relays are idle.
    pub(super) fn relayed() -> Self {
        Self::unknown(RELAYED_MTU)
    }

    fn unknown(largest: u16) -> Self {
        Self {
            largest,
            mtu: RELAYED_MTU,
            holds: false,
            refused: largest + GRANULARITY,
            tries: 0,
            next: None,
            climb: None,
            checked: None,
        }
    }

    pub(super) fn get(&self) -> u16 {
        self.mtu
    }

    /// The size that every way carries.
    pub(super) fn least() -> u16 {
        LEAST
    }

    /// The path changed.
    pub(super) fn restart(&mut self, now: Instant) {
        *self = Self::unknown(self.largest);
        self.next = Some(now);
    }

    /// A packet of this size came through.
    pub(super) fn confirm(&mut self, size: u16, now: Instant) {
        self.checked = Some(now);
        // A late answer may be to a smaller size than the one that is known.
        if size >= self.mtu {
            (self.mtu, self.holds) = (size, true);
            self.refused = self.refused.max(size + GRANULARITY);
            (self.tries, self.next) = (0, Some(now));
            self.settle(now);
        }
    }

    /// The system sends no packet of this size by that way. Returns whether that lowers the size in use.
    pub(super) fn refuse(&mut self, size: usize, now: Instant) -> bool {
        let size = u16::try_from(size).unwrap_or(u16::MAX);
        let size = size
            .clamp(LEAST + 1, self.largest + 1)
            .next_multiple_of(GRANULARITY);
        if size >= self.refused {
            return false;
        }
        self.narrow(size);
        self.next = Some(now);
        true
    }

    /// A packet is sent that only the size in use lets through. Returns whether that size is therefore tried soon.
    pub(super) fn note_large(&mut self, now: Instant) -> bool {
        if self.is_in_question() || self.mtu == LEAST {
            return false;
        }
        self.holds = false;
        self.next = Some(
            self.checked
                .map_or(now, |checked| now.max(checked + RECHECK_INTERVAL)),
        );
        true
    }

    /// Whether a size is to be tried before the search starts again.
    fn is_in_question(&self) -> bool {
        self.next != self.climb
    }

    pub(super) fn timeout(&self) -> Option<Instant> {
        self.next
    }

    /// The packet size to try, if one is due; an answer takes `rtt`.
    pub(super) fn poll(&mut self, rtt: Option<Duration>, now: Instant) -> Option<u16> {
        if self.next.is_none_or(|next| now < next) {
            return None;
        }
        if self.climb.is_some_and(|climb| now >= climb) {
            (self.refused, self.climb) = (self.largest + GRANULARITY, None);
        }
        if self.tries == TRIES
            && let Some(size) = self.in_question()
        {
            self.narrow(size);
        }
        let Some(size) = self.in_question() else {
            self.settle(now);
            return None;
        };
        self.tries += 1;
        self.next = Some(now + rtt.map_or(SPACING, |rtt| rtt.max(SPACING)));
        Some(size)
    }

    /// The next size to try; `None` when the largest that comes through is known.
    fn in_question(&self) -> Option<u16> {
        if self.refused > self.largest {
            return (!self.holds || self.mtu < self.largest).then_some(self.largest);
        }
        if !self.holds {
            return Some(self.mtu);
        }
        let between = (self.refused - self.mtu) / 2 / GRANULARITY * GRANULARITY;
        (between > 0).then_some(self.mtu + between)
    }

    /// This size does not come through.
    fn narrow(&mut self, size: u16) {
        (self.refused, self.tries) = (size, 0);
        if self.mtu >= size {
            self.mtu = RELAYED_MTU;
            while self.mtu >= size {
                self.mtu = (self.mtu - DESCENT).max(LEAST);
            }
            self.holds = self.mtu == LEAST;
        }
    }

    /// Sets the time of the next try when none is pending.
    fn settle(&mut self, now: Instant) {
        if self.in_question().is_none() {
            let climb = self
                .climb
                .filter(|climb| now < *climb)
                .unwrap_or(now + RESTART_INTERVAL);
            // At the largest size there is nothing larger to search.
            self.climb = (self.mtu < self.largest).then_some(climb);
            (self.tries, self.next) = (0, self.climb);
        }
    }
}

impl Paths {
    /// The largest IP packet that the way in use carries.
    pub(crate) fn mtu(&self) -> u16 {
        self.mtu_in_use().get()
    }

    /// Whether a packet is larger than what every way carries.
    pub(crate) fn is_large(size: usize) -> bool {
        size > usize::from(MtuLadder::least())
    }

    /// A large packet is to be sent. Returns whether the size of its path is therefore tried soon.
    pub(crate) fn note_large(&mut self, now: Instant) -> bool {
        match (self.current, self.relay) {
            (Some(_), _) => self.mtu.note_large(now),
            (None, true) => self.relay_mtu.note_large(now),
            (None, false) => false,
        }
    }

    /// The system sends no packet of this size by the way in use. Returns whether that lowers the size.
    pub(crate) fn refuse(&mut self, size: usize, now: Instant) -> bool {
        match self.current {
            Some(_) => self.mtu.refuse(size, now),
            None => self.relay_mtu.refuse(size, now),
        }
    }

    pub(super) fn try_size(&mut self, now: Instant) {
        let rtt = self.rtt();
        let (way, mtu) = match self.current {
            Some(current) => (Way::Direct(current), self.mtu.poll(rtt, now)),
            None => (Way::Relay, self.relay_mtu.poll(rtt, now)),
        };
        if mtu.is_some() {
            self.ping(way, mtu, now);
        }
    }

    pub(super) fn mtu_in_use(&self) -> &MtuLadder {
        match self.current {
            Some(_) => &self.mtu,
            None => &self.relay_mtu,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tries sizes until none is due at once; returns how many pings that took.
    fn settle(path: &mut MtuLadder, carried: u16, now: &mut Instant) -> usize {
        let (begun, mut pings) = (*now, 0);
        while let Some(next) = path.timeout().filter(|next| *next < begun + RESTART_INTERVAL) {
            *now = next.max(*now);
            if let Some(tried) = path.poll(None, *now) {
                pings += 1;
                if tried <= carried {
                    path.confirm(tried, *now);
                }
            }
        }
        pings
    }

    #[test]
    fn the_largest_size_that_is_answered_holds_and_takes_few_pings_to_find() {
        let mut now = Instant::now();
        for carried in (500..1500).chain([1420, 1400, 1280, 576]) {
            let mut path = MtuLadder::direct();
            path.restart(now);
            let begun = now;
            let pings = settle(&mut path, carried, &mut now);
            let expected = (carried / GRANULARITY * GRANULARITY).clamp(LEAST, DIRECT);
            assert_eq!(path.get(), expected, "of {carried}");
            let took = now - begun;
            assert!(
                pings <= 36 && took < Duration::from_secs(10),
                "{carried}: {pings} in {took:?}"
            );
        }
    }

    #[test]
    fn a_size_that_the_system_refuses_is_left_at_once_and_what_fits_is_found_without_waiting() {
        let now = Instant::now();
        let mut path = MtuLadder::direct();
        path.restart(now);
        path.poll(None, now);
        path.confirm(1420, now);
        assert!(path.refuse(1399, now));
        assert_eq!((path.get(), path.timeout()), (RELAYED_MTU, Some(now)));
        assert!(!path.refuse(1420, now), "more of the same is no news");
        let mut pings = 0;
        while let Some(tried) = path.poll(None, now) {
            pings += 1;
            match tried <= 1346 {
                true => path.confirm(tried, now),
                false => assert!(path.refuse(tried.into(), now)),
            }
        }
        assert_eq!((path.get(), path.timeout()), (1344, Some(now + RESTART_INTERVAL)));
        assert!(pings < 10, "{pings}");
        for size in 0..=LEAST {
            path.refuse(size.into(), now);
        }
        assert_eq!(path.get(), LEAST, "there is nothing smaller");
    }

    #[test]
    fn a_size_that_does_not_come_through_anymore_is_left_in_seconds_while_it_is_used() {
        let mut now = Instant::now();
        let mut path = MtuLadder::direct();
        path.restart(now);
        assert_eq!(path.poll(None, now), Some(1420));
        path.confirm(1420, now);
        assert_eq!(
            path.timeout(),
            None,
            "no large packet is sent, so no size is tried"
        );
        assert!(path.note_large(now) && !path.note_large(now));
        now += RECHECK_INTERVAL;
        assert_eq!(path.timeout(), Some(now));
        let begun = now;
        while path.get() == 1420 {
            now = path.timeout().unwrap();
            assert!(path.poll(None, now).is_some_and(|tried| tried <= 1420));
        }
        assert_eq!((path.get(), now - begun), (RELAYED_MTU, SPACING * 3));
        settle(&mut path, 1400, &mut now);
        assert_eq!(path.get(), 1400);
        let climb = path.timeout().unwrap();
        assert!(climb > now + RESTART_INTERVAL / 2, "it may grow again");
        assert!(path.note_large(now + RECHECK_INTERVAL));
        now += RECHECK_INTERVAL;
        assert_eq!(path.poll(None, now), Some(1400), "what holds, and not all again");
        path.confirm(1400, now);
        assert_eq!(path.timeout(), Some(climb), "which does not put off the climb");
    }

    #[test]
    fn a_path_that_grew_is_used_in_full_and_one_that_did_not_is_asked_rarely() {
        let mut now = Instant::now();
        let mut path = MtuLadder::direct();
        path.restart(now);
        settle(&mut path, 1400, &mut now);
        now = path.timeout().unwrap();
        assert!(settle(&mut path, 1400, &mut now) <= 4 * usize::from(TRIES));
        assert_eq!(path.get(), 1400);
        now = path.timeout().unwrap();
        settle(&mut path, 1500, &mut now);
        assert_eq!((path.get(), path.timeout()), (1420, None));
    }

    #[test]
    fn a_far_path_is_not_taken_for_a_narrow_one() {
        let (begin, rtt) = (Instant::now(), Duration::from_millis(900));
        let mut path = MtuLadder::direct();
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
        for mut path in [MtuLadder::direct(), MtuLadder::relayed()] {
            assert_eq!((path.get(), path.timeout()), (RELAYED_MTU, None));
            assert!(path.note_large(now));
            settle(&mut path, LEAST, &mut now);
            assert_eq!(path.get(), LEAST);
            assert!(
                !path.note_large(now + RECHECK_INTERVAL),
                "there is nothing smaller"
            );
            now += RESTART_INTERVAL;
            settle(&mut path, 1500, &mut now);
            assert_eq!(path.get(), path.largest, "it grew again");
        }
    }
}
