//! What a device's container engine holds. Words and meaning are Docker's and Compose's.
//!
//! Agents report these values; control keeps the last ones it heard and shows each as a
//! [`crate::api::Row`], with the device it is on.

use crate::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

mod trouble;

pub use trouble::Trouble;

/// Whether a device's container engine can be used, and what it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum EngineState {
    Running(EngineFacts),
    /// No engine at the configured socket.
    Absent {
        reason: String,
    },
    /// An engine was there and does not answer now.
    Stopped {
        reason: String,
    },
    /// The agent may not use the engine's socket.
    Denied {
        reason: String,
    },
}

impl EngineState {
    /// Why the engine cannot be used, or `None` when it can.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Running(_) => None,
            Self::Absent { reason } | Self::Stopped { reason } | Self::Denied { reason } => Some(reason),
        }
    }
}

/// What an engine says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EngineFacts {
    /// `docker` or `podman`.
    pub flavor: String,
    pub version: String,
    /// The API version both sides agreed on, for example `1.41`.
    pub api_version: String,
    /// The operating system that the engine reports; `Docker Desktop` there means a virtual machine.
    pub os: String,
    pub arch: String,
    pub storage_driver: String,
    pub rootless: bool,
    /// The engine is the one inside Docker Desktop.
    pub docker_desktop: bool,
}

/// A container's state, exactly Docker's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ContainerState {
    Created,
    Running,
    Paused,
    Restarting,
    Removing,
    Exited,
    Dead,
    #[serde(other)]
    Unknown,
}

/// What a container's health check says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// The container has no health check.
    #[default]
    None,
    Starting,
    Healthy,
    Unhealthy,
    #[serde(other)]
    Unknown,
}

/// A port of a container and where it is published, if it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Port {
    pub private: u16,
    /// `tcp`, `udp` or `sctp`.
    pub protocol: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public: Option<u16>,
    /// The address it is published on; `0.0.0.0` and `::` mean all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Container {
    /// The engine's full id.
    pub id: String,
    /// Without a leading slash.
    pub name: String,
    pub image: String,
    #[serde(default)]
    pub image_id: String,
    pub state: ContainerState,
    /// The state in a few stable words: `Running`, `Exited (1)`. It holds no duration, so it does not age.
    pub status: String,
    pub health: Health,
    /// The Compose project it belongs to.
    #[serde(default)]
    pub stack: Option<String>,
    /// The Compose service it is an instance of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    pub ports: Vec<Port>,
    pub created: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i64>,
    /// The kernel ended it because there was no memory left for it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub oom_killed: bool,
    #[serde(default)]
    pub restarts: u32,
    /// `host`, `bridge`, `container:<id>` or a network's name.
    #[serde(default)]
    pub network_mode: String,
    /// Names of the volumes mounted in it.
    #[serde(default)]
    pub volumes: Vec<String>,
    /// Names of the networks it is attached to.
    #[serde(default)]
    pub networks: Vec<String>,
    /// This container is the Flotilla agent itself: never part of a bulk stop, prune or drain.
    #[serde(default)]
    pub is_agent: bool,
    /// Its part in the pod whose mesh address is the device's; absent outside of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod: Option<PodRole>,
}

/// What a container is to the pod of the device's agent: containers that share one network namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PodRole {
    /// It holds the network and does nothing else: never part of a bulk stop, prune or drain.
    Pause,
    /// It uses that network. The agent does, too.
    Member,
    #[serde(other)]
    Unknown,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Image {
    pub id: String,
    /// `REPOSITORY:TAG`, one per tag; empty for a dangling image.
    pub tags: Vec<String>,
    /// `REPOSITORY@sha256:…`, as registries know it.
    #[serde(default)]
    pub digests: Vec<String>,
    pub size_bytes: u64,
    pub created: Timestamp,
    /// How many containers use it.
    pub used_by: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Volume {
    pub name: String,
    pub driver: String,
    #[serde(default)]
    pub mountpoint: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<Timestamp>,
    /// Names of the containers that mount it.
    pub used_by: Vec<String>,
    #[serde(default)]
    pub stack: Option<String>,
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Network {
    pub id: String,
    pub name: String,
    pub driver: String,
    /// In CIDR notation; several when the network has several address pools.
    pub subnets: Vec<String>,
    /// Names of the containers attached to it.
    pub containers: Vec<String>,
    #[serde(default)]
    pub stack: Option<String>,
    pub internal: bool,
    #[serde(default)]
    pub attachable: bool,
}

/// A Compose project on a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Stack {
    pub name: String,
    pub services: Vec<String>,
    pub running: u32,
    pub total: u32,
    /// Those that run and whose health check fails.
    pub unhealthy: u32,
    /// Paths on the device of the Compose files it was started from.
    pub config_files: Vec<String>,
}

/// One thing on one device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Item {
    Container(Container),
    Image(Image),
    Volume(Volume),
    Network(Network),
    Stack(Stack),
}

/// The kinds of thing that an inventory lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Container,
    Image,
    Volume,
    Network,
    Stack,
}

impl Item {
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Container(_) => Kind::Container,
            Self::Image(_) => Kind::Image,
            Self::Volume(_) => Kind::Volume,
            Self::Network(_) => Kind::Network,
            Self::Stack(_) => Kind::Stack,
        }
    }

    /// What names the item on its device: an id where the engine gives one, else a name.
    #[must_use]
    pub fn key(&self) -> &str {
        match self {
            Self::Container(container) => &container.id,
            Self::Image(image) => &image.id,
            Self::Volume(volume) => &volume.name,
            Self::Network(network) => &network.id,
            Self::Stack(stack) => &stack.name,
        }
    }
}

/// Everything an engine holds at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inventory {
    pub containers: Vec<Container>,
    pub images: Vec<Image>,
    pub volumes: Vec<Volume>,
    pub networks: Vec<Network>,
    pub stacks: Vec<Stack>,
}

/// What one person can do to one container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ContainerAction {
    Start,
    Stop,
    Restart,
}

impl ContainerAction {
    pub const ALL: &'static [Self] = &[Self::Start, Self::Stop, Self::Restart];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Restart => "restart",
        }
    }
}
