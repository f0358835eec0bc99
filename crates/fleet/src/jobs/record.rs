//! A job as it is kept: enough to go on with it after control ended.

use super::work::{Target, Work};
use flotilla_protocol::{
    Code, Problem, Timestamp,
    activity::Actor,
    id::{DeviceId, JobId},
    job::{JobReport, JobState, Lines},
    name::DeviceName,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Lines that are kept of a job: those of an installation that downloads an engine.
pub const LINES: usize = 200;

/// A job and its outcome so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRecord {
    pub id: JobId,
    pub work: Work,
    pub caller: Actor,
    pub state: JobState,
    /// What it is doing, or what it did last.
    pub step: String,
    /// What it did so far, at most [`LINES`] of it.
    pub lines: Lines,
    pub began: Timestamp,
    pub ended: Option<Timestamp>,
    pub problem: Option<Problem>,
    pub acts: Vec<Act>,
}

/// The part of a job that concerns one target. It can't be divided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// The id under which a device is told to begin it. The first act's is the job's own.
    pub id: JobId,
    pub target: Target,
    /// Absent until it is over.
    pub outcome: Option<ActOutcome>,
}

/// How an act ended.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActOutcome {
    pub state: JobState,
    /// Why it is not done.
    pub problem: Option<Problem>,
    /// What it acted on, by the device's word for it.
    pub target: Option<String>,
    /// The container that took the place of the one before.
    pub container: Option<String>,
    /// The device had written it down before it took anything apart.
    #[serde(default)]
    pub underway: bool,
    /// The agent ended meanwhile, and went on with it afterwards.
    #[serde(default)]
    pub interrupted: bool,
    /// The outcome is unknown: the act may go on at the device, which reports it when it comes back.
    #[serde(default)]
    pub lost: bool,
}

impl ActOutcome {
    pub fn done() -> Self {
        Self {
            state: JobState::Done,
            problem: None,
            target: None,
            container: None,
            underway: true,
            interrupted: false,
            lost: false,
        }
    }

    /// An act that changed nothing, or not all; the problem says which.
    pub fn failed(problem: Problem) -> Self {
        Self {
            state: JobState::Failed,
            problem: Some(problem),
            underway: false,
            ..Self::done()
        }
    }

    pub fn canceled(problem: Problem) -> Self {
        Self {
            state: JobState::Canceled,
            ..Self::failed(problem)
        }
    }

    /// Why it is not done.
    pub fn message(&self) -> Option<&str> {
        self.problem.as_ref().map(|problem| problem.message.as_str())
    }

    pub(super) fn lost(problem: Problem) -> Self {
        Self {
            lost: true,
            ..Self::failed(problem)
        }
    }

    /// The outcome that a device reports.
    pub(super) fn reported(report: JobReport) -> Self {
        let silent =
            || Code::Internal.because("The device did not say why it was not done. Update its agent.");
        let problem = match report.state {
            JobState::Done => None,
            _ => Some(report.problem.unwrap_or_else(silent)),
        };
        Self {
            state: report.state,
            problem,
            target: report.target,
            container: report.container,
            underway: report.underway,
            interrupted: report.interrupted,
            lost: false,
        }
    }
}

impl JobRecord {
    /// A job that has not begun. `fresh` makes up ids for its acts.
    pub fn draft(
        id: JobId,
        (work, targets): (Work, Vec<Target>),
        caller: Actor,
        began: Timestamp,
        fresh: impl FnMut() -> JobId,
    ) -> Self {
        let ids = std::iter::once(id).chain(std::iter::repeat_with(fresh));
        let acts = targets.into_iter().zip(ids).map(|(target, id)| Act {
            id,
            target,
            outcome: None,
        });
        Self {
            id,
            caller,
            state: JobState::Waiting,
            step: String::new(),
            lines: Lines::default(),
            began,
            ended: None,
            problem: None,
            acts: acts.collect(),
            work,
        }
    }

    /// One line that says what is to be done.
    pub fn title(&self) -> String {
        let targets: Vec<_> = self.acts.iter().map(|act| &act.target).collect();
        self.work.title(&targets)
    }

    /// The devices that it concerns, with the names that they had when it began.
    pub fn devices(&self) -> BTreeMap<DeviceId, &DeviceName> {
        let targets = self.acts.iter().map(|act| &act.target);
        targets
            .map(|target| (target.device, &target.device_name))
            .collect()
    }

    /// The same job after its device said, against what was recorded, that it has that act. False where the outcome
    /// of the act is known.
    pub fn reopen(&mut self, act: JobId) -> bool {
        let mut lost = self
            .acts
            .iter_mut()
            .filter(|act| act.outcome.as_ref().is_some_and(|outcome| outcome.lost));
        let Some(found) = lost.find(|kept| kept.id == act) else {
            return false;
        };
        found.outcome = None;
        (self.state, self.ended, self.problem) = (JobState::Running, None, None);
        true
    }

    /// Lets the acts whose outcome is not known go on with the containers that a placement made.
    pub fn follow(&mut self, placement: &JobRecord) {
        for Act {
            target: old, outcome, ..
        } in &placement.acts
        {
            if let Some(new) = outcome.as_ref().and_then(|outcome| outcome.container.as_ref()) {
                let open = self.acts.iter_mut().filter(|act| act.outcome.is_none());
                open.for_each(|act| act.target.follow(old, new));
            }
        }
    }

    pub(super) fn add_line(&mut self, line: String) {
        self.step.clone_from(&line);
        self.lines.add(line, LINES);
    }
}
