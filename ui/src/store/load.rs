//! Loading the store by REST: a collection when a page first needs it, and everything that was loaded after changes may
//! have been missed.

use super::{
    Collection, Keyed, Load, Store,
    live_collection::{self, ListedCollection, LiveCollection},
};
use crate::api::{Call, Failure, send};
use crate::session::Session;
use crate::wire::FromJson;
use flotilla_protocol::{
    Code,
    api::{
        GetEnrollment, GetFleet, GetPolicy, List, ListActivity, ListContainers, ListDevices, ListImages,
        ListJobs, ListNetworks, ListPaths, ListRelays, ListStacks, ListVolumes, Request,
    },
};
use leptos::{prelude::*, task::spawn_local};
use std::sync::Arc;

/// Entries of the activity log per request.
const ACTIVITY_PAGE: u32 = 200;

impl Store {
    /// Loads what the sidebar, the command palette and the dashboard need: the fleet, devices, containers and stacks.
    pub fn start(self) {
        self.load_fleet();
        self.ensure_devices();
        self.ensure_containers();
        self.ensure_stacks();
    }

    pub fn ensure_devices(self) {
        self.ensure(self.devices, || ListDevices);
    }

    pub fn ensure_containers(self) {
        self.ensure(self.containers, ListContainers::default);
    }

    pub fn ensure_stacks(self) {
        self.ensure(self.stacks, ListStacks::default);
    }

    pub fn ensure_images(self) {
        self.ensure(self.images, ListImages::default);
    }

    pub fn ensure_volumes(self) {
        self.ensure(self.volumes, ListVolumes::default);
    }

    pub fn ensure_networks(self) {
        self.ensure(self.networks, ListNetworks::default);
    }

    pub fn ensure_activity(self) {
        self.ensure(self.activity, newest_activity);
    }

    pub fn ensure_paths(self) {
        self.ensure(self.paths, ListPaths::default);
    }

    pub fn ensure_relays(self) {
        self.ensure(self.relays, || ListRelays);
    }

    pub fn ensure_jobs(self) {
        self.ensure(self.jobs, ListJobs::default);
    }

    /// Loads the policy in force.
    ///
    /// # Errors
    /// The controller refused or did not answer.
    pub async fn load_policy(self) -> Result<(), Failure> {
        let policy = send(&GetPolicy)
            .await
            .inspect_err(|failure| self.notice_lost_session(failure))?;
        self.take_policy(policy);
        Ok(())
    }

    /// Loads the next page of the activity log, older than the loaded entries.
    pub fn load_older_activity(self) {
        let before = self
            .activity
            .with_untracked(|collection| collection.rows().keys().next().copied());
        spawn_local(async move {
            let request = ListActivity {
                before,
                limit: Some(ACTIVITY_PAGE),
            };
            if let Ok(list) = Call::of(&request).answer().await.and_then(live_collection::read) {
                self.activity.update(|collection| collection.extend(list.items));
            }
        });
    }

    /// Loads the state of a device's newest enrollment.
    pub fn load_enrollment(self, device: String) {
        spawn_local(async move {
            if let Ok(enrollment) = send(&GetEnrollment { device }).await {
                self.enrollments.update(|known| {
                    known.insert(enrollment.device_id, enrollment);
                });
            }
        });
    }

    /// Loads again everything that was loaded before.
    pub fn reload(self) {
        self.load_fleet();
        for collection in self.collections.get_value() {
            collection.load(self);
        }
        if self.policy.with_untracked(Option::is_some) {
            spawn_local(async move { _ = self.load_policy().await });
        }
        let devices: Vec<_> = self
            .enrollments
            .with_untracked(|known| known.keys().copied().collect());
        for device in devices {
            self.load_enrollment(device.to_string());
        }
    }

    /// Tells all collections after which frame the stream begins; their first lists may be older than that.
    pub fn follow_from(self, seq: u64) {
        for collection in self.collections.get_value() {
            collection.follow_from(self, seq);
        }
    }

    /// Loads the fleet. Its answer also tells whether the page has a session.
    pub fn load_fleet(self) {
        spawn_local(async move {
            match send(&GetFleet).await {
                Ok(fleet) => {
                    self.fleet.set(Some(fleet));
                    self.session.set(Session::Open);
                }
                Err(failure) => self.notice_lost_session(&failure),
            }
        });
    }

    fn ensure<T, R>(self, collection: RwSignal<Collection<T>>, request: impl FnOnce() -> R)
    where
        T: Keyed + FromJson,
        R: Request<Response = List<T>>,
    {
        if collection.with_untracked(|collection| *collection.load() == Load::Absent) {
            let call = Call::of(&request());
            let live: Arc<dyn LiveCollection> = Arc::new(ListedCollection { collection, call });
            self.collections.update_value(|known| known.push(live.clone()));
            live.load(self);
        }
    }

    pub(super) fn notice_lost_session(self, failure: &Failure) {
        if failure.code() == Some(Code::Unauthenticated) {
            self.session.set(Session::Missing);
        }
    }
}

fn newest_activity() -> ListActivity {
    ListActivity {
        before: None,
        limit: Some(ACTIVITY_PAGE),
    }
}
