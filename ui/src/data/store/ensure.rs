//! Loading the store by REST: a collection when a page first needs it, and everything that was loaded after changes may
//! have been missed.

use super::{
    Collection, Keyed, Store,
    listed::{self, ListedCollection, LiveCollection},
};
use crate::{
    clock,
    data::{
        api::{Call, send},
        load::{Load, Progress},
    },
    session::Session,
};
use flotilla_protocol::{
    Code,
    activity::Activity,
    api::{GetCaller, GetFleet, List, ListActivity, Request},
};
use leptos::{prelude::*, task::spawn_local};
use serde::de::DeserializeOwned;
use std::sync::Arc;

impl Store {
    /// Loads what the sidebar, the command palette and the dashboard need: the caller, the fleet, devices, containers
    /// and stacks.
    pub fn start(self) {
        self.load_caller();
        self.load_fleet();
        self.ensure_devices();
        self.ensure_containers();
        self.ensure_stacks();
    }

    /// Loads the next page of the activity log, older than the loaded entries. Does nothing while one is being loaded.
    pub fn load_older_activity(self) {
        let oldest = self
            .activity
            .with_untracked(|log| log.rows().keys().next().copied());
        let is_going = self
            .older_activity
            .with_untracked(|older| older.load().is_going());
        let Some(oldest) = oldest.filter(|_| !is_going) else {
            return;
        };
        let ticket = self.older_activity.write().begin(clock::now());
        spawn_local(async move {
            let page = send(&activity_page(Some(oldest))).await;
            let taken = page.map(|page| self.activity.update(|log| log.extend(&oldest, page.items)));
            self.older_activity.write().take(ticket, taken, clock::now());
        });
    }

    /// Loads again everything that was loaded before.
    pub fn reload(self) {
        self.load_caller();
        self.load_fleet();
        for collection in self.needed.get_value() {
            listed::load(collection);
        }
        for single in self.singles.get_value() {
            (single.reload)(self);
        }
    }

    /// The stream is held, and begins after this frame: loads what is older than that, and what could not be loaded
    /// before.
    pub fn follow_from(self, seq: u64) {
        if self
            .session
            .with_untracked(|session| *session == Session::Opening)
        {
            self.load_caller();
        }
        if self.fleet.with_untracked(Option::is_none) {
            self.load_fleet();
        }
        for collection in self.needed.get_value() {
            if collection.follow_from(seq) {
                listed::load(collection);
            }
        }
    }

    /// Asks who this page's caller is. The answer tells also whether there is a session.
    pub fn load_caller(self) {
        spawn_local(async move {
            match send(&GetCaller).await {
                Ok(caller) => self.set_session(Session::Open(Arc::new(caller))),
                Err(failure) if failure.code() == Some(Code::Unauthenticated) => {
                    self.set_session(Session::Missing);
                }
                Err(_) => {}
            }
        });
    }

    fn set_session(self, session: Session) {
        if self.session.with_untracked(|known| *known != session) {
            self.session.set(session);
        }
    }

    /// Loads the fleet.
    pub fn load_fleet(self) {
        let ticket = self
            .fleet_asked
            .try_update_value(|asked| asked.begin(clock::now()));
        spawn_local(async move {
            let (Some(ticket), Ok(fleet)) = (ticket, send(&GetFleet).await) else {
                return;
            };
            let counts = |asked: &mut Progress| asked.succeed(ticket, clock::now());
            if self.fleet_asked.try_update_value(counts) == Some(true) {
                self.fleet.set(Some(fleet));
            }
        });
    }

    pub(super) fn ensure<T, R>(self, collection: RwSignal<Collection<T>>, request: impl FnOnce() -> R)
    where
        T: Keyed + DeserializeOwned,
        R: Request<Response = List<T>>,
    {
        if collection.with_untracked(|collection| *collection.load() == Load::Absent) {
            let call = Call::of(&request());
            let live: Arc<dyn LiveCollection> = Arc::new(ListedCollection { collection, call });
            self.needed.update_value(|known| known.push(live.clone()));
            listed::load(live);
        }
    }
}

/// The newest entries of the activity log, or the newest of those before one.
#[expect(clippy::cast_possible_truncation, reason = "a page has some hundreds")]
pub(super) fn activity_page(before: Option<i64>) -> ListActivity {
    ListActivity {
        before,
        limit: Activity::PAGE.map(|page| page as u32),
    }
}
