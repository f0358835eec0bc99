//! Jobs that devices carry out, followed until they are over.
//!
//! Life cycle of a job here: begun at its device under a fresh id, over the link → followed → over: recorded in the
//! activity log, told to the requests that wait → forgotten by the device. It depends on no request and on no link:
//! when a link ends, the device lists its jobs on the next one, also those that an earlier run of control began.

mod activity;
mod follow;
mod progress;

pub(crate) use follow::collect;
pub(crate) use progress::Course;

use crate::{cache::Entry, core::Core};
use flotilla_link::AgentLink;
use flotilla_protocol::{
    Code, Problem,
    id::{DeviceId, JobId},
    job::JobRequest,
};
use progress::News;
use rand::RngCore as _;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::watch;

/// The jobs that are followed. Shared by reference.
#[derive(Debug, Default)]
pub(crate) struct Jobs {
    known: Mutex<BTreeMap<JobId, Followed>>,
    /// Devices that are about to be asked again which jobs they have.
    asked_again: Mutex<BTreeSet<DeviceId>>,
}

#[derive(Debug, Clone)]
struct Followed {
    device: DeviceId,
    request: JobRequest,
    /// What it acts on, as people called it; `None` for the device itself, and for what an earlier control began.
    target: Option<String>,
    /// Begun by this run of control.
    own: bool,
    /// A task follows it over a link.
    attended: bool,
    /// It is over, recorded and told; the device has not been told to forget it.
    over: bool,
    news: watch::Sender<News>,
}

impl Jobs {
    /// A job that goes on and places a container that is called so, if there is one.
    pub(crate) fn lookup(&self, device: DeviceId, container: &str, member: bool) -> Option<Course> {
        let known = self.lock();
        let mut live = known.values().filter(|job| job.device == device && !job.over);
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
        found.map(|job| Course::new(job.news.subscribe()))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<JobId, Followed>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn asked_again(&self) -> MutexGuard<'_, BTreeSet<DeviceId>> {
        self.asked_again.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Begins a job at a device that has a link. `target` is what people call that on which it acts.
pub(crate) fn begin(
    core: &Arc<Core>,
    entry: &Entry,
    link: AgentLink,
    (request, target): (JobRequest, Option<String>),
) -> Course {
    let id = fresh_id(core);
    let (news, course) = watch::channel(News::default());
    let job = Followed {
        device: entry.row.id,
        request,
        target,
        own: true,
        attended: true,
        over: false,
        news,
    };
    core.jobs.lock().insert(id, job);
    core.links.spawn(follow::begin(core.clone(), id, link));
    Course::new(course)
}

fn fresh_id(core: &Core) -> JobId {
    let mut tail = [0; 10];
    core.random().fill_bytes(&mut tail);
    let millis = u64::try_from(core.clock.now().as_millisecond()).unwrap_or(0);
    JobId(uuid::Builder::from_unix_timestamp_millis(millis, &tail).into_uuid())
}

/// What a job comes to that never reached its device.
fn never_begun() -> Problem {
    Problem::new(
        Code::DeviceOffline,
        "The link to the device ended before it had begun. Nothing was changed. Try again.",
    )
}
