//! Jobs as people see them: what takes long, how far it is, and its outcome.

use super::List;
use crate::{
    Problem, Timestamp,
    activity::Actor,
    id::{DeviceId, JobId},
    inventory::ContainerAction,
    job::{FollowJob, JobState},
    name::DeviceName,
    open::choice,
    stream::{Silence, Streaming, json_payload},
};
use serde::{Deserialize, Serialize};

choice!(
    /// What kind of job it is.
    JobKind:
    /// A container is put into its device's pod, or taken out.
    Placement = "placement",
    /// An agent moves into the network of another mode.
    ModeChange = "mode_change",
    /// An agent is installed over the owner's SSH.
    Push = "push",
    /// Containers are acted on, at most four at a time on each device.
    Bulk = "bulk",
    /// A container is recreated where it is.
    Recreation = "recreation",
    /// Containers are removed, at most four at a time on each device.
    Removal = "removal"
);

/// A job. It survives the request that began it, links, agents and control itself.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Job {
    pub id: JobId,
    pub kind: JobKind,
    pub state: JobState,
    /// The device's name when it began; absent where it concerns several devices.
    pub device: Option<DeviceName>,
    pub device_id: Option<DeviceId>,
    /// All devices that it concerns.
    #[serde(default)]
    pub device_ids: Vec<DeviceId>,
    /// One line that says what is to be done: "Restart 12 containers".
    pub title: String,
    /// Who began it.
    pub caller: Actor,
    pub began: Timestamp,
    /// Absent until it is over.
    pub ended: Option<Timestamp>,
    /// What it is doing, or what it did last.
    pub step: String,
    /// Why it is not done.
    pub problem: Option<Problem>,
    /// Whether `DELETE` can still end it.
    #[serde(default)]
    pub cancelable: bool,
    /// What it did so far, at most the last 200 lines. Only the answer about one job has them; its stream has new ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<String>,
    /// Number of the line that comes after these; lines are numbered from 0.
    #[serde(default)]
    pub next_line: u32,
    /// What came of each container of a bulk job. Only the answer about one job has them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outcomes: Vec<ContainerOutcome>,
    pub as_of: Timestamp,
}

/// What came of one container of a bulk job.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ContainerOutcome {
    pub device: DeviceName,
    pub device_id: DeviceId,
    /// Its id.
    pub container: String,
    pub name: String,
    /// `waiting` until its turn comes.
    pub state: JobState,
    pub problem: Option<Problem>,
}

/// All jobs that are not over, and the newest of those that are; the newest first.
#[derive(Debug, Clone, Copy, Default)]
pub struct ListJobs {
    /// How many of those that are over, 0 to 500; 20 when absent. Fewer where they have many thousand containers.
    pub limit: Option<u32>,
}

request!(ListJobs, Get "/jobs" ? "limit" limit => List<Job>);

/// One job, with its lines and the outcomes of its containers.
#[derive(Debug, Clone)]
pub struct GetJob {
    pub job: String,
}

request!(GetJob, Get "/jobs/{job}" [job] => Job);

/// How a job goes, until it is over: the job at each change, and the last time as the outcome. Each has the lines that
/// those before it did not have.
#[derive(Debug)]
pub enum WatchJob {}

impl Streaming for WatchJob {
    type At = JobId;
    type Open = FollowJob;
    type Up = Silence;
    type Item = Job;
    type End = Job;

    const PATH: &'static str = "/jobs/{job}/progress";

    fn path(job: &JobId) -> String {
        format!("/jobs/{job}/progress")
    }

    fn advance(open: &mut FollowJob, job: &Job) {
        open.from = job.next_line;
    }
}

json_payload!(Job);

/// Ends a job at the next point at which that is safe. Answers it as it is then: it may be `canceling` for a while.
#[derive(Debug, Clone)]
pub struct CancelJob {
    pub job: String,
}

request!(CancelJob, Delete "/jobs/{job}" [job] => Job);

/// Acts on several containers as one job, at most four at a time on each device. Answers when it has
/// begun; nothing begins when one of the containers does not exist or must not be stopped.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ActOnContainers {
    pub action: ContainerAction,
    /// At least one, at most 1000.
    pub containers: Vec<ContainerRef>,
}

/// Removes containers that do not run, at most four at a time on each device. Answers when it has begun; nothing begins
/// when one of the containers does not exist or must not be removed. What they wrote outside of volumes, and their logs,
/// are lost.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RemoveContainers {
    /// At least one, at most 1000.
    pub containers: Vec<ContainerRef>,
    /// Whether their volumes without a name go too. Those with a name stay.
    #[serde(default)]
    pub volumes: bool,
}

request!(RemoveContainers, Post "/containers/removals" (Self) => Job);

/// Recreates a container where it is, with all that it has: the old one is kept until the new one has shown that it works,
/// and put back if it does not. Answers when that has begun.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RecreateContainer {
    /// Id or name of its device.
    pub device: String,
    /// Id, a unique beginning of it, or name.
    pub container: String,
}

request!(RecreateContainer, Post "/containers/recreations" (Self) => Job);

/// Puts a container into its device's pod, or takes it out, as [`super::PlaceInPod`] does, and answers when that has
/// begun. The same request again, while the first is carried out, answers the same job.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct BeginPlacement {
    /// Id or name of its device.
    pub device: String,
    /// Id, a unique beginning of it, or name.
    pub container: String,
    /// Whether it is to share the network of the pod.
    pub member: bool,
}

request!(BeginPlacement, Post "/containers/placements" (Self) => Job);

/// Names a container of the fleet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ContainerRef {
    /// Id or name of its device.
    pub device: String,
    /// Id, a unique beginning of it, or name.
    pub container: String,
}

request!(ActOnContainers, Post "/containers/actions" (Self) => Job);
