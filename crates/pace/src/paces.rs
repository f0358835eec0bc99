//! One rate for each of many sources.

use crate::{Moment, Pace, Rate};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// What each source has taken of the same [`Rate`]. Only sources that have taken something are remembered, and only so
/// many: for one more, the source that has the most left is forgotten. So a caller with many addresses can neither fill
/// the memory nor clear its own count.
#[derive(Debug)]
pub struct Paces<K, T> {
    rate: Rate,
    most: usize,
    /// When all that a source took is free again.
    full: BTreeMap<K, T>,
    /// The same by time: the first is forgotten first.
    ranked: BTreeSet<(T, K)>,
}

impl<K: Copy + Ord, T: Moment> Paces<K, T> {
    /// Remembers up to `most` sources at the same time, at least one.
    pub const fn new(rate: Rate, most: usize) -> Self {
        Self {
            rate,
            most,
            full: BTreeMap::new(),
            ranked: BTreeSet::new(),
        }
    }

    /// Takes so many units if the source has them left; answers whether it had.
    pub fn take(&mut self, source: K, units: u64, now: T) -> bool {
        self.change(source, |pace| pace.take(units, now))
    }

    /// Takes so many units of the source in any case; answers how long it should wait before it takes more.
    pub fn charge(&mut self, source: K, units: u64, now: T) -> Duration {
        self.change(source, |pace| pace.charge(units, now))
    }

    /// How long it takes until the source has so many units left.
    pub fn wait(&mut self, source: K, units: u64, now: T) -> Duration {
        self.change(source, |pace| pace.wait(units, now))
    }

    /// Forgets sources that have all of it left.
    pub fn sweep(&mut self, now: T) {
        while let Some((_, source)) = self.ranked.first().copied().filter(|(full, _)| *full <= now) {
            self.forget(source);
        }
    }

    pub fn forget(&mut self, source: K) {
        if let Some(full) = self.full.remove(&source) {
            self.ranked.remove(&(full, source));
        }
    }

    /// How many sources are remembered.
    pub fn len(&self) -> usize {
        self.full.len()
    }

    pub fn is_empty(&self) -> bool {
        self.full.is_empty()
    }

    fn change<R>(&mut self, source: K, change: impl FnOnce(&mut Pace<T>) -> R) -> R {
        let before = self.full.get(&source).copied();
        let mut pace = Pace {
            rate: self.rate,
            full: before,
        };
        let result = change(&mut pace);
        if pace.full != before {
            self.forget(source);
            if self.full.len() >= self.most
                && pace.full.is_some()
                && let Some((_, calmest)) = self.ranked.first().copied()
            {
                self.forget(calmest);
            }
            if let Some(full) = pace.full {
                self.full.insert(source, full);
                self.ranked.insert((full, source));
            }
        }
        result
    }
}
