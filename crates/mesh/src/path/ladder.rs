//! How large an IP packet a way carries, found by padded pings (RFC 8899's idea).
//!
//! Life cycle: unknown, where what every relay is meant to carry is assumed → the largest size is tried, then what is
//! assumed, and less and less until a size comes through, then the middle between that and the smallest that did not,
//! until the two are neighbors. A size is given up after [`TRIES`] pings without an answer, and at once when the system
//! refuses to send it. Every [`AGAIN`] all is tried from the top again. While large packets flow, the size at hand is
//! tried every [`CHECK`], and given up like any other.
//!
//! The least size is taken to hold without being tried: senders cannot be held to less, so larger packets are lost on a
//! way that carries less.

use flotilla_protocol::mesh::RELAYED_MTU;
use std::time::{Duration, Instant};

/// What Ethernet carries, less the 80 bytes of WireGuard over IPv6.
const DIRECT: u16 = 1420;
/// What every IPv4 host takes (RFC 791 §3.1), and mesh addresses are IPv4; less than what any link in use leaves:
/// 636 bytes of a link carry it directly, 701 by a relay.
const LEAST: u16 = 576;
/// All sizes are so many bytes apart; a size that is smaller by less than this is not worth a try.
const STEP: u16 = 4;
/// Where a size does not come through, one that is smaller by this is tried. Senders are told each size, and many keep
/// to it for ten minutes, so the steps are small.
const DESCENT: u16 = 128;
const TRIES: u8 = 3;
const SPACING: Duration = Duration::from_millis(250);
/// A path that grew is noticed after this.
const AGAIN: Duration = Duration::from_secs(300);
/// A path that shrank is noticed after this while packets are sent that need its size.
const CHECK: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(super) struct PathMtu {
    largest: u16,
    /// The largest packet that senders may use.
    mtu: u16,
    /// Whether that size came through since it was last in question.
    holds: bool,
    /// The smallest size that does not come through; above the largest when none is known.
    refused: u16,
    /// Pings of the size in question that were not answered so far.
    tries: u8,
    next: Option<Instant>,
    /// When all is to be tried from the top again.
    climb: Option<Instant>,
    /// When a size was answered.
    checked: Option<Instant>,
}

impl PathMtu {
    pub(super) const LARGEST: u16 = DIRECT;

    pub(super) fn direct() -> Self {
        Self::unknown(DIRECT)
    }

    /// Tried only when a large packet is sent: most peers behind relays are idle.
    pub(super) fn relayed() -> Self {
        Self::unknown(RELAYED_MTU)
    }

    fn unknown(largest: u16) -> Self {
        Self {
            largest,
            mtu: RELAYED_MTU,
            holds: false,
            refused: largest + STEP,
            tries: 0,
            next: None,
            climb: None,
            checked: None,
        }
    }

    pub(super) fn get(&self) -> u16 {
        self.mtu
    }

    /// What every way carries.
    pub(super) fn least() -> u16 {
        LEAST
    }

    /// Another path.
    pub(super) fn restart(&mut self, now: Instant) {
        *self = Self::unknown(self.largest);
        self.next = Some(now);
    }

    /// A packet of this size came through.
    pub(super) fn confirm(&mut self, size: u16, now: Instant) {
        self.checked = Some(now);
        // A late answer may be to a smaller size than the one that is known by now.
        if size >= self.mtu {
            (self.mtu, self.holds) = (size, true);
            self.refused = self.refused.max(size + STEP);
            (self.tries, self.next) = (0, Some(now));
            self.settle(now);
        }
    }

    /// The system sends no packet of this size that way. Whether that is news.
    pub(super) fn refuse(&mut self, size: usize, now: Instant) -> bool {
        let size = u16::try_from(size).unwrap_or(u16::MAX);
        let size = size.clamp(LEAST + 1, self.largest + 1).next_multiple_of(STEP);
        if size >= self.refused {
            return false;
        }
        self.narrow(size);
        self.next = Some(now);
        true
    }

    /// A packet is sent that only the size at hand lets through. Whether that size is therefore tried soon.
    pub(super) fn note_large(&mut self, now: Instant) -> bool {
        if self.is_in_question() || self.mtu == LEAST {
            return false;
        }
        self.holds = false;
        self.next = Some(self.checked.map_or(now, |checked| now.max(checked + CHECK)));
        true
    }

    /// Whether a size is to be tried before the next climb.
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
        if self.climb.is_some_and(|climb| now >= climb) {
            (self.refused, self.climb) = (self.largest + STEP, None);
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
        let between = (self.refused - self.mtu) / 2 / STEP * STEP;
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

    /// Waits for the next time when nothing is in question.
    fn settle(&mut self, now: Instant) {
        if self.in_question().is_none() {
            let climb = self.climb.filter(|climb| now < *climb).unwrap_or(now + AGAIN);
            // From the top there is nowhere to climb to.
            self.climb = (self.mtu < self.largest).then_some(climb);
            (self.tries, self.next) = (0, self.climb);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tries until nothing more is to be tried at once; how many pings that took.
    fn settle(path: &mut PathMtu, carried: u16, now: &mut Instant) -> usize {
        let (begun, mut pings) = (*now, 0);
        while let Some(next) = path.timeout().filter(|next| *next < begun + AGAIN) {
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
            let mut path = PathMtu::direct();
            path.restart(now);
            let begun = now;
            let pings = settle(&mut path, carried, &mut now);
            let expected = (carried / STEP * STEP).clamp(LEAST, DIRECT);
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
        let mut path = PathMtu::direct();
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
        assert_eq!((path.get(), path.timeout()), (1344, Some(now + AGAIN)));
        assert!(pings < 10, "{pings}");
        for size in 0..=LEAST {
            path.refuse(size.into(), now);
        }
        assert_eq!(path.get(), LEAST, "there is nothing smaller");
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
        settle(&mut path, 1400, &mut now);
        assert_eq!(path.get(), 1400);
        let climb = path.timeout().unwrap();
        assert!(climb > now + AGAIN / 2, "it may grow again");
        assert!(path.note_large(now + CHECK));
        now += CHECK;
        assert_eq!(path.poll(None, now), Some(1400), "what holds, and not all again");
        path.confirm(1400, now);
        assert_eq!(path.timeout(), Some(climb), "which does not put off the climb");
    }

    #[test]
    fn a_path_that_grew_is_used_in_full_and_one_that_did_not_is_asked_rarely() {
        let mut now = Instant::now();
        let mut path = PathMtu::direct();
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
        for mut path in [PathMtu::direct(), PathMtu::relayed()] {
            assert_eq!((path.get(), path.timeout()), (RELAYED_MTU, None));
            assert!(path.note_large(now));
            settle(&mut path, LEAST, &mut now);
            assert_eq!(path.get(), LEAST);
            assert!(!path.note_large(now + CHECK), "there is nothing smaller");
            now += AGAIN;
            settle(&mut path, 1500, &mut now);
            assert_eq!(path.get(), path.largest, "it grew again");
        }
    }
}
