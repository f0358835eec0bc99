//! The container engine of a device: whether it can be used, what it is, and what of it does not work.

use crate::Timestamp;
use serde::{Deserialize, Serialize};

/// Whether a device's container engine can be used, and what it is.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum EngineState {
    Running(EngineFacts),
    /// No engine at the configured socket.
    Absent {
        reason: String,
        since: Option<Timestamp>,
    },
    /// An engine was there and does not run now.
    Stopped {
        reason: String,
        since: Option<Timestamp>,
    },
    /// The agent may not use the engine's socket.
    Denied {
        reason: String,
        since: Option<Timestamp>,
    },
    /// An engine is there that can't be used as it is: it is silent, it answers with errors, or it is too old.
    Unfit {
        reason: String,
        since: Option<Timestamp>,
    },
    /// A state that only a newer agent knows. The engine is taken for one that can't be used.
    #[serde(other)]
    Unknown,
}

impl EngineState {
    /// Why the engine cannot be used, or `None` when it can.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Running(_) => None,
            Self::Absent { reason, .. }
            | Self::Stopped { reason, .. }
            | Self::Denied { reason, .. }
            | Self::Unfit { reason, .. } => Some(reason),
            Self::Unknown => Some(
                "The agent is newer, and says of the engine what is not understood here. Update Flotilla.",
            ),
        }
    }

    /// Since when it cannot be used, by the device's clock: what is known of it is from before.
    pub fn since(&self) -> Option<Timestamp> {
        match self {
            Self::Running(_) | Self::Unknown => None,
            Self::Absent { since, .. }
            | Self::Stopped { since, .. }
            | Self::Denied { since, .. }
            | Self::Unfit { since, .. } => *since,
        }
    }

    /// What a person has to mend: why it cannot be used, or what of it does not work; and since when.
    pub fn trouble(&self) -> Option<(&str, Option<Timestamp>)> {
        if let Self::Running(facts) = self {
            let ailment = facts.ailment.as_ref()?;
            return Some((&ailment.reason, Some(ailment.since)));
        }
        Some((self.reason()?, self.since()))
    }
}

/// What an engine says of itself.
#[serde_with::skip_serializing_none]
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
    /// It runs, and something of it does not work; absent while all of it does.
    pub ailment: Option<Ailment>,
}

/// What of a running engine does not work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Ailment {
    pub reason: String,
    /// By the device's clock.
    pub since: Timestamp,
}
