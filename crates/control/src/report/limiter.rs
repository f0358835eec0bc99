//! Cuts each part of a report to its limit, and adds up the memory of the rest.

use flotilla_protocol::text::{is_unseen, shown};
use std::collections::BTreeMap;

/// Names, ids and versions. The longest that engines and host names have is 255.
const NAME_CHARS: usize = 256;

/// Paths on a device. This is Linux's limit (`PATH_MAX`).
const PATH_CHARS: usize = 4096;

/// Room for a sentence or two: an error, a reason.
pub(crate) const SENTENCE_CHARS: usize = 1024;

/// Entries of a list inside one thing: more than the containers that a network of a large device has.
const LIST: usize = 4096;

/// Labels of one thing.
const LABELS: usize = 256;

/// Memory of a text besides its bytes.
const TEXT_WEIGHT: usize = 32;

/// Memory of an entry of an ordered map besides its texts.
const ENTRY_WEIGHT: usize = 64;

/// Sizes in bytes: JavaScript counts exactly up to here (8 PiB), and sums over a fleet don't overflow.
const MOST_BYTES: u64 = (1 << 53) - 1;

/// Counts of things on one device.
const MOST_COUNTED: u32 = 1_000_000;

/// Processor cores of one machine.
const MOST_CORES: f32 = 65_536.0;

/// Round trips in milliseconds. Longer ones are not plausible and are left out.
const MOST_RTT: f32 = 60_000.0;

/// Applies limits, and sums up the memory of what is left, in bytes: an estimate, rather too high.
#[derive(Debug, Default)]
pub(crate) struct Limiter {
    pub(super) weight: usize,
}

impl Limiter {
    pub(super) fn name(&mut self, text: &mut String) {
        self.text(text, NAME_CHARS);
    }

    /// Limits the names of an option, or of a list that is within its own limit.
    pub(super) fn names<'a>(&mut self, texts: impl IntoIterator<Item = &'a mut String>) {
        texts.into_iter().for_each(|text| self.name(text));
    }

    pub(super) fn sentence(&mut self, text: &mut String) {
        self.text(text, SENTENCE_CHARS);
    }

    pub(super) fn path(&mut self, text: &mut String) {
        self.text(text, PATH_CHARS);
    }

    pub(super) fn list<T>(&mut self, items: &mut Vec<T>) {
        self.list_of(items, LIST);
    }

    pub(super) fn list_of<T>(&mut self, items: &mut Vec<T>, most: usize) {
        items.truncate(most);
        items.shrink_to_fit();
        self.weight += items.len() * size_of::<T>();
    }

    pub(super) fn labels(&mut self, labels: &mut BTreeMap<String, String>) {
        let all = std::mem::take(labels).into_iter().take(LABELS);
        labels.extend(all.map(|(mut key, mut value)| {
            self.name(&mut key);
            self.sentence(&mut value);
            self.weight += ENTRY_WEIGHT;
            (key, value)
        }));
    }

    pub(super) fn bytes(&mut self, bytes: &mut u64) {
        *bytes = (*bytes).min(MOST_BYTES);
    }

    pub(super) fn count(&mut self, count: &mut u32) {
        *count = (*count).min(MOST_COUNTED);
    }

    pub(super) fn cores(&mut self, cores: &mut f32) {
        *cores = if cores.is_nan() {
            0.0
        } else {
            cores.clamp(0.0, MOST_CORES)
        };
    }

    pub(super) fn round_trip(&mut self, rtt_ms: &mut Option<f32>) {
        *rtt_ms = rtt_ms.filter(|rtt| (0.0..=MOST_RTT).contains(rtt));
    }

    fn text(&mut self, text: &mut String, longest: usize) {
        if text.len() > longest || text.contains(is_unseen) {
            *text = shown(text, longest);
            text.shrink_to_fit();
        }
        // In the store's copy, which is JSON, these two characters take twice the room.
        let escaped = text.bytes().filter(|byte| matches!(byte, b'"' | b'\\')).count();
        self.weight += text.len() + escaped + TEXT_WEIGHT;
    }
}
