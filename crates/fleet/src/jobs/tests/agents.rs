//! Agents of the simulation: each has a memory that ends with it, a journal that does not, and counts what it did.

use super::*;
use flotilla_protocol::job::JobState;
use rand::{Rng, rngs::StdRng};

/// Jobs that an agent takes at once.
const MOST: usize = 8;

#[derive(Debug, Clone)]
struct AgentJob {
    request: JobRequest,
    state: JobState,
    /// Steps until it is over.
    left: u32,
    underway: bool,
    interrupted: bool,
    lines: u32,
}

#[derive(Debug, Default)]
pub(super) struct Agent {
    memory: BTreeMap<JobId, AgentJob>,
    journal: BTreeMap<JobId, AgentJob>,
    /// How often each act was done.
    pub(super) effects: BTreeMap<JobId, u32>,
    /// Jobs that were refused, each with the one that acts on the same thing.
    pub(super) conflicts: Vec<(JobId, JobId)>,
    /// The most short acts that went on at once.
    pub(super) busiest: usize,
}

impl Agent {
    pub(super) fn is_empty(&self) -> bool {
        self.memory.is_empty() && self.journal.is_empty()
    }

    pub(super) fn answer(
        &mut self,
        id: JobId,
        call: &Call,
        random: &mut StdRng,
    ) -> Result<JobReport, CallFailure> {
        match call {
            Call::Begin(request) => self.begin(id, request, random)?,
            Call::Follow { .. } => {}
            Call::Cancel => {
                if let Some(job) = self.memory.get_mut(&id)
                    && matches!(job.request, JobRequest::Placement { .. })
                    && job.state == JobState::Running
                {
                    job.state = JobState::Canceling;
                }
            }
            Call::Forget => {
                let report = self.report(id);
                if report.as_ref().is_ok_and(|report| report.state.is_over()) {
                    self.memory.remove(&id);
                    self.journal.remove(&id);
                }
                return report;
            }
        }
        self.report(id)
    }

    fn begin(&mut self, id: JobId, request: &JobRequest, random: &mut StdRng) -> Result<(), CallFailure> {
        if let Some(job) = self.memory.get(&id) {
            assert_eq!(&job.request, request, "an id names one act for ever");
            return Ok(());
        }
        let running: Vec<_> = self
            .memory
            .iter()
            .filter(|(_, job)| !job.state.is_over())
            .collect();
        if running.len() >= MOST {
            return Err(refused(Code::RateLimited));
        }
        let mut others = running.iter().filter(|(_, job)| collide(&job.request, request));
        if let Some((other, _)) = others.next() {
            self.conflicts.push((id, **other));
            return Err(refused(Code::Conflict));
        }
        let job = AgentJob {
            request: request.clone(),
            state: JobState::Running,
            left: random.random_range(1..6),
            underway: false,
            interrupted: false,
            lines: 0,
        };
        self.memory.insert(id, job);
        let actions = self
            .memory
            .values()
            .filter(|job| !job.state.is_over() && matches!(job.request, JobRequest::Action { .. }));
        self.busiest = self.busiest.max(actions.count());
        Ok(())
    }

    /// Goes one step on with one of its jobs.
    pub(super) fn step(&mut self, random: &mut StdRng) {
        let running = self.memory.iter().filter(|(_, job)| !job.state.is_over());
        let ids: Vec<_> = running.map(|(id, _)| *id).collect();
        if ids.is_empty() {
            return;
        }
        let id = ids[random.random_range(0..ids.len())];
        let Some(job) = self.memory.get_mut(&id) else {
            return;
        };
        job.lines += 1;
        job.left -= 1;
        if job.left > 0 {
            // Written down before anything is taken apart.
            job.underway = true;
            self.journal.insert(id, job.clone());
            return;
        }
        job.state = match job.state {
            JobState::Canceling => JobState::Canceled,
            _ if random.random_bool(0.7) => JobState::Done,
            _ if job.underway => JobState::Undone,
            _ => JobState::Failed,
        };
        if job.state == JobState::Done {
            *self.effects.entry(id).or_default() += 1;
        }
        self.journal.insert(id, job.clone());
    }

    /// Ends and starts again: what it had not written down is gone, and what it had is finished or undone.
    pub(super) fn restart(&mut self) {
        self.memory = self.journal.clone();
        for job in self.memory.values_mut().filter(|job| !job.state.is_over()) {
            job.interrupted = true;
        }
    }

    pub(super) fn list(&self) -> Vec<JobReport> {
        self.memory
            .keys()
            .filter_map(|id| self.report(*id).ok())
            .collect()
    }

    fn report(&self, id: JobId) -> Result<JobReport, CallFailure> {
        let job = self.memory.get(&id).ok_or_else(|| refused(Code::NotFound))?;
        let is_bad = job.state.is_over() && job.state != JobState::Done;
        Ok(JobReport {
            id,
            request: job.request.clone(),
            state: job.state,
            target: Some("web".into()),
            underway: job.underway,
            interrupted: job.interrupted,
            began: clock(0),
            ended: None,
            container: None,
            problem: is_bad.then(|| Code::EngineRefused.because("the engine refused")),
            lines: vec![format!("line {}", job.lines)],
            next_line: job.lines,
        })
    }
}

fn refused(code: Code) -> CallFailure {
    CallFailure::Refused(code.because("the agent refuses"))
}

fn collide(one: &JobRequest, other: &JobRequest) -> bool {
    let container = |request: &JobRequest| match request {
        JobRequest::Placement { container, .. }
        | JobRequest::Recreation { container }
        | JobRequest::Removal { container, .. }
        | JobRequest::Action { container, .. } => Some(container.clone()),
        JobRequest::ModeChange { .. } | JobRequest::Unknown => None,
    };
    match (container(one), container(other)) {
        (Some(one), Some(other)) => one == other,
        _ => true,
    }
}
