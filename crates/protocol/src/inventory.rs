//! What a device's container engine holds. Words and meaning are Docker's and Compose's.
//!
//! Agents report these values; control keeps the last ones it heard and shows each as a
//! [`crate::api::Row`], with the device it is on.

use crate::{Timestamp, open::choice};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

mod engine;
mod find;
mod port;
mod trouble;

pub use engine::{Ailment, EngineFacts, EngineState};
pub use find::{FindError, find_container};
pub use port::{Port, collapsed, numbers};
pub use trouble::Trouble;

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

#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Container {
    /// The engine's full id.
    pub id: String,
    /// Without a leading slash; the beginning of the id where the engine tells no name.
    pub name: String,
    pub image: String,
    #[serde(default)]
    pub image_id: String,
    pub state: ContainerState,
    /// The state in a few stable words: `Running`, `Exited (1)`. It holds no duration, so it does not age.
    pub status: String,
    pub health: Health,
    /// The Compose project it belongs to.
    #[serialize_always]
    pub stack: Option<String>,
    /// The Compose service it is an instance of.
    pub service: Option<String>,
    /// Neighbors that are published alike are one range.
    pub ports: Vec<Port>,
    /// `null` where the engine tells none that means anything.
    #[serialize_always]
    pub created: Option<Timestamp>,
    pub started: Option<Timestamp>,
    pub finished: Option<Timestamp>,
    pub exit_code: Option<i64>,
    /// Why the engine could not start it when it last tried, in the engine's words.
    pub failure: Option<String>,
    /// Why the engine does not describe it. What is shown is then from the engine's list, or from before.
    pub unread: Option<String>,
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
    pub pod: Option<PodRole>,
    /// By which names others find it, network by network: what is lost when it goes into the pod. Only told where the
    /// device has a pod that the container is not in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub found_as: Vec<FoundAs>,
}

/// The names of a container on one network of its engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FoundAs {
    pub network: String,
    /// Its own name and its aliases there.
    pub names: Vec<String>,
    /// Names of the containers that run on that network and find it so. It finds them by their names, too.
    pub neighbors: Vec<String>,
}

impl FoundAs {
    /// What going into the pod takes away, in a sentence; `container` is the name of the one that goes.
    pub fn loss(&self, container: &str) -> String {
        let Self {
            network,
            names,
            neighbors,
        } = self;
        let names = names.join(", ");
        match &neighbors[..] {
            [] => format!("On network {network}, nobody will find it as {names} any more."),
            all => {
                let all = all.join(", ");
                format!(
                    "On network {network}, it will no longer be found as {names} by {all}, and {container} will no \
                     longer find them by their names."
                )
            }
        }
    }
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
    /// Control tells at most 2^53 - 1, up to which JavaScript counts exactly.
    pub size_bytes: u64,
    /// `null` where it means nothing: the beginning of time, what builds write to be the same each time, the future.
    #[serde(default)]
    pub created: Option<Timestamp>,
    /// How many containers use it; `null` where none is known to, and the image of some container is not known: it must not
    /// be taken for unused then.
    #[serde(default)]
    pub used_by: Option<u32>,
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
    /// Paths on the device of the Compose files it was started from; `-` is standard input.
    pub config_files: Vec<String>,
    /// Several folders have the one name in common, and Compose takes what they started for one project. Empty while
    /// there is one folder.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub folders: Vec<StackFolder>,
}

/// One of the folders from which a Compose project was started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StackFolder {
    /// Its path on the device.
    pub path: String,
    pub services: Vec<String>,
    pub config_files: Vec<String>,
}

/// One thing on one device.
// The variants differ by less than the lint's limit where pointers have 32 bits.
#[cfg_attr(
    target_pointer_width = "64",
    expect(
        clippy::large_enum_variant,
        reason = "most things are containers, and a box for each would cost more than it saves"
    )
)]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Item {
    Container(Container),
    Image(Image),
    Volume(Volume),
    Network(Network),
    Stack(Stack),
    /// A kind of thing that a newer agent knows.
    #[serde(other)]
    Unknown,
}

choice!(
    /// The kinds of thing that an inventory lists.
    Kind:
    Container = "container", Image = "image", Volume = "volume", Network = "network", Stack = "stack"
);

impl Item {
    pub fn kind(&self) -> Kind {
        match self {
            Self::Container(_) => Kind::Container,
            Self::Image(_) => Kind::Image,
            Self::Volume(_) => Kind::Volume,
            Self::Network(_) => Kind::Network,
            Self::Stack(_) => Kind::Stack,
            Self::Unknown => Kind::Unknown,
        }
    }

    /// What names the item on its device: an id where the engine gives one, else a name.
    pub fn key(&self) -> &str {
        match self {
            Self::Container(container) => &container.id,
            Self::Image(image) => &image.id,
            Self::Volume(volume) => &volume.name,
            Self::Network(network) => &network.id,
            Self::Stack(stack) => &stack.name,
            Self::Unknown => "",
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, derive_more::Display)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[display("{}", self.as_str())]
pub enum ContainerAction {
    Start,
    Stop,
    Restart,
    /// Its processes stand still and keep what they hold.
    Pause,
    Unpause,
    /// Its processes end at once, without being asked to.
    Kill,
}

impl ContainerAction {
    pub const ALL: &'static [Self] = &[
        Self::Start,
        Self::Stop,
        Self::Restart,
        Self::Pause,
        Self::Unpause,
        Self::Kill,
    ];

    /// Whether it keeps a container from its work until another action.
    pub fn interrupts(self) -> bool {
        matches!(self, Self::Stop | Self::Pause | Self::Kill)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Restart => "restart",
            Self::Pause => "pause",
            Self::Unpause => "unpause",
            Self::Kill => "kill",
        }
    }

    /// What a container is when it is done.
    pub fn done(self) -> &'static str {
        match self {
            Self::Start => "started",
            Self::Stop => "stopped",
            Self::Restart => "restarted",
            Self::Pause => "paused",
            Self::Unpause => "unpaused",
            Self::Kill => "killed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lost_in_the_pod_names_who_loses_whom() {
        let found = |neighbors: &[&str]| FoundAs {
            network: "media".to_owned(),
            names: ["db", "media-db-1"].map(str::to_owned).into(),
            neighbors: neighbors.iter().map(|name| (*name).to_owned()).collect(),
        };
        assert_eq!(
            found(&[]).loss("media-db-1"),
            "On network media, nobody will find it as db, media-db-1 any more."
        );
        assert_eq!(
            found(&["web", "app"]).loss("media-db-1"),
            "On network media, it will no longer be found as db, media-db-1 by web, app, and media-db-1 will no longer find \
             them by their names."
        );
    }
}
