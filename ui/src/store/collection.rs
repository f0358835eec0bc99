//! One kind of thing, keyed: a list answered by REST that live frames keep true.
//!
//! Life cycle: `Absent` → `Loading` → `Ready` or `Failed`; a reload goes through `Loading` again and keeps the old rows
//! until the new ones are there. Changes that arrive while a list is on its way are kept, and those that the list does
//! not contain yet are applied to it, so that neither order of arrival loses anything.

use crate::api::Failure;
use flotilla_protocol::{
    api::{List, ResourceRef},
    id::DeviceId,
};
use std::{collections::BTreeMap, fmt, sync::Arc};

/// Something that has a place on a collection.
pub trait Keyed: Clone + PartialEq + fmt::Debug + Send + Sync + 'static {
    type Key: Ord + Clone + fmt::Debug + Send + Sync;
    /// How frames call this kind of thing.
    const NAME: &'static str;
    fn key(&self) -> Self::Key;
    /// The device that a key belongs to.
    fn device_of(key: &Self::Key) -> Option<DeviceId>;
    /// What changes here when this is gone.
    fn change_of(gone: &ResourceRef) -> Option<Change<Self>>;
}

/// How far a collection has come.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Load {
    #[default]
    Absent,
    Loading,
    Ready,
    Failed(Failure),
}

/// One change of a collection.
#[derive(Debug, Clone, PartialEq)]
pub enum Change<T: Keyed> {
    Upsert(T),
    Remove(T::Key),
    /// Everything of a device is gone.
    Clear(DeviceId),
}

/// Things of one kind, in the order of their keys.
#[derive(Debug, Clone)]
pub struct Collection<T: Keyed> {
    rows: BTreeMap<T::Key, Arc<T>>,
    load: Load,
    /// Rows were loaded at least once.
    filled: bool,
    /// The last frame that the loaded rows contain.
    seq: u64,
    /// Frames up to this one are not delivered, so a list has to contain them.
    stream_start: u64,
    /// Changes that came while a list was on its way, by the number of their frame.
    changes_while_loading: Vec<(u64, Change<T>)>,
}

impl<T: Keyed> Default for Collection<T> {
    fn default() -> Self {
        Self {
            rows: BTreeMap::new(),
            load: Load::Absent,
            filled: false,
            seq: 0,
            stream_start: 0,
            changes_while_loading: Vec::new(),
        }
    }
}

impl<T: Keyed> Collection<T> {
    #[must_use]
    pub fn rows(&self) -> &BTreeMap<T::Key, Arc<T>> {
        &self.rows
    }

    #[must_use]
    pub fn load(&self) -> &Load {
        &self.load
    }

    /// Whether rows were loaded at least once: what is shown may be old, but it is not nothing.
    #[must_use]
    pub fn is_filled(&self) -> bool {
        self.filled
    }

    /// A list was asked for.
    pub fn begin(&mut self) {
        self.load = Load::Loading;
        self.stream_start = 0;
        self.changes_while_loading.clear();
    }

    /// The list arrived.
    pub fn fill(&mut self, list: List<T>) {
        // Rows that did not change keep their place in memory, so that nothing is painted again for them.
        let mut old = std::mem::take(&mut self.rows);
        for row in list.items {
            let key = row.key();
            let kept = old.remove(&key).filter(|old| **old == row);
            self.rows.insert(key, kept.unwrap_or_else(|| Arc::new(row)));
        }
        self.load = Load::Ready;
        self.filled = true;
        self.seq = list.seq;
        for (seq, change) in std::mem::take(&mut self.changes_while_loading) {
            if seq > list.seq {
                self.change(change);
            }
        }
    }

    /// The stream of frames begins after this one. Whoever is on its way has to contain it.
    pub fn follow_from(&mut self, seq: u64) {
        self.stream_start = seq;
    }

    /// Whether changes fell between the list and the first frame, so that it has to be loaded again.
    #[must_use]
    pub fn has_gap(&self) -> bool {
        self.load == Load::Ready && self.seq < self.stream_start
    }

    /// Adds rows of an older page of a list that is read in pages.
    pub fn extend(&mut self, rows: Vec<T>) {
        for row in rows {
            self.rows.entry(row.key()).or_insert_with(|| Arc::new(row));
        }
    }

    /// The list did not arrive; rows of an earlier one stay.
    pub fn fail(&mut self, failure: Failure) {
        self.load = Load::Failed(failure);
        for (_, change) in std::mem::take(&mut self.changes_while_loading) {
            self.change(change);
        }
    }

    /// Takes in a change of a live frame. Answers whether anything shown is different now.
    pub fn apply(&mut self, seq: u64, change: Change<T>) -> bool {
        match self.load {
            Load::Absent => false,
            Load::Loading => {
                self.changes_while_loading.push((seq, change.clone()));
                self.filled && self.change(change)
            }
            Load::Ready | Load::Failed(_) => self.change(change),
        }
    }

    fn change(&mut self, change: Change<T>) -> bool {
        match change {
            Change::Upsert(row) => {
                let key = row.key();
                if self.rows.get(&key).is_some_and(|old| **old == row) {
                    return false;
                }
                self.rows.insert(key, Arc::new(row));
                true
            }
            Change::Remove(key) => self.rows.remove(&key).is_some(),
            Change::Clear(device) => {
                let before = self.rows.len();
                self.rows.retain(|key, _| T::device_of(key) != Some(device));
                before != self.rows.len()
            }
        }
    }
}

#[cfg(test)]
mod tests;
