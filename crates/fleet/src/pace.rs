//! How often changes that a device reports of itself may reach other devices.
//!
//! Each device may announce a few changes at once, and one more every ten seconds. Life of a change: reported
//! ([`PacedChanges::handle_change`]) → out of [`PacedChanges::poll`] at once while the device has one left, or when it
//! has again. The caller of [`PacedChanges::poll`] announces what is true of the device at that moment, so of changes
//! that come faster the last one is announced.
//!
//! The burst is what an honest device needs to come up or to move: its own addresses, the addresses that relays see,
//! its NAT, its nearest relay. The rate bounds the work that a device whose reports never stop causes at all others.

use flotilla_pace::{Moment as _, Pace, Rate};
use flotilla_protocol::{Timestamp, id::DeviceId};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// Changes of one device that are announced without a pause.
const BURST: u64 = 6;

/// One change of a device every ten seconds in the long run.
const RATE: Rate = Rate::new(1, Duration::from_secs(10), BURST);

/// What each device has left, and the changes that wait.
#[derive(Debug, Default)]
pub struct PacedChanges {
    paces: BTreeMap<DeviceId, Pace<Timestamp>>,
    /// Devices with a change that was not announced yet, by when it is due.
    waiting: BTreeSet<(Timestamp, DeviceId)>,
}

impl PacedChanges {
    /// A device reported a change.
    pub fn handle_change(&mut self, id: DeviceId, now: Timestamp) {
        if self.waiting.iter().any(|(_, waits)| *waits == id) {
            return;
        }
        let due = now.after(self.pace(id).wait(1, now));
        self.waiting.insert((due, id));
    }

    /// A device whose change is to be announced.
    pub fn poll(&mut self, now: Timestamp) -> Option<DeviceId> {
        let (at, id) = self.waiting.first().copied().filter(|(at, _)| *at <= now)?;
        self.waiting.remove(&(at, id));
        self.pace(id).charge(1, now);
        Some(id)
    }

    /// When [`PacedChanges::poll`] has a device next.
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        self.waiting.first().map(|(at, _)| *at)
    }

    /// A device was removed.
    pub fn handle_gone(&mut self, id: DeviceId) {
        self.paces.remove(&id);
        self.waiting.retain(|(_, waits)| *waits != id);
    }

    fn pace(&mut self, id: DeviceId) -> &mut Pace<Timestamp> {
        self.paces.entry(id).or_insert(Pace::new(RATE))
    }
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
        let mut pace = PacedChanges::default();
        for n in 0..BURST as i64 {
            pace.handle_change(id(1), at(n));
            assert_eq!(pace.poll(at(n)), Some(id(1)));
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
        let mut pace = PacedChanges::default();
        let told_at_once = |pace: &mut PacedChanges, now| {
            let tell = |_: &u64| {
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
        let mut pace = PacedChanges::default();
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
            let mut pace = PacedChanges::default();
            let (mut now, mut told, mut last_told) = (0, 0, 0);
            for (n, pause) in pauses.iter().enumerate() {
                now += pause;
                pace.handle_change(id(1), at(now));
                while pace.poll(at(now)).is_some() {
                    (told, last_told) = (told + 1, n + 1);
                }
            }
            let bound = BURST as i64 + now / 10_000 + 1;
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
