//! What keeps a collection true: the list that fills it, and the frames that change it.
//!
//! The store knows only the collections that a page asked for, and each of them only by [`LiveCollection`]: how to read a kind of
//! thing is code that comes with the first page that shows it.

use super::{Collection, Keyed, Store};
use crate::{
    api::{Call, Failure},
    wire::{self, FromJson, Unreadable},
};
use flotilla_protocol::api::{List, ResourceRef};
use leptos::{prelude::*, task::spawn_local};

/// One kind of thing that the page follows.
pub(super) trait LiveCollection: Send + Sync {
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

/// A collection with the call that fills it.
pub(super) struct ListedCollection<T: Keyed> {
    pub collection: RwSignal<Collection<T>>,
    pub call: Call,
}

impl<T: Keyed + FromJson> LiveCollection for ListedCollection<T> {
    fn name(&self) -> &'static str {
        T::NAME
    }

    fn upsert(&self, seq: u64, text: &str) -> Result<bool, Unreadable> {
        let change = super::Change::Upsert(T::from_json(text)?);
        let changed = self
            .collection
            .try_update_untracked(|collection| collection.apply(seq, change));
        Ok(changed == Some(true))
    }

    fn remove(&self, seq: u64, gone: &ResourceRef) -> bool {
        let Some(change) = T::change_of(gone) else {
            return false;
        };
        let changed = self
            .collection
            .try_update_untracked(|collection| collection.apply(seq, change));
        changed == Some(true)
    }

    fn follow_from(&self, store: Store, seq: u64) {
        let gap = self.collection.try_update_untracked(|collection| {
            collection.follow_from(seq);
            collection.has_gap()
        });
        if gap == Some(true) {
            self.load(store);
        }
    }

    fn load(&self, store: Store) {
        let collection = self.collection;
        collection.update(Collection::begin);
        let take = move |answer: Result<String, Failure>| {
            match answer.and_then(read) {
                Ok(list) => collection.update(|collection| collection.fill(list)),
                Err(failure) => {
                    store.notice_lost_session(&failure);
                    collection.update(|collection| collection.fail(failure));
                }
            }
            let gap = collection.with_untracked(Collection::has_gap);
            if gap {
                collection.update(Collection::begin);
            }
            gap
        };
        ask_while(self.call.clone(), Box::new(take));
    }

    fn notify(&self) {
        self.collection.notify();
    }
}

/// Asks, and asks again for as long as whoever takes the answer says so.
fn ask_while(call: Call, take: Box<dyn Fn(Result<String, Failure>) -> bool>) {
    spawn_local(async move { while take(call.clone().answer().await) {} });
}

pub(super) fn read<T: FromJson>(text: String) -> Result<List<T>, Failure> {
    wire::list(&text).map_err(|_| Failure::Unreadable)
}
