//! Loading a collection, and applying live frames to it.
//!
//! The store refers to collections only by the trait [`LiveCollection`], and only to those that a page needed. So the
//! code that reads a kind of resource is fetched with the first page that shows that kind.

use super::{Collection, Keyed, Store};
use crate::{
    api::{Call, Failure},
    wire::{self, FromJson, Unreadable},
};
use flotilla_protocol::api::{List, ResourceRef};
use leptos::{prelude::*, task::spawn_local};

/// A collection that live frames change.
pub(super) trait LiveCollection: Send + Sync {
    fn name(&self) -> &'static str;
    /// Applies a new or changed resource of this kind. Answers whether rows changed.
    fn upsert(&self, seq: u64, text: &str) -> Result<bool, Unreadable>;
    /// Applies a removal. Answers whether rows changed.
    fn remove(&self, seq: u64, gone: &ResourceRef) -> bool;
    /// Tells after which frame the stream begins, and loads the list again if it is older than that.
    fn follow_from(&self, store: Store, seq: u64);
    fn load(&self, store: Store);
    /// Notifies the signal of changes made before.
    fn notify(&self);
}

/// A collection with the call that lists its resources.
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

/// Sends the call, and sends it again for as long as `take` answers `true`.
fn ask_while(call: Call, take: Box<dyn Fn(Result<String, Failure>) -> bool>) {
    spawn_local(async move { while take(call.clone().answer().await) {} });
}

pub(super) fn read<T: FromJson>(text: String) -> Result<List<T>, Failure> {
    wire::list(&text).map_err(|_| Failure::Unreadable)
}
