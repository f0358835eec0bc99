//! Acts that take long or take things apart, carried out independently of the link over which they were asked for.
//!
//! Life cycle of a job: started over the link → checked → written to the journal, before anything is taken apart →
//! carried out → over, and kept until control says that it knows. An agent that starts takes up what its journal says
//! is underway: it is finished or undone.
//!
//! - `entry`: a job as it is known, and told. `journal`: on disk.
//! - `desk`: what a job writes and tells while it is carried out. `placement`, `moving`: the kinds of jobs.

mod desk;
mod entry;
mod journal;
mod moving;
mod placement;

use crate::clock::AgentClock;
use desk::Desk;
use entry::{Entry, Outcome, Told};
use flotilla_engine::{Engine, in_container};
use flotilla_protocol::{
    Code, Problem,
    id::JobId,
    job::{FollowJob, JobReport, JobRequest, LONGEST_WAIT_SECONDS},
};
use journal::Journal;
use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{sync::watch, time::timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

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
    known: Mutex<BTreeMap<JobId, Job>>,
    tracker: TaskTracker,
    /// Held while a move of the agent's container is waited for: two waits would read the same mover.
    moving: tokio::sync::Mutex<()>,
}

#[derive(Debug, Clone)]
struct Job {
    told: watch::Sender<Told>,
    cancel: CancellationToken,
}

impl Job {
    fn of(entry: Entry) -> Self {
        Self {
            told: watch::Sender::new(Told::of(entry)),
            cancel: CancellationToken::new(),
        }
    }

    fn is_over(&self) -> bool {
        self.told.borrow().entry.state.is_over()
    }
}

impl Jobs {
    /// Opens the jobs that are written down in an agent's state directory.
    pub(crate) fn open(state_dir: &Path, engine: Engine) -> Self {
        let journal = Journal::new(state_dir);
        let entries = journal.load().into_iter();
        let known = entries.map(|entry| (entry.id, Job::of(entry))).collect();
        Self(Arc::new(Inner {
            engine,
            journal,
            known: Mutex::new(known),
            tracker: TaskTracker::new(),
            moving: tokio::sync::Mutex::default(),
        }))
    }

    /// Takes up the jobs that the agent's last end interrupted. Call it once.
    pub(crate) fn resume(&self) {
        let known = self.known().clone();
        let mut is_moving = false;
        for (id, job) in known.iter().filter(|(_, job)| !job.is_over()) {
            tracing::warn!(job.id = %id, "a job was cut off; it is finished or undone");
            is_moving |= matches!(job.told.borrow().entry.request, JobRequest::ModeChange { .. });
            job.told.send_modify(Told::handle_interruption);
            self.spawn(job.clone());
        }
        if !is_moving && in_container() {
            // A mover that recreated the whole pod was not started by a job, and has to be removed all the same.
            let jobs = self.clone();
            self.0.tracker.spawn(async move {
                let _moving = jobs.0.moving.lock().await;
                timeout(LAST_MOVE, jobs.0.engine.outlive_mover()).await.ok();
            });
        }
    }

    /// Starts a job. A repeated start with the same id and request starts nothing new.
    ///
    /// # Errors
    /// The id is another job's, or a job is running that this one would get in the way of.
    pub(crate) fn start(&self, id: JobId, request: JobRequest) -> Result<JobReport, Problem> {
        let mut known = self.known();
        if let Some(job) = known.get(&id) {
            let told = job.told.borrow();
            if told.entry.request == request {
                return Ok(told.report(0));
            }
            return Err(Problem::new(
                Code::Conflict,
                format!("There is a job {id} already, which is another one."),
            ));
        }
        if !request.is_known() {
            return Err(Problem::new(
                Code::InvalidInput,
                "This agent knows no job of this kind; a newer one may.",
            ));
        }
        may_begin(&known, &request)?;
        let job = Job::of(Entry::new(id, request, AgentClock::system()));
        let report = job.told.borrow().report(0);
        known.insert(id, job.clone());
        self.spawn(job);
        Ok(report)
    }

    /// All known jobs, the oldest first, without their lines.
    pub(crate) fn list(&self) -> Vec<JobReport> {
        let known = self.known();
        let reports = known.values().map(|job| job.told.borrow().report(u32::MAX));
        reports.collect()
    }

