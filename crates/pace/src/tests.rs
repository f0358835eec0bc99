//! What the limit allows, and for whom.

use super::*;
use flotilla_protocol::Timestamp;
use proptest::prelude::*;
use std::time::Instant;

/// A hundred in a second, fifty at once.
const RATE: Rate = Rate::per_second(100, 50);

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(1_800_000_000_000 + millis).unwrap()
}

#[test]
fn a_burst_goes_through_at_once_and_the_rest_at_the_pace() {
    let mut pace = Pace::new(RATE);
    assert_eq!(pace.charge(50, at(0)), Duration::ZERO);
    assert_eq!(pace.charge(10, at(0)), Duration::from_millis(100));
    assert_eq!(pace.charge(10, at(100)), Duration::from_millis(100));
    assert_eq!(
        pace.charge(50, at(10_000)),
        Duration::ZERO,
        "a rest fills it again"
    );
}

#[test]
fn what_cannot_be_taken_costs_nothing() {
    let mut pace = Pace::new(RATE);
    assert!(!pace.take(51, at(0)));
    assert!(pace.take(50, at(0)));
    assert!(!pace.take(1, at(9)));
    assert!(pace.take(1, at(10)));
}

#[test]
fn a_clock_that_is_set_back_makes_no_caller_wait_long() {
    let mut pace = Pace::new(RATE);
    pace.charge(50, at(1_000_000));
    assert_eq!(pace.charge(10, at(0)), Duration::from_millis(100));
    let mut pace = Pace::new(RATE);
    pace.charge(50, at(1_000_000));
    assert_eq!(pace.wait(1, at(0)), Duration::from_millis(10));
    assert!(pace.take(1, at(10)), "asking alone settles it");
}

#[test]
fn a_rate_may_be_slower_than_one_in_a_second_and_faster_than_one_in_a_nanosecond() {
    let begin = Instant::now();
    let mut slow = Pace::new(Rate::new(1, Duration::from_secs(60), 2));
    assert!(slow.take(2, begin));
    assert_eq!(slow.wait(1, begin), Duration::from_secs(60));
    let mut fast = Pace::new(Rate::per_second(4 << 30, 8 << 30));
    assert!(fast.take(8 << 30, begin));
    assert_eq!(fast.wait(4 << 30, begin), Duration::from_secs(1));
    let mut none = Pace::new(Rate::per_second(0, 0));
    assert!(!none.take(u64::MAX, begin), "no amount makes it fail");
}

#[test]
fn sources_are_forgotten_when_they_are_calm_and_not_when_others_are_many() {
    let mut paces = Paces::new(RATE, 100);
    assert!(paces.take(0, 50, at(0)));
    for source in 1..10_000 {
        assert!(paces.take(source, 1, at(0)), "one keeps out another");
        assert!(paces.len() <= 100);
    }
    assert!(!paces.take(0, 1, at(0)), "it cleared its count by others");
    assert!(paces.take(0, 1, at(10)));
    paces.sweep(at(10_000));
    assert!(paces.is_empty());
}

proptest! {
    #[test]
    fn however_it_is_taken_no_more_passes_than_the_rate_allows(
        takes in proptest::collection::vec((0_i64..200, 0_u64..60), 1..200),
    ) {
        let (mut pace, mut paces) = (Pace::new(RATE), Paces::new(RATE, 1));
        let (mut now, mut passed) = (0, 0);
        for (pause, units) in takes {
            now += pause;
            let wait = pace.wait(units, at(now));
            let passes = pace.take(units, at(now));
            prop_assert_eq!(passes, wait.is_zero());
            prop_assert_eq!(passes, paces.take('a', units, at(now)));
            passed += if passes { units } else { 0 };
            prop_assert!(passed <= 50 + now as u64 / 10);
        }
    }

    #[test]
    fn whoever_waits_as_long_as_it_is_told_may_go_on(
        units in 1_u64..50,
        at_once in 0_u64..200,
    ) {
        let mut pace = Pace::new(RATE);
        let wait = pace.charge(at_once, at(0));
        let ready = at(0).after(wait);
        let more = pace.wait(units, ready);
        prop_assert!(pace.take(units, ready.after(more)));
    }
}
