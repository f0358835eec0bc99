//! Acts that take long or take things apart, carried out independently of the link over which they were asked for.
//!
//! Life cycle of a job: started over the link → checked → written to the journal, before anything is taken apart →
//! carried out → over, and kept until control says that it knows. An agent that starts takes up what its journal says
//! is underway: it is finished or undone.
//!
//! - `record`: a job on disk, and its progress. `journal`: all records on disk. `job`: a job in memory.
//! - `news`: how a job goes, for one reader.
//! - `context`: what a job writes and tells while it is carried out. `action`, `removal`, `exchange`,
//!   `mode_change`: the kinds of jobs.

mod action;
mod context;
mod exchange;
mod job;
mod journal;
mod mode_change;
mod news;
mod record;
mod removal;

use crate::machine::AgentClock;
use context::JobContext;
use flotilla_engine::{Engine, in_container};
use flotilla_protocol::{
    Code, Problem,
    id::JobId,
    job::{EndJob, JobEnd, JobReport, JobRequest},
};
use job::Job;
use journal::Journal;
pub(crate) use news::JobNews;
use parking_lot::Mutex;
use record::{JobOutcome, JobRecord, Progress};
use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

/// How many jobs may run at once. Each recreates a container, which keeps the disk of a small board busy.
const AT_ONCE: usize = 8;

/// How many ended jobs are kept until control lets the agent forget them; of more, the newest.
const KEPT: usize = 64;

/// How long the agent looks after a move that no job waits for.
const LAST_MOVE: Duration = Duration::from_secs(60);

/// All jobs of this agent. Clones are the same jobs.
#[derive(Debug, Clone)]
pub(crate) struct Jobs(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    engine: Engine,
    journal: Journal,
    jobs: Mutex<BTreeMap<JobId, Job>>,
    tracker: TaskTracker,
    /// Held while a move of the agent's container is waited for: two waits would read the same mover.
    move_lock: tokio::sync::Mutex<()>,
}

impl Jobs {
    /// Opens the jobs that are written down in an agent's state directory.
    pub(crate) fn open(state_dir: &Path, engine: Engine) -> Self {
        let journal = Journal::new(state_dir);
        let records = journal.load().into_iter();
        let all = records.map(|record| (record.id, Job::of(record))).collect();
        Self(Arc::new(Inner {
            engine,
            journal,
            jobs: Mutex::new(all),
            tracker: TaskTracker::new(),
            move_lock: tokio::sync::Mutex::default(),
        }))
    }

    /// Takes up the jobs that the agent's last end interrupted. Call it once.
    pub(crate) fn resume(&self) {
        let all = self.0.jobs.lock().clone();
        let mut is_moving = false;
        for (id, job) in all.iter().filter(|(_, job)| !job.is_over()) {
            tracing::warn!(job.id = %id, "a job was cut off; it is finished or undone");
            is_moving |= matches!(
                job.progress.borrow().record.request,
                JobRequest::ModeChange { .. }
            );
            job.progress.send_modify(Progress::handle_interruption);
            self.spawn(job.clone());
        }
        if !is_moving && in_container() {
            // A mover that recreated the whole pod was not started by a job, and has to be removed all the same.
            let jobs = self.clone();
            self.0.tracker.spawn(async move {
                let _moving = jobs.0.move_lock.lock().await;
                timeout(LAST_MOVE, jobs.0.engine.wait_for_mover()).await.ok();
            });
        }
    }

    /// Starts a job. A repeated start with the same id and request starts nothing new.
    ///
    /// # Errors
    /// The id is another job's, or a job is running that this one would get in the way of.
    pub(crate) fn start(&self, id: JobId, request: JobRequest) -> Result<JobReport, Problem> {
        let mut all = self.0.jobs.lock();
        if let Some(job) = all.get(&id) {
            let progress = job.progress.borrow();
            if progress.record.request == request {
                return Ok(progress.report(0));
            }
            return Err(Code::Conflict.because(format!("There is a job {id} already, which is another one.")));
        }
        if !request.is_known() {
            return Err(Code::InvalidInput.because("This agent knows no job of this kind; a newer one may."));
        }
        may_begin(&all, &request)?;
        let job = Job::of(JobRecord::new(id, request, AgentClock::system()));
        let report = job.progress.borrow().report(0);
        all.insert(id, job.clone());
        self.spawn(job);
        Ok(report)
    }

    /// All known jobs, the oldest first, without their lines.
    pub(crate) fn list(&self) -> Vec<JobReport> {
        let all = self.0.jobs.lock();
        let reports = all.values().map(|job| job.progress.borrow().report(u32::MAX));
        reports.collect()
    }

