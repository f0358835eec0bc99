//! All resources of one kind by their keys: a list loaded by REST and patched by live frames.
//!
//! It has no rows before its first list is there, whatever frames said until then: a part of a list must not look like
//! the whole. Changes that arrive while a list is being loaded are kept, and those with a higher number than the list
//! are applied to it, so that no order of arrival loses a change. How far the loading has come is a [`Load`].

use crate::data::{
    api::Failure,
    known::Watched,
    load::{Load, Progress, Ticket},
};
use flotilla_protocol::{
    Timestamp,
    api::{List, ResourceRef},
    id::DeviceId,
};
use std::{collections::BTreeMap, fmt, sync::Arc};

/// A resource that a collection holds.
pub trait Keyed: Clone + PartialEq + fmt::Debug + Send + Sync + 'static {
    type Key: Ord + Clone + fmt::Debug + Send + Sync;
    /// The name of this kind in live frames.
    const NAME: &'static str;
    /// How many of the newest resources a list has at most, if it does not have all of them. Their keys grow with time.
    const PAGE: Option<usize> = None;
    /// How many rows are kept, the newest ones, of a kind whose rows frames only add. Their keys grow with time.
    const KEPT: usize = usize::MAX;
    fn key(&self) -> Self::Key;
    /// The device of a key, if the resource belongs to one.
    fn device_of(key: &Self::Key) -> Option<DeviceId>;
    /// The change of the collection when `gone` was removed, if it concerns this kind.
    fn change_of(gone: &ResourceRef) -> Option<Change<Self>>;
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
    progress: Progress,
    /// The number of the last frame whose change the loaded list contains.
    seq: u64,
    /// Frames up to this number are not delivered on this connection, so the list has to contain their changes.
    stream_start: u64,
    /// Changes that arrived while the list was being loaded, with the numbers of their frames. The limit of time of the
    /// call is what bounds them.
    changes_while_loading: Vec<(u64, Change<T>)>,
    /// The rows are all that there are, down to the oldest one.
    at_end: bool,
}

impl<T: Keyed> Default for Collection<T> {
    fn default() -> Self {
        Self {
            rows: BTreeMap::new(),
            progress: Progress::default(),
            seq: 0,
            stream_start: 0,
            changes_while_loading: Vec::new(),
            at_end: false,
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
        self.progress.load()
    }

    /// Whether rows were loaded at least once. They may be old while a reload is under way or has failed.
    #[must_use]
    pub fn is_filled(&self) -> bool {
        self.load().is_ready()
    }

    /// Whether there are rows older than the oldest one here, of a kind that is loaded in pages.
    #[must_use]
    pub fn has_older(&self) -> bool {
        self.is_filled() && !self.at_end
    }

    /// A request for the list is sent. An answer to an earlier one is dropped when it comes.
    pub fn begin(&mut self, now: Timestamp) -> Ticket {
        self.stream_start = 0;
        self.changes_while_loading.clear();
        self.progress.begin(now)
    }

    /// The list has arrived, or could not be loaded; then rows of an earlier list stay.
    pub fn take(&mut self, ticket: Ticket, answer: Result<List<T>, Failure>, now: Timestamp) {
        match answer {
            Ok(list) => {
                if self.progress.succeed(ticket, now) {
                    self.fill(list);
                }
            }
            Err(failure) => {
                if self.progress.fail(ticket, failure) {
                    self.changes_while_loading.clear();
                }
            }
        }
    }

    fn fill(&mut self, list: List<T>) {
        let mut old = std::mem::take(&mut self.rows);
        let oldest = list.items.iter().map(Keyed::key).min();
        let has_all = T::PAGE.is_none_or(|page| list.items.len() < page);
        // Rows of older pages stay where no row can be missing above them.
        let older = oldest.filter(|oldest| !has_all && old.contains_key(oldest));
        self.at_end = has_all || older.is_some() && self.at_end;
        for row in list.items {
            let key = row.key();
            // A row that did not change keeps its `Arc`, by which tables know that they need not make it again.
            let kept = old.remove(&key).filter(|old| **old == row);
            self.rows.insert(key, kept.unwrap_or_else(|| Arc::new(row)));
        }
        if let Some(oldest) = older {
            self.rows
                .extend(old.into_iter().take_while(|(key, _)| *key < oldest));
        }
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
        self.is_filled() && !self.load().is_going() && self.seq < self.stream_start
    }

    /// Adds the page of rows that are older than `oldest`, if that still is the oldest row here.
    pub fn extend(&mut self, oldest: &T::Key, rows: Vec<T>) {
        if self.rows.keys().next() == Some(oldest) {
            self.at_end = T::PAGE.is_none_or(|page| rows.len() < page);
            self.rows
                .extend(rows.into_iter().map(|row| (row.key(), Arc::new(row))));
        }
    }

    /// Adds the row that a call was answered with, unless a frame has told of it already.
    pub fn add(&mut self, row: T) {
        self.rows.entry(row.key()).or_insert_with(|| Arc::new(row));
    }

    /// Applies the change of a live frame. Answers whether rows changed.
    pub fn apply(&mut self, seq: u64, change: Change<T>) -> bool {
        if self.load().is_going() {
            self.changes_while_loading.push((seq, change.clone()));
        }
        self.is_filled() && self.change(change)
    }

    fn change(&mut self, change: Change<T>) -> bool {
        match change {
            Change::Upsert(row) => {
                let key = row.key();
                if self.rows.get(&key).is_some_and(|old| **old == row) {
                    return false;
                }
                self.rows.insert(key, Arc::new(row));
                if self.rows.len() > T::KEPT {
                    self.rows.pop_first();
                    self.at_end = false;
                }
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

impl<T: Keyed> Watched for Collection<T> {
    fn load(&self) -> &Load {
        self.progress.load()
    }
}

#[cfg(test)]
mod tests;
