//! The progress of a job, and the handle by which requests wait for it.

use flotilla_protocol::{Code, Problem};
use std::time::Duration;
use tokio::{sync::watch, time::timeout};

/// How far a job has come.
#[derive(Debug, Default, Clone)]
pub(super) struct JobProgress {
    /// The device has saved the job: it will finish or undo it, also when the agent or the link ends.
    pub(super) underway: bool,
    /// The device's last line about what it does.
    pub(super) line: Option<String>,
    pub(super) outcome: Option<Result<(), Problem>>,
}

/// Lets a request wait for a job. Dropping it does not end the job.
#[derive(Debug)]
pub(crate) struct JobHandle(watch::Receiver<JobProgress>);

impl JobHandle {
    pub(super) fn new(progress: watch::Receiver<JobProgress>) -> Self {
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
