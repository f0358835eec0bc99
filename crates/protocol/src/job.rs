//! Jobs: acts of an agent that take long or take things apart. A job has an id by which it is asked about, goes on
//! without a link, and survives the agent's end.
//!
//! Life cycle at the agent: started (`PUT`) → `running` → `done`, `failed`, `undone` or `canceled`. `DELETE` cancels it at
//! the next point at which that is safe; once it ended, `DELETE` lets the agent forget it. [`JobProgress`] tells how it
//! goes. Control's own record of a job, which people see, is [`crate::api::Job`]; its states are the same, and `waiting`
//! before them.

mod lines;

pub use lines::Lines;

use crate::{
    Problem, Timestamp,
    device::NetworkMode,
    id::JobId,
    inventory::ContainerAction,
    open::{Open, choice},
    stream::{Silence, Streaming, json_payload},
};
use serde::{Deserialize, Serialize};

/// `GET`: all jobs that the agent has not been told to forget, as a list of [`JobReport`]s. Below it, by id: `PUT`
/// with a [`JobRequest`] starts one and answers at once, and `DELETE` with [`EndJob`] as query cancels or forgets it.
/// Each answers a [`JobReport`].
pub const JOBS_PATH: &str = "/v1/jobs";

/// What an agent is to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum JobRequest {
    /// Puts a container into the device's pod or takes it out of it. It is recreated for that, with its volumes.
    Placement {
        /// The container's id.
        container: String,
        member: bool,
    },
    /// Moves an agent that runs in a container into the network of another mode.
    ModeChange { mode: NetworkMode },
    /// Acts on a container, once however often it is asked for under one id.
    Action {
        /// The container's id.
        container: String,
        action: ContainerAction,
    },
    /// Recreates a container where it is, with all that it has.
    Recreation {
        /// The container's id.
        container: String,
    },
    /// Removes a container that does not run.
    Removal {
        /// The container's id.
        container: String,
        /// Whether its volumes without a name go too.
        volumes: bool,
    },
    /// What a newer control asks for.
    #[serde(other)]
    Unknown,
}

impl JobRequest {
    /// The container that gives way to a new one with all that it has.
    pub fn replaced_container(&self) -> Option<&str> {
        match self {
            Self::Placement { container, .. } | Self::Recreation { container } => Some(container),
            Self::ModeChange { .. } | Self::Action { .. } | Self::Removal { .. } | Self::Unknown => None,
        }
    }

    /// The container that is acted on.
    pub fn container(&self) -> Option<&str> {
        match self {
            Self::Action { container, .. } | Self::Removal { container, .. } => Some(container),
            _ => self.replaced_container(),
        }
    }

    /// Whether this build knows all of what is asked.
    pub fn is_known(&self) -> bool {
        match self {
            Self::Placement { .. } | Self::Action { .. } | Self::Recreation { .. } | Self::Removal { .. } => {
                true
            }
            Self::ModeChange { mode } => mode.is_known(),
            Self::Unknown => false,
        }
    }
}

choice!(
    /// Where a job stands.
    JobState:
    /// Not begun: its device is away, or another job comes first. Only control's record says so.
    Waiting = "waiting",
    Running = "running",
    /// It was asked to end, and does so at the next point at which that is safe.
    Canceling = "canceling",
    Done = "done",
    /// Nothing was changed, or not everything could be put back; the problem says which.
    Failed = "failed",
    /// Something had been changed, and everything is as it was before.
    Undone = "undone",
    /// As `Undone`, because the job was canceled.
    Canceled = "canceled"
);

impl JobState {
    /// Whether the job has ended: its state does not change again.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Undone | Self::Canceled)
    }
}

/// What the end of a job may mean.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct EndJob {
    /// Whether only one of the two is meant: a job that ended while its cancellation was on the way keeps its outcome,
    /// and one that still runs is not canceled. An agent that does not know this does either.
    pub only: Option<JobEnd>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobEnd {
    Cancel,
    Forget,
}

/// How a job goes, until it is over: a report at each change, and the last one as the outcome. Each has the lines that the
/// reports before it did not have.
#[derive(Debug)]
pub enum JobProgress {}

impl Streaming for JobProgress {
    type At = JobId;
    type Open = FollowJob;
    type Up = Silence;
    type Item = JobReport;
    type End = JobReport;

    const PATH: &'static str = "/v1/jobs/{id}/progress";

    fn path(job: &JobId) -> String {
        format!("{JOBS_PATH}/{job}/progress")
    }

    fn advance(open: &mut FollowJob, report: &JobReport) {
        open.from = report.next_line;
    }
}

/// From where on the progress of a job is wanted, of an agent and of control.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FollowJob {
    /// Number of the first line that is not known yet; lines are numbered from 0.
    #[serde(default)]
    pub from: u32,
}

/// A job as its agent reports it.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobReport {
    pub id: JobId,
    pub request: JobRequest,
    pub state: JobState,
    /// What it acts on, by the name that people know; absent until the agent has looked it up.
    pub target: Option<String>,
    /// Everything was checked and written down: from here on it is finished or undone, also if agent or link end.
    #[serde(default)]
    pub underway: bool,
    /// The agent ended while it was underway, and went on with it afterwards.
    #[serde(default)]
    pub interrupted: bool,
    pub began: Timestamp,
    pub ended: Option<Timestamp>,
    /// The container that took the place of the one before.
    pub container: Option<String>,
    /// Why it is not done.
    pub problem: Option<Problem>,
    /// What it did, one act a line; the last one is what it is doing. In a list they are left out.
    #[serde(default)]
    pub lines: Vec<String>,
    /// Number of the line that comes after these.
    #[serde(default)]
    pub next_line: u32,
}

json_payload!(JobReport);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Code, stream::Payload as _};
    use bytes::Bytes;

    #[test]
    fn a_job_is_told_in_these_words() {
        let report = JobReport {
            id: "01937c5e-7b1a-7c3e-8b9e-0123456789ab".parse().unwrap(),
            request: JobRequest::Placement {
                container: "4f1c".into(),
                member: true,
            },
            state: JobState::Undone,
            target: Some("web".into()),
            underway: true,
            interrupted: true,
            began: "2026-11-21T14:02:00Z".parse().unwrap(),
            ended: Some("2026-11-21T14:02:09Z".parse().unwrap()),
            container: None,
            problem: Some(Code::EngineRefused.because("no space left")),
            lines: vec!["web is made anew".into()],
            next_line: 1,
        };
        let text = serde_json::to_string_pretty(&report).unwrap();
        insta::assert_snapshot!(text);
        assert_eq!(serde_json::from_str::<JobReport>(&text).unwrap(), report);
    }

    #[test]
    fn what_a_newer_peer_asks_or_tells_is_unknown_and_not_an_error() {
        let of_the_future = JobReport::read(1, &Bytes::from_static(b"no JSON"));
        assert_eq!(of_the_future, Ok(None), "another kind of news is left out");
        let request: JobRequest = serde_json::from_str(r#"{"kind":"tide","all":[1]}"#).unwrap();
        assert_eq!(request, JobRequest::Unknown);
        let request: JobRequest = serde_json::from_str(r#"{"kind":"mode_change","mode":"vpn"}"#).unwrap();
        assert!(
            !request.is_known(),
            "the report of it is read, and it is not carried out"
        );
        assert_eq!(
            serde_json::from_str::<JobState>(r#""parked""#).unwrap(),
            JobState::Unknown
        );
    }
}
