//! Jobs that devices carry out, followed until they are over.
//!
//! Life cycle of a job here: begun at its device under a new id, over the link → followed → over: recorded in the
//! activity log, answered to the requests that wait → forgotten by the device. It depends on no request and on no link:
//! when a link ends, the device lists its jobs on the next one, also those that an earlier run of control began.

mod activity;
mod follow;
pub(crate) mod kinds;

pub(crate) use follow::collect;

use crate::{
    cache::{DeviceEntry, FollowedJob, JobHandle, JobProgress},
    core::Core,
};
use flotilla_link::AgentLink;
use flotilla_protocol::{Code, Problem, activity::Actor, id::JobId, job::JobRequest};
use rand::RngCore as _;
use std::sync::Arc;
use tokio::sync::watch;

/// Begins a job at a device that has a link. `target` is the name of what it acts on.
pub(crate) fn begin(
    core: &Arc<Core>,
    (entry, link): (&DeviceEntry, AgentLink),
    actor: Actor,
    (request, target): (JobRequest, Option<String>),
) -> JobHandle {
    let id = fresh_id(core);
    let (progress, handle) = watch::channel(JobProgress::default());
    let job = FollowedJob {
        device: entry.row.id,
        request,
        target,
        actor: Some(actor),
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
