//! The figures of devices over the last minutes, as far as this page has heard them. A device has a bounded ring, which
//! begins empty with each visit.

use crate::{
    components::chart::Sample,
    store::Store,
    usage::{self, Measure},
};
use flotilla_protocol::{Timestamp, device::Device, id::DeviceId};
use leptos::prelude::*;
use std::collections::{BTreeMap, VecDeque};

/// The time of which figures are kept and shown, in seconds.
pub const SPAN: i64 = 5 * 60;

/// A device reports every 5 seconds. A longer silence than three reports is a gap and no line.
const SILENCE: i64 = 16;

/// At most this many figures of a device are kept, however often it reports.
const LIMIT: usize = 120;

/// The rings of all devices. A handle: copies share them.
#[derive(Debug, Clone, Copy)]
pub struct History {
    rings: StoredValue<BTreeMap<DeviceId, Ring>>,
    heard: RwSignal<()>,
}

impl History {
    /// Provides the history to the components below, and fills it with what the store hears from then on.
    pub fn provide(store: Store) {
        let history = Self {
            rings: StoredValue::default(),
            heard: RwSignal::new(()),
        };
        provide_context(history);
        Effect::new(move |_| {
            store.devices.with(|devices| {
                history.rings.update_value(|rings| {
                    rings.retain(|id, _| devices.rows().contains_key(id));
                    for device in devices.rows().values() {
                        rings.entry(device.id).or_default().hear(device);
                    }
                });
            });
            history.heard.set(());
        });
    }

    /// The share of a device's processors that was in use, in percent, up to `now`.
    #[must_use]
    pub fn cpu(self, device: DeviceId, now: Timestamp) -> Vec<Sample> {
        self.heard.track();
        self.rings
            .with_value(|rings| rings.get(&device).map(|ring| ring.until(now)))
            .unwrap_or_default()
    }
}

#[must_use]
pub fn use_history() -> History {
    expect_context()
}

/// The last figures of one device, the oldest first.
#[derive(Debug, Clone, Default)]
struct Ring(VecDeque<(Timestamp, f64)>);

impl Ring {
    fn hear(&mut self, device: &Device) {
        if let Some((used, all)) = usage::share(device, Measure::Cpu) {
            self.push(device.as_of, (used / all * 100.0).clamp(0.0, 100.0));
        }
    }

    /// Adds a figure, unless it is as old as one that is known.
    fn push(&mut self, at: Timestamp, value: f64) {
        if self.0.back().is_some_and(|(last, _)| at <= *last) {
            return;
        }
        self.0.push_back((at, value));
        while self.0.len() > LIMIT || self.0.front().is_some_and(|(first, _)| is_before(*first, at)) {
            self.0.pop_front();
        }
    }

    /// The figures of the time up to `now`, with a gap wherever the device was silent.
    fn until(&self, now: Timestamp) -> Vec<Sample> {
        let mut samples: Vec<Sample> = Vec::with_capacity(self.0.len() + 1);
        let shown = self.0.iter().filter(|(at, _)| !is_before(*at, now));
        let ends = shown.map(|(at, value)| (*at, Some(*value))).chain([(now, None)]);
        for (at, value) in ends {
            if let Some(last) = samples.last().map(|last| last.at)
                && at.as_second() - last.as_second() > SILENCE
            {
                let silent = Timestamp::from_second(last.as_second() + 1).unwrap_or(last);
                samples.push(Sample {
                    at: silent,
                    value: None,
                });
            }
            samples.extend(value.map(|value| Sample {
                at,
                value: Some(value),
            }));
        }
        samples
    }
}

/// Whether a moment is too long before another one to be shown beside it.
fn is_before(at: Timestamp, now: Timestamp) -> bool {
    now.as_second() - at.as_second() > SPAN
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + second).unwrap()
    }

    fn ring(figures: &[(i64, f64)]) -> Ring {
        let mut ring = Ring::default();
        for (second, value) in figures {
            ring.push(at(*second), *value);
        }
        ring
    }

    fn shown(ring: &Ring, now: i64) -> Vec<(i64, Option<f64>)> {
        let samples = ring.until(at(now)).into_iter();
        samples
            .map(|sample| (sample.at.as_second() - 1_000_000, sample.value))
            .collect()
    }

    #[test]
    fn a_silence_is_a_gap_also_at_the_end() {
        let ring = ring(&[(0, 1.0), (5, 2.0), (60, 3.0)]);
        assert_eq!(
            shown(&ring, 62),
            [(0, Some(1.0)), (5, Some(2.0)), (6, None), (60, Some(3.0))]
        );
        assert_eq!(shown(&ring, 90).last(), Some(&(61, None)));
    }

    #[test]
    fn a_figure_that_was_heard_before_is_no_second_one() {
        let ring = ring(&[(5, 1.0), (5, 2.0), (3, 3.0)]);
        assert_eq!(shown(&ring, 6), [(5, Some(1.0))]);
    }

    #[test]
    fn figures_are_kept_for_their_time_and_never_more_than_the_limit() {
        let ring_of_old = ring(&[(0, 1.0), (SPAN + 5, 2.0)]);
        assert_eq!(ring_of_old.0.len(), 1);
        let often: Vec<_> = (0..SPAN).map(|second| (second, 1.0)).collect();
        assert_eq!(ring(&often).0.len(), LIMIT);
        assert_eq!(shown(&ring(&[(0, 1.0)]), SPAN + 1), []);
    }
}
