//! The course of a job, as the request that began it can wait for it.

use flotilla_protocol::{Code, Problem};
use std::time::Duration;
use tokio::{sync::watch, time::timeout};

/// What is known of a job.
#[derive(Debug, Default, Clone)]
pub(super) struct JobProgress {
    /// The device has written it down: it will be finished or undone, also if agent or link end.
    pub(super) underway: bool,
    /// What it is doing.
    pub(super) line: Option<String>,
    pub(super) outcome: Option<Result<(), Problem>>,
}

/// Dropping it changes nothing of the job.
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

    /// The same until it goes on by itself.
    ///
    /// # Errors
    /// Why it was not begun.
    pub(crate) async fn underway(&mut self, limit: Duration) -> Result<Option<()>, Problem> {
        self.until(limit, |progress| progress.underway || progress.outcome.is_some())
            .await
    }

    /// What the device said last.
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
            // The sender lives in the table of jobs until an outcome was sent, or control stops.
            Ok(Err(_)) => Err(Problem::new(
                Code::Unavailable,
                "Flotilla is stopping. The device goes on; look again.",
            )),
            Err(_) => Ok(None),
        }
    }
}
