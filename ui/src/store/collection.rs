//! All resources of one kind by their keys: a list loaded by REST and patched by live frames.
//!
//! Life cycle: `Absent` → `Loading` → `Ready` or `Failed`; a reload goes through `Loading` again and keeps the old rows
//! until the new ones are there. Changes that arrive while a list is being loaded are kept, and those with a higher
//! number than the list are applied to it, so that no order of arrival loses a change.

use crate::api::Failure;
use flotilla_protocol::{
    api::{List, ResourceRef},
    id::DeviceId,
};
use std::{collections::BTreeMap, fmt, sync::Arc};

/// A resource that a collection holds.
pub trait Keyed: Clone + PartialEq + fmt::Debug + Send + Sync + 'static {
    type Key: Ord + Clone + fmt::Debug + Send + Sync;
    /// The name of this kind in live frames.
    const NAME: &'static str;
    fn key(&self) -> Self::Key;
    /// The device of a key, if the resource belongs to one.
    fn device_of(key: &Self::Key) -> Option<DeviceId>;
    /// The change of the collection when `gone` was removed, if it concerns this kind.
    fn change_of(gone: &ResourceRef) -> Option<Change<Self>>;
}

/// How far the loading of a collection has come.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Load {
    #[default]
    Absent,
    Loading,
    Ready,
    Failed(Failure),
}

/// A change of a collection.
#[derive(Debug, Clone, PartialEq)]
pub enum Change<T: Keyed> {
    Upsert(T),
    Remove(T::Key),
    /// All resources of a device are gone.
    Clear(DeviceId),
}

/// Resources of one kind, in the order of their keys.
#[derive(Debug, Clone)]
pub struct Collection<T: Keyed> {
    rows: BTreeMap<T::Key, Arc<T>>,
    load: Load,
    /// Rows were loaded at least once.
    filled: bool,
    /// The number of the last frame whose change the loaded list contains.
    seq: u64,
    /// Frames up to this number are not delivered on this connection, so the list has to contain their changes.
    stream_start: u64,
    /// Changes that arrived while the list was being loaded, with the numbers of their frames.
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

    /// Whether rows were loaded at least once. They may be old while a reload is under way or has failed.
    #[must_use]
    pub fn is_filled(&self) -> bool {
        self.filled
    }

    /// A request for the list is sent.
    pub fn begin(&mut self) {
        self.load = Load::Loading;
        self.stream_start = 0;
        self.changes_while_loading.clear();
    }

    /// The list has arrived.
    pub fn fill(&mut self, list: List<T>) {
        // A row that did not change keeps its `Arc`, by which tables know that they need not make it again.
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

    /// Frames begin after this number. A list, loaded or on its way, has to contain the changes up to it; see
    /// [`Self::has_gap`].
    pub fn follow_from(&mut self, seq: u64) {
        self.stream_start = seq;
    }

    /// Whether changes were made after the list and before the first frame, so that the list has to be loaded again.
    #[must_use]
    pub fn has_gap(&self) -> bool {
        self.load == Load::Ready && self.seq < self.stream_start
    }

    /// Adds rows of an older page of a list that is loaded in pages.
    pub fn extend(&mut self, rows: Vec<T>) {
        for row in rows {
            self.rows.entry(row.key()).or_insert_with(|| Arc::new(row));
        }
    }

    /// The list could not be loaded. Rows of an earlier list stay.
    pub fn fail(&mut self, failure: Failure) {
        self.load = Load::Failed(failure);
        for (_, change) in std::mem::take(&mut self.changes_while_loading) {
            self.change(change);
        }
    }

    /// Applies the change of a live frame. Answers whether rows changed.
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