    /// How a job goes, with its lines from this number on.
    ///
    /// # Errors
    /// There is no such job.
    pub(crate) fn news(&self, id: JobId, from: u32) -> Result<JobNews, Problem> {
        Ok(JobNews::new(self.get(id)?.progress.subscribe(), from))
    }

    /// Asks a job to end where that is safe; a job that is over is forgotten.
    ///
    /// # Errors
    /// There is no such job.
    pub(crate) fn end(&self, id: JobId, EndJob { only }: EndJob) -> Result<JobReport, Problem> {
        let job = self.get(id)?;
        let replaces = job
            .progress
            .borrow()
            .record
            .request
            .replaced_container()
            .is_some();
        if job.is_over() {
            if only != Some(JobEnd::Cancel) {
                self.forget(id);
            }
        } else if replaces && only != Some(JobEnd::Forget) {
            job.cancel.cancel();
            job.progress.send_if_modified(Progress::handle_cancel);
        }
        let report = job.progress.borrow().report(0);
        Ok(report)
    }

    /// Why a container must not be acted on, if a job holds it.
    pub(crate) fn holder(&self, container: &str) -> Option<Problem> {
        let all = self.0.jobs.lock();
        let mut live = all.values().filter(|job| !job.is_over());
        live.find_map(|job| job.progress.borrow().record.holds(container))
    }

    /// Waits until no container is being recreated.
    pub(crate) async fn settle(&self) {
        loop {
            let all = self.0.jobs.lock().clone();
            let mut live = all.values().filter(|job| !job.is_over());
            let replacing = live.find(|job| {
                job.progress
                    .borrow()
                    .record
                    .request
                    .replaced_container()
                    .is_some()
            });
            let Some(job) = replacing else { return };
            let mut news = job.progress.subscribe();
            news.wait_for(|progress| progress.record.state.is_over())
                .await
                .ok();
        }
    }

    fn spawn(&self, job: Job) {
        let jobs = self.clone();
        self.0.tracker.spawn(async move { jobs.run(job).await });
    }

    async fn run(&self, job: Job) {
        let record = job.progress.borrow().record.clone();
        let mut context = JobContext::new(&self.0.journal, &job);
        let outcome = match &record.request {
            JobRequest::Placement { .. } | JobRequest::Recreation { .. } => {
                exchange::run(&self.0.engine, &record, &mut context).await
            }
            JobRequest::Action { container, action } => {
                action::run(&self.0.engine, &record, (container, *action), &mut context).await
            }
            JobRequest::Removal { container, volumes } => {
                removal::run(&self.0.engine, &record, (container, *volumes), &mut context).await
            }
            JobRequest::ModeChange { mode } => {
                let _moving = self.0.move_lock.lock().await;
                mode_change::run(&self.0.engine, &record, *mode, &mut context).await
            }
            JobRequest::Unknown => JobOutcome::failed(Code::InvalidInput.because("There is no such job.")),
        };
        context.end(outcome).await;
        self.forget_oldest();
    }

    fn forget_oldest(&self) {
        let mut over: Vec<_> = {
            let all = self.0.jobs.lock();
            let over = all.iter().filter(|(_, job)| job.is_over());
            over.map(|(id, job)| (job.progress.borrow().record.ended, *id))
                .collect()
        };
        over.sort_unstable();
        let too_many = over.len().saturating_sub(KEPT);
        over.into_iter()
            .take(too_many)
            .for_each(|(_, id)| self.forget(id));
    }

    fn forget(&self, id: JobId) {
        self.0.jobs.lock().remove(&id);
        self.0.journal.remove(id);
    }

    fn get(&self, id: JobId) -> Result<Job, Problem> {
        let job = self.0.jobs.lock().get(&id).cloned();
        job.ok_or_else(|| Code::NotFound.because(format!("This agent has no job {id}.")))
    }
}

/// Whether a job may start beside those that run: two jobs never take the same thing apart.
fn may_begin(all: &BTreeMap<JobId, Job>, request: &JobRequest) -> Result<(), Problem> {
    let live: Vec<_> = all.values().filter(|job| !job.is_over()).collect();
    if live.len() >= AT_ONCE {
        return Err(Code::RateLimited.because(format!(
            "{AT_ONCE} jobs go on at this device already. Wait for one of them."
        )));
    }
    for job in live {
        let record = &job.progress.borrow().record;
        let in_the_way = match (request, &record.request) {
            // A second move waits for the lock: of the first, often only the proof that the new agent works is left.
            (JobRequest::ModeChange { .. }, JobRequest::ModeChange { .. }) => None,
            (JobRequest::ModeChange { .. }, _) | (_, JobRequest::ModeChange { .. }) => {
                Some(record.busy_problem())
            }
            (request, _) => request.container().and_then(|container| record.holds(container)),
        };
        in_the_way.map_or(Ok(()), Err)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