    /// Waits for news of a job, then reports it.
    ///
    /// # Errors
    /// There is no such job.
    pub(crate) async fn follow(&self, id: JobId, follow: FollowJob) -> Result<JobReport, Problem> {
        let mut news = self.get(id)?.told.subscribe();
        let wait = Duration::from_secs(follow.wait_seconds.min(LONGEST_WAIT_SECONDS).into());
        let has_news = |told: &Told| told.has_news(follow.from) || told.entry.state.is_over();
        timeout(wait, news.wait_for(has_news)).await.ok();
        let report = news.borrow().report(follow.from);
        Ok(report)
    }

    /// Asks a job to end where that is safe; a job that is over is forgotten.
    ///
    /// # Errors
    /// There is no such job.
    pub(crate) fn end(&self, id: JobId) -> Result<JobReport, Problem> {
        let job = self.get(id)?;
        if job.is_over() {
            self.forget(id);
        } else if matches!(job.told.borrow().entry.request, JobRequest::Placement { .. }) {
            job.cancel.cancel();
            job.told.send_if_modified(Told::handle_cancel);
        }
        let report = job.told.borrow().report(0);
        Ok(report)
    }

    /// Why a container must not be acted on, if a job holds it.
    pub(crate) fn holder(&self, container: &str) -> Option<Problem> {
        let known = self.known();
        let mut live = known.values().filter(|job| !job.is_over());
        live.find_map(|job| job.told.borrow().entry.holds(container))
    }

    /// Waits until no container is being recreated.
    pub(crate) async fn settle(&self) {
        loop {
            let known = self.known().clone();
            let mut live = known.values().filter(|job| !job.is_over());
            let placing =
                live.find(|job| matches!(job.told.borrow().entry.request, JobRequest::Placement { .. }));
            let Some(job) = placing else { return };
            let mut news = job.told.subscribe();
            news.wait_for(|told| told.entry.state.is_over()).await.ok();
        }
    }

    fn spawn(&self, job: Job) {
        let jobs = self.clone();
        self.0.tracker.spawn(async move { jobs.carry(job).await });
    }

    async fn carry(&self, job: Job) {
        let entry = job.told.borrow().entry.clone();
        let mut desk = Desk::new(&self.0.journal, &job);
        let outcome = match &entry.request {
            JobRequest::Placement { container, member } => {
                placement::carry(&self.0.engine, &entry, (container, *member), &mut desk).await
            }
            JobRequest::ModeChange { mode } => {
                let _moving = self.0.moving.lock().await;
                moving::carry(&self.0.engine, &entry, *mode, &mut desk).await
            }
            JobRequest::Unknown => Outcome::failed(Problem::new(Code::InvalidInput, "There is no such job.")),
        };
        desk.end(outcome).await;
        self.forget_oldest();
    }

    fn forget_oldest(&self) {
        let mut over: Vec<_> = {
            let known = self.known();
            let over = known.iter().filter(|(_, job)| job.is_over());
            over.map(|(id, job)| (job.told.borrow().entry.ended, *id))
                .collect()
        };
        over.sort_unstable();
        let too_many = over.len().saturating_sub(KEPT);
        over.into_iter()
            .take(too_many)
            .for_each(|(_, id)| self.forget(id));
    }

    fn forget(&self, id: JobId) {
        self.known().remove(&id);
        self.0.journal.remove(id);
    }

    fn get(&self, id: JobId) -> Result<Job, Problem> {
        let job = self.known().get(&id).cloned();
        job.ok_or_else(|| Problem::new(Code::NotFound, format!("This agent has no job {id}.")))
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<JobId, Job>> {
        self.0.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a job may start beside those that run: two jobs never take the same thing apart.
fn may_begin(known: &BTreeMap<JobId, Job>, request: &JobRequest) -> Result<(), Problem> {
    let live: Vec<_> = known.values().filter(|job| !job.is_over()).collect();
    if live.len() >= AT_ONCE {
        return Err(Problem::new(
            Code::RateLimited,
            format!("{AT_ONCE} jobs go on at this device already. Wait for one of them."),
        ));
    }
    for job in live {
        let entry = &job.told.borrow().entry;
        let in_the_way = match (request, &entry.request) {
            // A second move waits for the lock: of the first, often only the proof that the new agent works is left.
            (JobRequest::ModeChange { .. }, JobRequest::ModeChange { .. }) => None,
            (JobRequest::ModeChange { .. }, _) | (_, JobRequest::ModeChange { .. }) => {
                Some(entry.says_busy())
            }
            (JobRequest::Placement { container, .. }, _) => entry.holds(container),
            (JobRequest::Unknown, _) => None,
        };
        in_the_way.map_or(Ok(()), Err)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
