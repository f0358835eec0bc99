//! Round trips measured while a page is open. They are kept in the page only.

use crate::store::use_store;
use flotilla_protocol::{Timestamp, id::DeviceId, path::Path};
use leptos::prelude::*;
use std::collections::{BTreeMap, VecDeque};

/// Values per path; a sparkline has no room for more.
const KEPT: usize = 60;

type Ends = (DeviceId, DeviceId);

/// The round trips of each path. A handle: copies share the same memory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RoundTrips {
    histories: StoredValue<BTreeMap<Ends, PathHistory>>,
}

#[derive(Debug, Default)]
struct PathHistory {
    last: Option<Timestamp>,
    values: VecDeque<f32>,
}

impl PathHistory {
    /// Adds the round trip of the newest state of a path. A state that was added before, or without an answer, adds no
    /// value.
    fn note(&mut self, path: &Path) {
        if self.last.is_some_and(|last| last >= path.as_of) {
            return;
        }
        self.last = Some(path.as_of);
        if let Some(rtt) = path.rtt_ms {
            if self.values.len() == KEPT {
                self.values.pop_front();
            }
            self.values.push_back(rtt);
        }
    }
}

impl RoundTrips {
    /// Starts to record paths, and provides the record to the components below.
    pub(crate) fn provide() -> Self {
        let trips = Self {
            histories: StoredValue::default(),
        };
        provide_context(trips);
        let store = use_store();
        Effect::new(move || {
            store.paths.with(|paths| {
                trips.histories.update_value(|histories| {
                    histories.retain(|ends, _| paths.rows().contains_key(ends));
                    for (ends, path) in paths.rows() {
                        histories.entry(*ends).or_default().note(path);
                    }
                });
            });
        });
        trips
    }

    /// The last round trips of a path, of which `path` is the newest state.
    pub(crate) fn of(self, path: &Path) -> Vec<f32> {
        let ends = (path.from_id, path.to_id);
        let values = self.histories.try_update_value(|histories| {
            let history = histories.entry(ends).or_default();
            history.note(path);
            history.values.iter().copied().collect()
        });
        values.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(second: i64, rtt: Option<f32>) -> Path {
        let rtt = rtt.map_or_else(|| "null".to_owned(), |rtt| rtt.to_string());
        let as_of = Timestamp::from_second(second).unwrap();
        serde_json::from_str(&format!(
            r#"{{"from":"a","from_id":"00000000-0000-7000-8000-000000000001","to":"b",
            "to_id":"00000000-0000-7000-8000-000000000002","kind":"direct","relay":null,"rtt_ms":{rtt},"since":null,
            "why_code":"direct.lan","why":"","as_of":"{as_of}"}}"#
        ))
        .unwrap()
    }

    #[test]
    fn each_state_of_a_path_counts_once_and_silence_leaves_no_value() {
        let mut history = PathHistory::default();
        for (second, rtt) in [(1, Some(4.0)), (1, Some(4.0)), (2, None), (3, Some(5.0))] {
            history.note(&path(second, rtt));
        }
        assert_eq!(history.values, [4.0, 5.0]);
    }

    #[test]
    fn only_the_newest_values_are_kept() {
        let mut history = PathHistory::default();
        for second in 0..200_i16 {
            history.note(&path(second.into(), Some(second.into())));
        }
        assert_eq!(history.values.len(), KEPT);
        assert_eq!(history.values.back(), Some(&199.0));
    }
}
