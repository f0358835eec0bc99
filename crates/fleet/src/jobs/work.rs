//! What jobs do: their kinds, the acts that each consists of, and which acts may not be carried out beside each other.

use flotilla_protocol::{
    api::JobKind,
    device::NetworkMode,
    id::{DeviceId, JobId},
    inventory::ContainerAction,
    job::JobRequest,
    name::DeviceName,
};
use serde::{Deserialize, Serialize};

/// What a job is to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Work {
    /// Puts a container into its device's pod, or takes it out.
    Placement { container: Target, member: bool },
    /// Moves a device's agent into the network of another mode, which control has recorded already.
    ModeChange {
        device: DeviceId,
        device_name: DeviceName,
        mode: NetworkMode,
    },
    /// Installs a device's agent over the owner's SSH.
    Push {
        device: DeviceId,
        device_name: DeviceName,
        /// As the owner named it.
        host: String,
        as_root: bool,
        skip_docker: bool,
    },
    /// Starts, stops or restarts containers.
    Bulk {
        action: ContainerAction,
        containers: Vec<Target>,
    },
}

/// A container that a job acts on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    pub device: DeviceId,
    /// The device's name when the job began.
    pub device_name: DeviceName,
    /// The container's id.
    pub container: String,
    /// The name by which people know it. A placement that an earlier control began has the device's word for it.
    pub name: Option<String>,
}

impl Target {
    /// The container as a sentence names it.
    #[must_use]
    pub fn label(&self) -> &str {
        self.name.as_deref().unwrap_or("a container")
    }
}

impl Work {
    #[must_use]
    pub fn kind(&self) -> JobKind {
        match self {
            Self::Placement { .. } => JobKind::Placement,
            Self::ModeChange { .. } => JobKind::ModeChange,
            Self::Push { .. } => JobKind::Push,
            Self::Bulk { .. } => JobKind::Bulk,
        }
    }

    /// The devices that it concerns, each once, with their names.
    #[must_use]
    pub fn devices(&self) -> Vec<(DeviceId, &DeviceName)> {
        match self {
            Self::Placement { container, .. } => vec![(container.device, &container.device_name)],
            Self::ModeChange {
                device, device_name, ..
            }
            | Self::Push {
                device, device_name, ..
            } => vec![(*device, device_name)],
            Self::Bulk { containers, .. } => {
                let mut devices: Vec<_> = containers
                    .iter()
                    .map(|target| (target.device, &target.device_name))
                    .collect();
                devices.sort_unstable();
                devices.dedup_by_key(|(device, _)| *device);
                devices
            }
        }
    }

    /// One line that says what is to be done.
    #[must_use]
    pub fn title(&self) -> String {
        match self {
            Self::Placement { container, member } => {
                let (name, device) = (container.label(), &container.device_name);
                if *member {
                    format!("Put {name} into the pod of {device}")
                } else {
                    format!("Take {name} out of the pod of {device}")
                }
            }
            Self::ModeChange {
                device_name, mode, ..
            } => format!("Move the agent of {device_name} into the network of the mode {mode}"),
            Self::Push {
                device_name, host, ..
            } => format!("Install the agent of {device_name} on {host}"),
            Self::Bulk { action, containers } => {
                let verb = match action {
                    ContainerAction::Start => "Start",
                    ContainerAction::Stop => "Stop",
                    ContainerAction::Restart => "Restart",
                };
                match &containers[..] {
                    [one] => format!("{verb} {} on {}", one.label(), one.device_name),
                    several => format!("{verb} {} containers", several.len()),
                }
            }
        }
    }

    /// The acts that it consists of. The first has the job's own id, the others those that `fresh` makes up.
    pub(super) fn acts(&self, job: JobId, mut fresh: impl FnMut() -> JobId) -> Vec<Act> {
        let act = |id, device, device_name: &DeviceName, order| Act {
            id,
            device,
            device_name: device_name.clone(),
            order,
        };
        match self {
            Self::Placement { container, member } => {
                let request = JobRequest::Placement {
                    container: container.container.clone(),
                    member: *member,
                };
                let order = Order::Call(request);
                vec![act(job, container.device, &container.device_name, order)]
            }
            Self::ModeChange {
                device,
                device_name,
                mode,
            } => {
                let request = JobRequest::ModeChange { mode: *mode };
                vec![act(job, *device, device_name, Order::Call(request))]
            }
            Self::Push {
                device, device_name, ..
            } => vec![act(job, *device, device_name, Order::Run)],
            Self::Bulk { action, containers } => {
                let all = containers.iter().enumerate();
                let acts = all.map(|(nth, target)| {
                    let request = JobRequest::Action {
                        container: target.container.clone(),
                        action: *action,
                    };
                    let id = if nth == 0 { job } else { fresh() };
                    act(id, target.device, &target.device_name, Order::Call(request))
                });
                acts.collect()
            }
        }
    }

    /// Whether a second job waits for the first where both act on the same thing; else it is refused. An owner who
    /// places a container looks at it, and wants to know at once that it is busy.
    pub(super) fn waits_for_others(&self) -> bool {
        matches!(self, Self::ModeChange { .. } | Self::Bulk { .. })
    }
}

/// One indivisible part of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Act {
    /// The id under which a device is told to begin it.
    pub id: JobId,
    pub device: DeviceId,
    /// The device's name when the job began.
    pub device_name: DeviceName,
    pub order: Order,
}

/// Who carries an act out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// The device's agent, which is told so.
    Call(JobRequest),
    /// Control itself, with the job's work.
    Run,
}

impl Act {
    /// Whether both acts would take the same thing apart.
    pub(super) fn is_in_the_way_of(&self, other: &Self) -> bool {
        if self.device != other.device {
            return false;
        }
        match (&self.order, &other.order) {
            (Order::Run, Order::Run) => true,
            // A push installs an agent where there is none that could be told anything.
            (Order::Run, _) | (_, Order::Run) => false,
            (Order::Call(one), Order::Call(other)) => match (container_of(one), container_of(other)) {
                (Some(one), Some(other)) => one == other,
                // The agent itself moves, and everything that it does ends with it.
                _ => true,
            },
        }
    }

    /// Whether it is one of the short acts of which a device carries out a few at a time.
    pub(super) fn takes_a_turn(&self) -> bool {
        matches!(self.order, Order::Call(JobRequest::Action { .. }))
    }

    /// Whether the device ends it early when it is told to.
    pub(super) fn ends_early(&self) -> bool {
        matches!(self.order, Order::Call(JobRequest::Placement { .. }))
    }

    pub(super) fn is_placement(&self) -> bool {
        matches!(self.order, Order::Call(JobRequest::Placement { .. }))
    }

    /// Goes on with the container that took the place of the one that it was to act on.
    pub(super) fn follow_container(&mut self, device: DeviceId, old: &str, new: &str) {
        if self.device == device
            && let Order::Call(JobRequest::Action { container, .. } | JobRequest::Placement { container, .. }) =
                &mut self.order
            && container == old
        {
            new.clone_into(container);
        }
    }

    /// The container that it acts on, by id.
    pub(super) fn container(&self) -> Option<&str> {
        match &self.order {
            Order::Call(request) => container_of(request),
            Order::Run => None,
        }
    }
}

fn container_of(request: &JobRequest) -> Option<&str> {
    match request {
        JobRequest::Placement { container, .. } | JobRequest::Action { container, .. } => Some(container),
        JobRequest::ModeChange { .. } | JobRequest::Unknown => None,
    }
}
