//! Events that callers cause again and again: the first is recorded at once, the following as a count once a minute.
//!
//! Life of a window: the first event of its kind and source is recorded at once → those that follow within a minute are
//! counted → when the minute is over, one entry records their number. Few sources have a window of their own; all
//! others share one. So a caller that repeats itself, or has many addresses, causes a few rows a minute.

use crate::{limit::AttemptSource, store::NewActivity};
use flotilla_protocol::{
    Code, Timestamp,
    activity::{Action, Actor},
    id::DeviceId,
};
use parking_lot::Mutex;
use std::{collections::BTreeMap, time::Duration};

/// How long events are counted before their number is recorded.
const WINDOW: Duration = Duration::from_secs(60);

/// Windows of kinds and sources of refusals at the same time. With the one for all others they write at most `2 × (8 +
/// 1)` rows in a minute, so that the log reaches back more than a month.
const MOST_APART: usize = 8;

/// The kind and source that events of one window have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum RepeatKey {
    /// A request from this network, or with this token, was refused with this code.
    Refused(AttemptSource, Code),
    /// A copy presents the identity of this device.
    Cloned(DeviceId),
    /// Refusals of kinds and sources that have no window of their own.
    Others,
}

/// The windows that are open. Shared by reference.
#[derive(Debug, Default)]
pub(crate) struct Repeats(Mutex<BTreeMap<RepeatKey, Window>>);

#[derive(Debug)]
struct Window {
    began: Timestamp,
    /// Events since the first that are not recorded yet.
    more: u64,
    last: Option<NewActivity>,
}

impl Window {
    /// A window is also over when the clock was set back by more than its length, so that no count is held back for
    /// long.
    fn is_over(&self, now: Timestamp) -> bool {
        now.duration_since(self.began).unsigned_abs() >= WINDOW
    }
}

impl Repeats {
    /// Notes an event. Answers its entry when it is to be recorded now; otherwise the event is counted.
    pub(crate) fn handle(&self, what: RepeatKey, entry: NewActivity, now: Timestamp) -> Option<NewActivity> {
        let mut windows = self.0.lock();
        let is_apart = match what {
            // A copy has a certificate of the fleet, so there are at most as many of these windows as devices.
            RepeatKey::Cloned(_) => true,
            RepeatKey::Refused(..) | RepeatKey::Others => {
                windows.contains_key(&what) || windows.len() < MOST_APART
            }
        };
        let what = if is_apart { what } else { RepeatKey::Others };
        if let Some(window) = windows.get_mut(&what) {
            window.more = window.more.saturating_add(1);
            window.last = Some(entry);
            return None;
        }
        let window = Window {
            began: now,
            more: 0,
            last: None,
        };
        windows.insert(what, window);
        Some(entry)
    }

    /// Closes the windows that are over; answers an entry for each count.
    pub(crate) fn poll(&self, now: Timestamp) -> Vec<NewActivity> {
        let mut windows = self.0.lock();
        let over = windows.iter().filter(|(_, window)| window.is_over(now));
        let over: Vec<_> = over.map(|(what, _)| *what).collect();
        let ended = over
            .into_iter()
            .filter_map(|what| Some((what, windows.remove(&what)?)));
        ended.filter_map(|(what, window)| summary(what, window)).collect()
    }

    /// Closes all windows when control ends; answers an entry for each count.
    pub(crate) fn drain(&self) -> Vec<NewActivity> {
        let windows = std::mem::take(&mut *self.0.lock());
        let all = windows.into_iter();
        all.filter_map(|(what, window)| summary(what, window)).collect()
    }
}

