//! The jobs that are followed at devices, their progress, and the handle by which requests wait for one.

use flotilla_protocol::{
    Code, Problem,
    activity::Actor,
    id::{DeviceId, JobId},
    job::JobRequest,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{sync::watch, time::timeout};

/// The jobs that are followed. Shared by reference.
#[derive(Debug, Default)]
pub(crate) struct Jobs {
    followed: Mutex<BTreeMap<JobId, FollowedJob>>,
    /// Devices that will be asked again for their jobs, after a link ended.
    asked_again: Mutex<BTreeSet<DeviceId>>,
}

#[derive(Debug, Clone)]
pub(crate) struct FollowedJob {
    pub(crate) device: DeviceId,
    pub(crate) request: JobRequest,
    /// The name of what it acts on; `None` for the device itself, and for a job that an earlier run of control began.
    pub(crate) target: Option<String>,
    /// Who began it; `None` for a job that an earlier run of control began.
    pub(crate) actor: Option<Actor>,
    /// A task follows it over a link.
    pub(crate) is_followed: bool,
    /// It is over, recorded and answered; the device has not confirmed to forget it.
    pub(crate) is_over: bool,
    pub(crate) progress: watch::Sender<JobProgress>,
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

    pub(crate) fn lock(&self) -> MutexGuard<'_, BTreeMap<JobId, FollowedJob>> {
        self.followed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn asked_again(&self) -> MutexGuard<'_, BTreeSet<DeviceId>> {
        self.asked_again.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How far a job has come.
#[derive(Debug, Default, Clone)]
pub(crate) struct JobProgress {
    /// The device has saved the job: it will finish or undo it, also when the agent or the link ends.
    pub(crate) underway: bool,
    /// The device's last line about what it does.
    pub(crate) line: Option<String>,
    pub(crate) outcome: Option<Result<(), Problem>>,
}

/// Lets a request wait for a job. Dropping it does not end the job.
#[derive(Debug)]
pub(crate) struct JobHandle(watch::Receiver<JobProgress>);

impl JobHandle {
    pub(crate) fn new(progress: watch::Receiver<JobProgress>) -> Self {
        Self(progress)
    }

    /// Waits until the job is over; `None` when it takes longer.
    ///
    /// # Errors
    /// Why it was not done.
    pub(crate) async fn over(&mut self, limit: Duration) -> Result<Option<()>, Problem> {
        self.until(limit, |progress| progress.outcome.is_some()).await
    }

    /// Waits until the device has saved the job or it is over; `None` when that takes longer.
    ///
    /// # Errors
    /// Why it was not begun.
    pub(crate) async fn underway(&mut self, limit: Duration) -> Result<Option<()>, Problem> {
        self.until(limit, |progress| progress.underway || progress.outcome.is_some())
            .await
    }

    /// The device's last line.
    pub(crate) fn line(&self) -> Option<String> {
        self.0.borrow().line.clone()
    }

    async fn until(
        &mut self,
        limit: Duration,
        is_so: impl FnMut(&JobProgress) -> bool,
    ) -> Result<Option<()>, Problem> {
        match timeout(limit, self.0.wait_for(is_so)).await {
            Ok(Ok(progress)) => progress.outcome.clone().unwrap_or(Ok(())).map(Some),
            // The sender lives in the table of jobs until it has sent an outcome, unless control stops.
            Ok(Err(_)) => Err(Problem::new(
                Code::Unavailable,
                "Flotilla is stopping. The device goes on; look again.",
            )),
            Err(_) => Ok(None),
        }
    }
}
