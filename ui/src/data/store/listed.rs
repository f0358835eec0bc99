//! Loading a collection, and applying live frames to it.
//!
//! The store refers to collections only by the trait [`LiveCollection`], and only to those that a page needed. So the
//! code that reads a kind of resource is fetched with the first page that shows that kind.

use super::{Change, Collection, Keyed};
use crate::{
    clock,
    data::{
        api::{Answer, Call, Failure},
        load::Ticket,
    },
};
use flotilla_protocol::api::ResourceRef;
use leptos::{prelude::*, task::spawn_local};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use std::sync::Arc;

/// A collection that live frames change.
pub(super) trait LiveCollection: Send + Sync {
    fn name(&self) -> &'static str;
    /// The call that lists the resources.
    fn call(&self) -> Call;
    fn begin(&self) -> Ticket;
    /// Takes the answer to the call. Returns whether the list has to be loaded again.
    fn take(&self, ticket: Ticket, answer: Result<Answer, Failure>) -> bool;
    /// Applies a new or changed resource of this kind. Answers whether rows changed.
    ///
    /// # Errors
    /// The value is not of this kind.
    fn upsert(&self, seq: u64, value: &RawValue) -> serde_json::Result<bool>;
    /// Applies a removal. Answers whether rows changed.
    fn remove(&self, seq: u64, gone: &ResourceRef) -> bool;
    /// Tells after which frame the stream begins. Answers whether the list has to be loaded for that.
    fn follow_from(&self, seq: u64) -> bool;
    /// Notifies the signal of changes made before.
    fn notify(&self);
}

/// Loads the list, and once more if frames were missed meanwhile.
pub(super) fn load(collection: Arc<dyn LiveCollection>) {
    let mut ticket = collection.begin();
    spawn_local(async move {
        while collection.take(ticket, collection.call().answer().await) {
            ticket = collection.begin();
        }
    });
}

/// A collection with the call that lists its resources.
pub(super) struct ListedCollection<T: Keyed> {
    pub collection: RwSignal<Collection<T>>,
    pub call: Call,
}

impl<T: Keyed> ListedCollection<T> {
    fn apply(&self, seq: u64, change: Change<T>) -> bool {
        let changed = self
            .collection
            .try_update_untracked(|collection| collection.apply(seq, change));
        changed == Some(true)
    }
}

impl<T: Keyed + DeserializeOwned> LiveCollection for ListedCollection<T> {
    fn name(&self) -> &'static str {
        T::NAME
    }

    fn call(&self) -> Call {
        self.call.clone()
    }

    fn begin(&self) -> Ticket {
        let mut collection = self.collection.write();
        collection.begin(clock::now())
    }

    fn take(&self, ticket: Ticket, answer: Result<Answer, Failure>) -> bool {
        let mut collection = self.collection.write();
        collection.take(ticket, answer.and_then(Answer::read), clock::now());
        collection.has_gap()
    }

    fn upsert(&self, seq: u64, value: &RawValue) -> serde_json::Result<bool> {
        Ok(self.apply(seq, Change::Upsert(serde_json::from_str(value.get())?)))
    }

    fn remove(&self, seq: u64, gone: &ResourceRef) -> bool {
        T::change_of(gone).is_some_and(|change| self.apply(seq, change))
    }

    fn follow_from(&self, seq: u64) -> bool {
        let behind = self.collection.try_update_untracked(|collection| {
            collection.follow_from(seq);
            collection.has_gap() || collection.load().failure().is_some()
        });
        behind == Some(true)
    }

    fn notify(&self) {
        self.collection.notify();
    }
}
