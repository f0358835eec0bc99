//! What a job uses while it runs: its record in the journal, its lines for people, and the request to cancel it.

use super::{
    job::Job,
    journal::Journal,
    record::{JobOutcome, JobRecord},
};
use crate::machine::AgentClock;
use flotilla_engine::{Fuse, Ledger, Swap};
use std::{fs, io};
use tokio::task::spawn_blocking;

/// File in the state directory by which tests end the agent between two steps of a job.
const FUSE: &str = "fuse";

pub(super) struct JobContext<'a> {
    journal: &'a Journal,
    job: &'a Job,
    fuse: Fuse,
}

impl<'a> JobContext<'a> {
    pub(super) fn new(journal: &'a Journal, job: &'a Job) -> Self {
        let fuse = journal.state_dir().map(|dir| dir.join(FUSE));
        let fuse = fuse.filter(|_| cfg!(debug_assertions));
        let text = fuse.and_then(|path| fs::read_to_string(path).ok());
        Self {
            journal,
            job,
            fuse: text.map_or_else(Fuse::default, |text| Fuse::of(&text)),
        }
    }

    /// Changes the job's record, on disk first.
    async fn write(&self, change: impl FnOnce(&mut JobRecord)) -> io::Result<()> {
        let mut record = self.job.progress.borrow().record.clone();
        change(&mut record);
        self.write_only(record.clone()).await?;
        self.job.progress.send_modify(|progress| {
            // The job may have been canceled during the write.
            if !record.state.is_over() {
                record.state = progress.record.state;
            }
            progress.record = record;
        });
        Ok(())
    }

    /// Records that the job is over. Where the end can't be written, it is reported all the same: the next agent finds
    /// the job over when it takes it up.
    pub(super) async fn end(mut self, outcome: JobOutcome) {
        let (id, state) = (self.job.progress.borrow().record.id, outcome.state);
        let problem = outcome.problem.as_ref().map(|problem| problem.message.clone());
        tracing::info!(job.id = %id, ?state, problem, "a job is over");
        let mut ended = self.job.progress.borrow().record.clone();
        ended.end(outcome, AgentClock::system());
        if let Err(error) = self.write(|record| record.clone_from(&ended)).await {
            tracing::warn!(job.id = %id, %error, "the end of a job can't be written down");
            self.job.progress.send_modify(|progress| progress.record = ended);
        }
        self.fuse.burn();
    }

    /// Writes on disk that the job is underway, without reporting it: the job may still be refused.
    pub(super) async fn write_underway(&self) -> io::Result<()> {
        let mut record = self.job.progress.borrow().record.clone();
        record.underway = true;
        self.write_only(record).await
    }

    async fn write_only(&self, record: JobRecord) -> io::Result<()> {
        let journal = self.journal.clone();
        let outcome = spawn_blocking(move || journal.write(&record)).await;
        outcome.map_err(io::Error::other)?
    }

    pub(super) fn report_underway(&self) {
        self.job
            .progress
            .send_modify(|progress| progress.record.underway = true);
    }

    pub(super) fn is_underway(&self) -> bool {
        self.job.progress.borrow().record.underway
    }

    /// Sets the name by which people know what the job acts on.
    pub(super) fn set_target(&self, target: &str) {
        let target = Some(target.to_owned());
        self.job
            .progress
            .send_modify(|progress| progress.record.target = target);
    }

    pub(super) fn add_line(&self, line: &str) {
        self.job
            .progress
            .send_if_modified(|progress| progress.add_line(line));
    }
}

impl Ledger for JobContext<'_> {
    async fn keep(&mut self, swap: &Swap) -> io::Result<()> {
        self.write(|record| {
            record.underway = true;
            record.swap = Some(swap.clone());
        })
        .await?;
        self.fuse.burn();
        Ok(())
    }

    fn tell(&mut self, act: &str) {
        self.add_line(act);
    }

    fn is_canceled(&self) -> bool {
        self.job.cancel.is_cancelled()
    }

    fn fuse(&mut self) -> &mut Fuse {
        &mut self.fuse
    }
}
