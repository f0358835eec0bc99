//! What jobs do: their kinds, and what they act on.

use flotilla_protocol::{
    api::JobKind, device::NetworkMode, id::DeviceId, inventory::ContainerAction, job::JobRequest,
    name::DeviceName,
};
use serde::{Deserialize, Serialize};

/// What a job does to each of its targets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Work {
    /// Puts a container into its device's pod, or takes it out.
    Placement { member: bool },
    /// Moves a device's agent into the network of another mode, which control has recorded already.
    ModeChange { mode: NetworkMode },
    /// Installs a device's agent over the owner's SSH. Control itself does that.
    Push {
        /// As the owner named it.
        host: String,
        as_root: bool,
        skip_docker: bool,
    },
    /// Acts on containers, a few of each device at once.
    Bulk { action: ContainerAction },
    /// Recreates a container where it is.
    Recreation,
    /// Removes containers, a few of each device at once; with `volumes`, also their volumes without a name.
    Removal { volumes: bool },
}

/// A container, or a device's agent.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, derive_more::Display)]
#[display("{} on {device_name}", self.label())]
pub struct Target {
    pub device: DeviceId,
    /// The device's name when the job began.
    pub device_name: DeviceName,
    /// The container's id; absent where the agent is meant.
    pub container: Option<String>,
    /// The name by which people know the container. A job that an earlier control began has the device's word for it.
    pub name: Option<String>,
}

impl Target {
    pub fn agent(device: DeviceId, device_name: DeviceName) -> Self {
        Self {
            device,
            device_name,
            container: None,
            name: None,
        }
    }

    /// The container as a sentence names it.
    pub fn label(&self) -> &str {
        self.name.as_deref().unwrap_or("a container")
    }

    /// Means the container that took the place of the old one, if that is what it meant.
    pub(super) fn follow(&mut self, old: &Self, new: &str) {
        if (self.device, &self.container) == (old.device, &old.container) {
            self.container = Some(new.to_owned());
        }
    }

    /// Whether it can't be acted on beside the other one. When an agent moves, everything that it does ends.
    pub(super) fn is_in_the_way_of(&self, other: &Self) -> bool {
        self.device == other.device
            && (self.container == other.container || self.container.is_none() || other.container.is_none())
    }
}

impl Work {
    pub fn kind(&self) -> JobKind {
        match self {
            Self::Placement { .. } => JobKind::Placement,
            Self::ModeChange { .. } => JobKind::ModeChange,
            Self::Push { .. } => JobKind::Push,
            Self::Bulk { .. } => JobKind::Bulk,
            Self::Recreation => JobKind::Recreation,
            Self::Removal { .. } => JobKind::Removal,
        }
    }

    /// One line that says what is to be done.
    pub(super) fn title(&self, targets: &[&Target]) -> String {
        let device = targets.first().map_or("", |target| target.device_name.as_str());
        match (self, targets) {
            (Self::Placement { member }, [target, ..]) => {
                let name = target.label();
                if *member {
                    format!("Put {name} into the pod of {device}")
                } else {
                    format!("Take {name} out of the pod of {device}")
                }
            }
            (Self::Bulk { action }, targets) => title_of_several(verb(*action), targets),
            (Self::Removal { .. }, targets) => title_of_several("Remove", targets),
            (Self::Push { host, .. }, _) => format!("Install the agent of {device} on {host}"),
            (Self::ModeChange { mode }, _) => {
                format!("Move the agent of {device} into the network of the mode {mode}")
            }
            (Self::Recreation, [target, ..]) => format!("Recreate {target}"),
            (Self::Placement { .. } | Self::Recreation, []) => String::new(),
        }
    }

    /// What a target's device is asked for; `None` where control itself does it.
    pub(super) fn request(&self, target: &Target) -> Option<JobRequest> {
        let container = || target.container.clone().unwrap_or_default();
        match self {
            Self::Placement { member } => Some(JobRequest::Placement {
                container: container(),
                member: *member,
            }),
            Self::ModeChange { mode } => Some(JobRequest::ModeChange { mode: *mode }),
            Self::Bulk { action } => Some(JobRequest::Action {
                container: container(),
                action: *action,
            }),
            Self::Recreation => Some(JobRequest::Recreation {
                container: container(),
            }),
            Self::Removal { volumes } => Some(JobRequest::Removal {
                container: container(),
                volumes: *volumes,
            }),
            Self::Push { .. } => None,
        }
    }

    /// What each of several containers is when it is done: "restarted"; `None` where a job has one act only.
    pub(super) fn done_to_each(&self) -> Option<&'static str> {
        match self {
            Self::Bulk { action } => Some(action.done()),
            Self::Removal { .. } => Some("removed"),
            Self::Placement { .. } | Self::Recreation | Self::ModeChange { .. } | Self::Push { .. } => None,
        }
    }

    /// Whether control itself does it: it installs an agent where there is none that could be asked.
    pub(super) fn is_own(&self) -> bool {
        matches!(self, Self::Push { .. })
    }

    /// Whether a second job waits for the first where both act on the same thing; else it is refused. An owner who
    /// places a container looks at it, and wants to know at once that it is busy.
    pub(super) fn waits_for_others(&self) -> bool {
        matches!(
            self,
            Self::ModeChange { .. } | Self::Bulk { .. } | Self::Removal { .. }
        )
    }

    /// Whether its acts are short ones, of which a device carries out a few at a time.
    pub(super) fn takes_turns(&self) -> bool {
        self.done_to_each().is_some()
    }

    /// Whether devices end its acts early when they are told to.
    pub(super) fn ends_early(&self) -> bool {
        matches!(self, Self::Placement { .. } | Self::Recreation)
    }
}

fn verb(action: ContainerAction) -> &'static str {
    match action {
        ContainerAction::Start => "Start",
        ContainerAction::Stop => "Stop",
        ContainerAction::Restart => "Restart",
        ContainerAction::Pause => "Pause",
        ContainerAction::Unpause => "Unpause",
        ContainerAction::Kill => "Kill",
    }
}

fn title_of_several(verb: &str, targets: &[&Target]) -> String {
    match targets {
        [one] => format!("{verb} {one}"),
        several => format!("{verb} {} containers", several.len()),
    }
}
