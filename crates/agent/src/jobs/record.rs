//! A job as its agent knows it: the record on disk, and the progress that is reported.

use flotilla_engine::Swap;
use flotilla_protocol::{
    Code, Problem, Timestamp,
    id::JobId,
    job::{JobReport, JobRequest, JobState, Lines},
};
use serde::{Deserialize, Serialize};

/// The only format of a record so far.
const VERSION: u32 = 1;

/// How many lines are kept of a job: more than its steps, even when some are tried again and again.
const LINES: usize = 100;

/// The longest line, in characters. Lines quote the engine. All that are kept fit into one frame of a stream, also if
/// each character takes six bytes there.
const LINE_CHARS: usize = 400;

/// The longest message of a problem, in characters, which is in the same frame.
const PROBLEM_CHARS: usize = 2000;

/// The part of a job that survives the agent's end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct JobRecord {
    version: u32,
    pub(super) id: JobId,
    pub(super) request: JobRequest,
    pub(super) state: JobState,
    pub(super) target: Option<String>,
    pub(super) underway: bool,
    pub(super) interrupted: bool,
    pub(super) began: Timestamp,
    pub(super) ended: Option<Timestamp>,
    container: Option<String>,
    problem: Option<Problem>,
    /// The state from which an interrupted job is finished or undone.
    pub(super) swap: Option<Swap>,
}

/// How a job ended.
#[derive(Debug, PartialEq)]
pub(super) struct JobOutcome {
    pub(super) state: JobState,
    pub(super) problem: Option<Problem>,
    /// The container that took the place of the one before.
    pub(super) container: Option<String>,
}

impl JobOutcome {
    pub(super) fn done(container: Option<String>) -> Self {
        Self {
            state: JobState::Done,
            problem: None,
            container,
        }
    }

    pub(super) fn failed(problem: Problem) -> Self {
        Self::of(JobState::Failed, problem)
    }

    pub(super) fn of(state: JobState, problem: Problem) -> Self {
        Self {
            state,
            problem: Some(problem),
            container: None,
        }
    }
}

impl JobRecord {
    pub(super) fn new(id: JobId, request: JobRequest, now: Timestamp) -> Self {
        Self {
            version: VERSION,
            id,
            request,
            state: JobState::Running,
            target: None,
            underway: false,
            interrupted: false,
            began: now,
            ended: None,
            container: None,
            problem: None,
            swap: None,
        }
    }

    pub(super) fn is_readable(&self) -> bool {
        self.version == VERSION && self.request != JobRequest::Unknown && self.state != JobState::Unknown
    }

    pub(super) fn end(&mut self, outcome: JobOutcome, now: Timestamp) {
        self.state = outcome.state;
        self.problem = outcome.problem.map(|problem| Problem {
            message: problem.message.chars().take(PROBLEM_CHARS).collect(),
            ..problem
        });
        self.container = outcome.container;
        self.ended = Some(now);
        self.swap = None;
    }

    /// Why a container is not free, if this job acts on it.
    pub(super) fn holds(&self, wanted: &str) -> Option<Problem> {
        let container = self.request.container()?;
        let is_held = container == wanted || self.swap.as_ref().is_some_and(|swap| swap.involves(wanted));
        is_held.then(|| self.busy_problem())
    }

    pub(super) fn busy_problem(&self) -> Problem {
        let what = match (&self.request, &self.target) {
            (JobRequest::ModeChange { .. }, _) => {
                "The agent of this device is being moved into another network."
            }
            (JobRequest::Action { .. }, _) => "A container of this device is being started or stopped.",
            (JobRequest::Removal { .. }, _) => "A container of this device is being removed.",
            (_, Some(name)) => &format!("{name} is being recreated."),
            (_, None) => "A container of this device is being recreated.",
        };
        Code::Conflict.because(format!("{what} Wait until that is over."))
    }
}

/// A job's record, and the lines that it has said while it runs.
#[derive(Debug)]
pub(super) struct Progress {
    pub(super) record: JobRecord,
    lines: Lines,
}

impl Progress {
    pub(super) fn of(record: JobRecord) -> Self {
        Self {
            record,
            lines: Lines::default(),
        }
    }

    /// Adds a line, unless it repeats the last one; returns whether it did.
    pub(super) fn add_line(&mut self, line: &str) -> bool {
        self.lines.add(line.chars().take(LINE_CHARS).collect(), LINES)
    }

    pub(super) fn handle_interruption(&mut self) {
        self.record.interrupted = true;
        self.add_line("The agent had ended meanwhile; it goes on with what it finds.");
    }

    /// Notes that the job is to end; returns whether that changes anything. A job that ended since it was asked to
    /// cancel stays over.
    pub(super) fn handle_cancel(&mut self) -> bool {
        let is_running = self.record.state == JobState::Running;
        if is_running {
            self.record.state = JobState::Canceling;
        }
        is_running
    }

    /// The first line of the next report to a reader that has the lines before `from`; see [`Lines::place`].
    pub(super) fn place(&self, from: u32) -> u32 {
        self.lines.place(from)
    }

    /// The report with the lines from this number on.
    pub(super) fn report(&self, from: u32) -> JobReport {
        let record = self.record.clone();
        JobReport {
            id: record.id,
            request: record.request,
            state: record.state,
            target: record.target,
            underway: record.underway,
            interrupted: record.interrupted,
            began: record.began,
            ended: record.ended,
            container: record.container,
            problem: record.problem,
            lines: self.lines.page(from, LINES),
            next_line: self.lines.next_number(),
        }
    }
}
