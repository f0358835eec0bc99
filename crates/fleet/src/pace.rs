//! How often changes that a device reports of itself may reach other devices.
//!
//! A bucket per device: it holds a few changes, and one more fits into it every ten seconds. Life of a change:
//! reported ([`Pace::handle_change`]) → out of [`Pace::poll`] at once while the bucket holds one, or when it does
//! again. The caller of [`Pace::poll`] announces what is true of the device at that moment, so of changes that come
//! faster the last one is announced.
//!
//! The burst is what an honest device needs to come up or to move: its own addresses, the addresses that relays see,
//! its NAT, its nearest relay. The refill bounds the work that a device whose reports never stop causes at all others.

use flotilla_protocol::{Timestamp, id::DeviceId};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// Changes of one device that are announced without a pause.
const BURST: u32 = 6;

/// The time between two changes of one device in the long run.
const REFILL: Duration = Duration::from_secs(10);

/// The buckets of all devices, and the changes that wait.
#[derive(Debug, Default)]
pub struct Pace {
    /// When each bucket is full again.
    full: BTreeMap<DeviceId, Timestamp>,
    /// Devices with a change that was not announced yet, by when it is due.
    waiting: BTreeSet<(Timestamp, DeviceId)>,
}

impl Pace {
    /// A device reported a change.
    pub fn handle_change(&mut self, id: DeviceId, now: Timestamp) {
        if self.waiting.iter().any(|(_, waits)| *waits == id) {
            return;
        }
        let full = self.full.get(&id).copied().unwrap_or(now);
        // After the clock was set back the bucket counts as empty, which bounds the wait.
        let full = full.min(later(now, REFILL * BURST));
        self.full.insert(id, full);
        self.waiting.insert((due(full), id));
    }

    /// A device whose change is to be announced.
    pub fn poll(&mut self, now: Timestamp) -> Option<DeviceId> {
        let (at, id) = self.waiting.first().copied().filter(|(at, _)| *at <= now)?;
        self.waiting.remove(&(at, id));
        let full = self.full.get(&id).copied().unwrap_or(now).max(now);
        self.full.insert(id, later(full, REFILL));
        Some(id)
    }

    /// When [`Pace::poll`] has a device next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        self.waiting.first().map(|(at, _)| *at)
    }

    /// A device was removed.
    pub fn handle_gone(&mut self, id: DeviceId) {
        self.full.remove(&id);
        self.waiting.retain(|(_, waits)| *waits != id);
    }
}

/// When a bucket holds one change, computed from when it is full.
fn due(full: Timestamp) -> Timestamp {
    full.saturating_sub(REFILL * (BURST - 1))
        .unwrap_or(Timestamp::MIN)
}

fn later(moment: Timestamp, by: Duration) -> Timestamp {
    moment.saturating_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn id(n: u32) -> DeviceId {
        format!("01937c5e-7b1a-7c3e-8b9e-0000{n:08x}").parse().unwrap()
    }

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_millisecond(1_800_000_000_000 + milliseconds).unwrap()
    }

    #[test]
    fn a_few_changes_are_told_at_once_and_the_next_one_when_it_is_due() {
        let mut pace = Pace::default();
        for n in 0..BURST {
            pace.handle_change(id(1), at(n.into()));
            assert_eq!(pace.poll(at(n.into())), Some(id(1)));
        }
        pace.handle_change(id(1), at(100));
        pace.handle_change(id(1), at(101));
        assert_eq!(pace.poll(at(101)), None);
        assert_eq!(pace.poll_timeout(), Some(at(10_000)));
        assert_eq!(pace.poll(at(10_000)), Some(id(1)));
        assert_eq!((pace.poll(at(10_000)), pace.poll_timeout()), (None, None));
        pace.handle_change(id(2), at(10_000));
        assert_eq!(pace.poll(at(10_000)), Some(id(2)), "no device waits for another");
    }

    #[test]
    fn a_device_that_was_quiet_has_its_burst_again_and_one_that_is_gone_is_forgotten() {
        let mut pace = Pace::default();
        let told_at_once = |pace: &mut Pace, now| {
            let tell = |_: &u32| {
                pace.handle_change(id(1), now);
                pace.poll(now).is_some()
            };
            (0..BURST + 3).take_while(tell).count()
        };
        assert_eq!(told_at_once(&mut pace, at(0)), BURST as usize);
        assert_eq!(told_at_once(&mut pace, at(3_600_000)), BURST as usize);
        pace.handle_gone(id(1));
        assert_eq!(pace.poll_timeout(), None);
        assert_eq!(told_at_once(&mut pace, at(3_600_000)), BURST as usize);
    }

    #[test]
    fn a_clock_that_is_set_back_holds_nothing_back_for_long() {
        let mut pace = Pace::default();
        for _ in 0..BURST {
            pace.handle_change(id(1), at(86_400_000));
            pace.poll(at(86_400_000));
        }
        pace.handle_change(id(1), at(0));
        assert_eq!(pace.poll_timeout(), Some(at(10_000)));
    }

    proptest! {
        #[test]
        fn however_fast_it_changes_few_changes_are_told_and_the_last_one_always(
            pauses in proptest::collection::vec(0_i64..5_000, 1..300),
        ) {
            let mut pace = Pace::default();
            let (mut now, mut told, mut last_told) = (0, 0, 0);
            for (n, pause) in pauses.iter().enumerate() {
                now += pause;
                pace.handle_change(id(1), at(now));
                while pace.poll(at(now)).is_some() {
                    (told, last_told) = (told + 1, n + 1);
                }
            }
            let bound = i64::from(BURST) + now / 10_000 + 1;
            prop_assert!(told <= bound, "{told} in {now} ms");
            if last_told != pauses.len() {
                let due = pace.poll_timeout().unwrap();
                prop_assert!(due <= at(now + 10_000));
                prop_assert_eq!(pace.poll(due), Some(id(1)));
            }
            prop_assert_eq!(pace.poll_timeout(), None);
        }
    }
}
