//! Jobs that devices carry out, followed until they are over.
//!
//! Life cycle of a job here: begun at its device under a new id, over the link → followed → over: recorded in the
//! activity log, answered to the requests that wait → forgotten by the device. It depends on no request and on no link:
//! when a link ends, the device lists its jobs on the next one, also those that an earlier run of control began.

mod activity;
mod follow;
pub(crate) mod kinds;
mod progress;

pub(crate) use follow::collect;
pub(crate) use progress::JobHandle;

use crate::{cache::DeviceEntry, core::Core};
use flotilla_link::AgentLink;
use flotilla_protocol::{
    Code, Problem,
    id::{DeviceId, JobId},
    job::JobRequest,
};
use progress::JobProgress;
use rand::RngCore as _;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::watch;

/// The jobs that are followed. Shared by reference.
#[derive(Debug, Default)]
pub(crate) struct Jobs {
    followed: Mutex<BTreeMap<JobId, FollowedJob>>,
    /// Devices that will be asked again for their jobs, after a link ended.
    asked_again: Mutex<BTreeSet<DeviceId>>,
}

#[derive(Debug, Clone)]
struct FollowedJob {
    device: DeviceId,
    request: JobRequest,
    /// The name of what it acts on; `None` for the device itself, and for a job that an earlier run of control began.
    target: Option<String>,
    /// Begun by this run of control.
    begun_here: bool,
    /// A task follows it over a link.
    is_followed: bool,
    /// It is over, recorded and answered; the device has not confirmed to forget it.
    is_over: bool,
    progress: watch::Sender<JobProgress>,
}

impl Jobs {
    /// A running job that places the container with this name or id in or out of the pod.
    pub(crate) fn lookup(&self, device: DeviceId, container: &str, member: bool) -> Option<JobHandle> {
        let followed = self.lock();
        let mut live = followed
            .values()
            .filter(|job| job.device == device && !job.is_over);
        let found = live.find(|job| match &job.request {
            JobRequest::Placement {
                container: id,
                member: placed,
            } => {
                let is_called = id == container || job.target.as_deref() == Some(container);
                is_called && *placed == member
            }
            _ => false,
        });
        found.map(|job| JobHandle::new(job.progress.subscribe()))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<JobId, FollowedJob>> {
        self.followed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn asked_again(&self) -> MutexGuard<'_, BTreeSet<DeviceId>> {
        self.asked_again.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Begins a job at a device that has a link. `target` is the name of what it acts on.
pub(crate) fn begin(
    core: &Arc<Core>,
    entry: &DeviceEntry,
    link: AgentLink,
    (request, target): (JobRequest, Option<String>),
) -> JobHandle {
    let id = fresh_id(core);
    let (progress, handle) = watch::channel(JobProgress::default());
    let job = FollowedJob {
        device: entry.row.id,
        request,
        target,
        begun_here: true,
        is_followed: true,
        is_over: false,
        progress,
    };
    core.jobs.lock().insert(id, job);
    core.tasks.spawn(follow::begin(core.clone(), id, link));
    JobHandle::new(handle)
}

fn fresh_id(core: &Core) -> JobId {
    let mut tail = [0; 10];
    core.random().fill_bytes(&mut tail);
    let millis = u64::try_from(core.clock.now().as_millisecond()).unwrap_or(0);
    JobId(uuid::Builder::from_unix_timestamp_millis(millis, &tail).into_uuid())
}

/// The outcome of a job that never reached its device.
fn never_begun() -> Problem {
    Problem::new(
        Code::DeviceOffline,
        "The link to the device ended before it had begun. Nothing was changed. Try again.",
    )
}
