//! Loading shelves by REST: what a page needs when it needs it, and all that is loaded again after a gap.

use super::{Load, Shelf, Shelved, Store};
use crate::api::{Failure, list, send};
use crate::session::Session;
use crate::wire::FromJson;
use flotilla_protocol::{
    Code,
    api::{
        GetEnrollment, GetFleet, GetPolicy, List, ListActivity, ListContainers, ListDevices, ListImages,
        ListNetworks, ListPaths, ListRelays, ListStacks, ListVolumes, Request,
    },
};
use leptos::{prelude::*, task::spawn_local};

/// How many entries of the activity log are read at once.
const ACTIVITY_PAGE: u32 = 200;

impl Store {
    /// Loads what every page shows: the fleet and its devices.
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

    /// Reads the policy in force.
    ///
    /// # Errors
    /// The controller did not answer it.
    pub async fn load_policy(self) -> Result<(), Failure> {
        let policy = send(&GetPolicy).await.inspect_err(|failure| self.note(failure))?;
        self.take_policy(policy);
        Ok(())
    }

    /// Reads one more page of the activity log, older than what is known.
    pub fn load_older_activity(self) {
        let before = self
            .activity
            .with_untracked(|shelf| shelf.rows().keys().next().copied());
        spawn_local(async move {
            let request = ListActivity {
                before,
                limit: Some(ACTIVITY_PAGE),
            };
            if let Ok(list) = list(&request).await {
                self.activity.update(|shelf| shelf.extend(list.items));
            }
        });
    }

    /// Reads how far a device's newest enrollment has come.
    pub fn load_enrollment(self, device: String) {
        spawn_local(async move {
            if let Ok(enrollment) = send(&GetEnrollment { device }).await {
                self.enrollments.update(|known| {
                    known.insert(enrollment.device_id, enrollment);
                });
            }
        });
    }

    /// Loads everything again that was loaded before.
    pub fn reload(self) {
        self.load_fleet();
        self.again(self.devices, ListDevices);
        self.again(self.containers, ListContainers::default());
        self.again(self.stacks, ListStacks::default());
        self.again(self.images, ListImages::default());
        self.again(self.volumes, ListVolumes::default());
        self.again(self.networks, ListNetworks::default());
        self.again(self.activity, newest_activity());
        self.again(self.paths, ListPaths::default());
        self.again(self.relays, ListRelays);
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

    /// Takes in where the stream of frames begins, while the first lists are on their way or just came.
    pub fn follow_from(self, seq: u64) {
        self.follow(self.devices, seq, ListDevices);
        self.follow(self.containers, seq, ListContainers::default());
        self.follow(self.stacks, seq, ListStacks::default());
        self.follow(self.images, seq, ListImages::default());
        self.follow(self.volumes, seq, ListVolumes::default());
        self.follow(self.networks, seq, ListNetworks::default());
        self.follow(self.activity, seq, newest_activity());
        self.follow(self.paths, seq, ListPaths::default());
        self.follow(self.relays, seq, ListRelays);
    }

    /// Reads the fleet; also how the page learns whether it has a session.
    pub fn load_fleet(self) {
        spawn_local(async move {
            match send(&GetFleet).await {
                Ok(fleet) => {
                    self.fleet.set(Some(fleet));
                    self.session.set(Session::Open);
                }
                Err(failure) => self.note(&failure),
            }
        });
    }

    fn ensure<T, R>(self, shelf: RwSignal<Shelf<T>>, request: impl FnOnce() -> R)
    where
        T: Shelved + FromJson,
        R: Request<Response = List<T>> + 'static,
    {
        if shelf.with_untracked(|shelf| *shelf.load() == Load::Absent) {
            self.load(shelf, request());
        }
    }

    fn again<T, R>(self, shelf: RwSignal<Shelf<T>>, request: R)
    where
        T: Shelved + FromJson,
        R: Request<Response = List<T>> + 'static,
    {
        if shelf.with_untracked(|shelf| *shelf.load() != Load::Absent) {
            self.load(shelf, request);
        }
    }

    fn follow<T, R>(self, shelf: RwSignal<Shelf<T>>, seq: u64, request: R)
    where
        T: Shelved + FromJson,
        R: Request<Response = List<T>> + 'static,
    {
        let gap = shelf.try_update_untracked(|shelf| {
            shelf.follow_from(seq);
            shelf.has_gap()
        });
        if gap == Some(true) {
            self.load(shelf, request);
        }
    }

    fn load<T, R>(self, shelf: RwSignal<Shelf<T>>, request: R)
    where
        T: Shelved + FromJson,
        R: Request<Response = List<T>> + 'static,
    {
        shelf.update(Shelf::begin);
        spawn_local(async move {
            match list(&request).await {
                Ok(list) => {
                    shelf.update(|shelf| shelf.fill(list));
                    if shelf.with_untracked(Shelf::has_gap) {
                        self.load(shelf, request);
                    }
                }
                Err(failure) => {
                    self.note(&failure);
                    shelf.update(|shelf| shelf.fail(failure));
                }
            }
        });
    }

    fn note(self, failure: &Failure) {
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
