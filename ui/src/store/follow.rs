//! What keeps a shelf true: the list that fills it, and the frames that change it.
//!
//! The store knows only the shelves that a page asked for, and each of them only by [`Follow`]: how to read a kind of
//! thing is code that comes with the first page that shows it.

use super::{Shelf, Shelved, Store};
use crate::{
    api::{Call, Failure},
    wire::{self, FromJson, Unreadable},
};
use flotilla_protocol::api::{List, ResourceRef};
use leptos::{prelude::*, task::spawn_local};

/// One kind of thing that the page follows.
pub(super) trait Follow: Send + Sync {
    fn name(&self) -> &'static str;
    /// Takes in what a frame brings. Answers whether anything shown is different now.
    fn upsert(&self, seq: u64, text: &str) -> Result<bool, Unreadable>;
    /// Takes in that something is gone. Answers whether anything shown is different now.
    fn remove(&self, seq: u64, gone: &ResourceRef) -> bool;
    /// Takes in where the stream begins, and loads what fell between.
    fn follow_from(&self, store: Store, seq: u64);
    fn load(&self, store: Store);
    /// Lets the change be seen.
    fn notify(&self);
}

/// A shelf with the call that fills it.
pub(super) struct Followed<T: Shelved> {
    pub shelf: RwSignal<Shelf<T>>,
    pub call: Call,
}

impl<T: Shelved + FromJson> Follow for Followed<T> {
    fn name(&self) -> &'static str {
        T::NAME
    }

    fn upsert(&self, seq: u64, text: &str) -> Result<bool, Unreadable> {
        let change = super::Change::Upsert(T::from_json(text)?);
        let changed = self.shelf.try_update_untracked(|shelf| shelf.apply(seq, change));
        Ok(changed == Some(true))
    }

    fn remove(&self, seq: u64, gone: &ResourceRef) -> bool {
        let Some(change) = T::change_of(gone) else {
            return false;
        };
        let changed = self.shelf.try_update_untracked(|shelf| shelf.apply(seq, change));
        changed == Some(true)
    }

    fn follow_from(&self, store: Store, seq: u64) {
        let gap = self.shelf.try_update_untracked(|shelf| {
            shelf.follow_from(seq);
            shelf.has_gap()
        });
        if gap == Some(true) {
            self.load(store);
        }
    }

    fn load(&self, store: Store) {
        let shelf = self.shelf;
        shelf.update(Shelf::begin);
        let take = move |answer: Result<String, Failure>| {
            match answer.and_then(read) {
                Ok(list) => shelf.update(|shelf| shelf.fill(list)),
                Err(failure) => {
                    store.note(&failure);
                    shelf.update(|shelf| shelf.fail(failure));
                }
            }
            let gap = shelf.with_untracked(Shelf::has_gap);
            if gap {
                shelf.update(Shelf::begin);
            }
            gap
        };
        ask_while(self.call.clone(), Box::new(take));
    }

    fn notify(&self) {
        self.shelf.notify();
    }
}

/// Asks, and asks again for as long as whoever takes the answer says so.
fn ask_while(call: Call, take: Box<dyn Fn(Result<String, Failure>) -> bool>) {
    spawn_local(async move { while take(call.clone().answer().await) {} });
}

pub(super) fn read<T: FromJson>(text: String) -> Result<List<T>, Failure> {
    wire::list(&text).map_err(|_| Failure::Unreadable)
}
