//! Actions that are jobs: each is followed until it is over.

use super::Acting;
use crate::api::{Call, Failure, send};
use flotilla_protocol::{
    api::{CancelJob, GetJob, Job},
    id::JobId,
};
use leptos::{prelude::*, task::spawn_local};
use std::sync::Arc;

/// What happens when a job is over, or when nothing tells any more how it goes.
pub(super) type JobEnd = Arc<dyn Fn(Result<Job, Failure>) + Send + Sync>;

impl Acting {
    /// Calls back when a job is over.
    pub(super) fn follow(self, job: Job, end: JobEnd) {
        self.followed
            .update_value(|followed| _ = followed.insert(job.id, end));
        // The answer may be known before the frame of the job, or after it.
        self.store.jobs.update(|jobs| jobs.add(job));
        untrack(|| self.end_jobs());
    }

    /// Ends the followed jobs that are over. The list of jobs has no outcomes, so each is asked for.
    pub(super) fn end_jobs(self) {
        let is_over = |job: &JobId| {
            self.store
                .jobs
                .with(|jobs| jobs.rows().get(job).is_none_or(|job| job.state.is_over()))
        };
        let over: Vec<_> = self.followed.with_value(|followed| {
            let over = followed.keys().filter(|job| is_over(job));
            over.copied().collect()
        });
        // Followed even while no job is, so that the effect around this runs for the next one.
        self.store.jobs.track();
        for id in over {
            let end = self
                .followed
                .try_update_value(|followed| followed.remove(&id))
                .flatten();
            let known = self
                .store
                .jobs
                .with_untracked(|jobs| jobs.rows().get(&id).map(|job| Job::clone(job)));
            let Some(end) = end else { continue };
            spawn_local(async move {
                match send(&GetJob { job: id.to_string() }).await {
                    // The list was loaded before the job began.
                    Ok(job) if !job.state.is_over() => self.follow(job, end),
                    Ok(job) => end(Ok(job)),
                    Err(failure) => end(known.ok_or(failure)),
                }
            });
        }
    }

    /// Ends a job at the next point at which that is safe.
    pub fn cancel(self, job: JobId) {
        spawn_local(async move {
            if let Err(failure) = send(&CancelJob { job: job.to_string() }).await {
                self.toaster.fail(failure.to_string());
            }
        });
    }
}

pub(super) async fn begin_job(call: Call) -> Result<Job, Failure> {
    call.answer().await?.read()
}