fn summary(what: RepeatKey, window: Window) -> Option<NewActivity> {
    let last = window.last?;
    let times = match window.more {
        1 => "Once more".to_owned(),
        more => format!("{more} more times"),
    };
    Some(match what {
        RepeatKey::Refused(..) | RepeatKey::Cloned(_) => NewActivity {
            details: format!("{times} within a minute: {}", last.details),
            ..last
        },
        RepeatKey::Others => {
            let address = "many addresses".to_owned();
            let details = format!(
                "{times} within a minute, from many addresses; the last: {}",
                last.details
            );
            NewActivity::new(Actor::Stranger { address }, Action::EnrollmentRefused, details).succeeded(false)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_millisecond(1_800_000_000_000 + milliseconds).unwrap()
    }

    fn refused(n: u32) -> (RepeatKey, NewActivity) {
        let address = std::net::Ipv4Addr::from_bits(n);
        let what = RepeatKey::Refused(AttemptSource::of(address.into()), Code::TokenUnknown);
        let actor = Actor::Stranger {
            address: address.to_string(),
        };
        let details = format!("{address} was refused.");
        let entry = NewActivity::new(actor, Action::EnrollmentRefused, details);
        (what, entry.succeeded(false))
    }

    #[test]
    fn the_first_is_told_at_once_and_the_rest_of_the_minute_as_a_count() {
        let repeats = Repeats::default();
        let (what, entry) = refused(1);
        assert_eq!(repeats.handle(what, entry.clone(), at(0)), Some(entry.clone()));
        for n in 1..=37 {
            assert_eq!(repeats.handle(what, entry.clone(), at(n)), None);
        }
        assert_eq!(repeats.poll(at(59_999)), []);
        let counts = repeats.poll(at(60_000));
        assert_eq!(counts.len(), 1);
        assert_eq!(
            counts[0].details,
            "37 more times within a minute: 0.0.0.1 was refused."
        );
        assert_eq!(counts[0].actor, entry.actor);
        assert_eq!(
            repeats.handle(what, entry.clone(), at(60_001)),
            Some(entry),
            "a new minute begins"
        );
        assert_eq!(repeats.poll(at(200_000)), [], "what happened once is told once");
    }

    #[test]
    fn what_is_of_another_kind_is_told_apart() {
        let repeats = Repeats::default();
        let (what, entry) = refused(1);
        let RepeatKey::Refused(source, _) = what else {
            panic!("a refusal")
        };
        let others = [
            RepeatKey::Refused(source, Code::TokenUsed),
            RepeatKey::Cloned("01937c5e-7b1a-7c3e-8b9e-0123456789ab".parse().unwrap()),
        ];
        for what in [what].into_iter().chain(others) {
            assert!(repeats.handle(what, entry.clone(), at(0)).is_some());
        }
    }

    #[test]
    fn nothing_that_was_counted_is_lost_when_control_ends() {
        let repeats = Repeats::default();
        let (what, entry) = refused(1);
        repeats.handle(what, entry.clone(), at(0));
        repeats.handle(what, entry, at(1));
        let counts = repeats.drain();
        assert_eq!(
            counts[0].details,
            "Once more within a minute: 0.0.0.1 was refused."
        );
        assert_eq!(repeats.drain(), []);
    }

    proptest! {
        #[test]
        fn however_many_there_are_from_wherever_few_rows_are_written_and_all_are_counted(
            happened in proptest::collection::vec((0_u32..40, 0_i64..900), 0..400),
        ) {
            let repeats = Repeats::default();
            let mut now = 0;
            let (mut rows, mut counted) = (0, 0);
            let mut count = |entries: Vec<NewActivity>| {
                for entry in entries {
                    rows += 1;
                    counted += entry
                        .details
                        .split_once(" more times within")
                        .map_or(1, |(count, _)| count.parse::<usize>().unwrap());
                }
            };
            for (n, later) in &happened {
                now += later;
                count(repeats.poll(at(now)));
                let (what, entry) = refused(*n);
                count(repeats.handle(what, entry, at(now)).into_iter().collect());
            }
            count(repeats.drain());
            prop_assert_eq!(counted, happened.len());
            let minutes = usize::try_from(now / 60_000).unwrap() + 1;
            prop_assert!(rows <= 2 * (MOST_APART + 1) * minutes, "{rows} rows in {minutes} minutes");
        }
    }
}
