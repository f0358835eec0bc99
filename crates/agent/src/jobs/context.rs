//! What a job uses while it runs: its record in the journal, its lines for people, and the request to cancel it.

use super::{
    Job,
    entry::{Entry, Outcome},
    journal::Journal,
};
use crate::clock::AgentClock;
use flotilla_engine::{Fuse, Ledger, Swap};
use std::{fs, io};
use tokio::task::spawn_blocking;

/// File in the state directory by which tests end the agent between two steps of a job.
const FUSE: &str = "fuse";

pub(super) struct Desk<'a> {
    journal: &'a Journal,
    job: &'a Job,
    fuse: Fuse,
}

impl<'a> Desk<'a> {
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
    async fn write(&self, change: impl FnOnce(&mut Entry)) -> io::Result<()> {
        let mut entry = self.job.told.borrow().entry.clone();
        change(&mut entry);
        self.write_only(entry.clone()).await?;
        self.job.told.send_modify(|told| {
            // The job may have been canceled during the write.
            if !entry.state.is_over() {
                entry.state = told.entry.state;
            }
            told.entry = entry;
        });
        Ok(())
    }

    /// Records that the job is over. Where the end can't be written, it is reported all the same: the next agent finds
    /// the job over when it takes it up.
    pub(super) async fn end(mut self, outcome: Outcome) {
        let (id, state) = (self.job.told.borrow().entry.id, outcome.state);
        let problem = outcome.problem.as_ref().map(|problem| problem.message.clone());
        tracing::info!(job.id = %id, ?state, problem, "a job is over");
        let mut ended = self.job.told.borrow().entry.clone();
        ended.end(outcome, AgentClock::system());
        if let Err(error) = self.write(|entry| entry.clone_from(&ended)).await {
            tracing::warn!(job.id = %id, %error, "the end of a job can't be written down");
            self.job.told.send_modify(|told| told.entry = ended);
        }
        self.fuse.burn();
    }

    /// Writes on disk that the job is underway, without reporting it: the job may still be refused.
    pub(super) async fn write_underway(&self) -> io::Result<()> {
        let mut entry = self.job.told.borrow().entry.clone();
        entry.underway = true;
        self.write_only(entry).await
    }

    async fn write_only(&self, entry: Entry) -> io::Result<()> {
        let journal = self.journal.clone();
        let outcome = spawn_blocking(move || journal.write(&entry)).await;
        outcome.map_err(io::Error::other)?
    }

    pub(super) fn tell_underway(&self) {
        self.job.told.send_modify(|told| told.entry.underway = true);
    }

    pub(super) fn is_underway(&self) -> bool {
        self.job.told.borrow().entry.underway
    }

    /// Sets the name by which people know what the job acts on.
    pub(super) fn name(&self, target: &str) {
        let target = Some(target.to_owned());
        self.job.told.send_modify(|told| told.entry.target = target);
    }

    pub(super) fn say(&self, line: &str) {
        self.job.told.send_if_modified(|told| told.say(line));
    }
}

impl Ledger for Desk<'_> {
    async fn keep(&mut self, swap: &Swap) -> io::Result<()> {
        self.write(|entry| {
            entry.underway = true;
            entry.swap = Some(swap.clone());
        })
        .await?;
        self.fuse.burn();
        Ok(())
    }

    fn tell(&mut self, act: &str) {
        self.say(act);
    }

    fn is_canceled(&self) -> bool {
        self.job.cancel.is_cancelled()
    }

    fn fuse(&mut self) -> &mut Fuse {
        &mut self.fuse
    }
}
