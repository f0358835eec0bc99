//! The activity log: one entry for everything that changes something, failed attempts included.

use crate::{Timestamp, id::DeviceId};
use serde::{Deserialize, Serialize};

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Actor {
    /// The owner, on the computer that control runs on.
    Owner,
    /// A program, with the API token of this name.
    Token { name: String },
    /// A device's agent, by the device's name.
    Device { name: String },
    /// A caller that showed no valid credential, by its network address.
    Stranger { address: String },
    /// Control itself.
    Control,
    #[serde(other)]
    Unknown,
}

/// What was done, as a closed list of words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Action {
    FleetCreated,
    FleetUpdated,
    DeviceAdded,
    DeviceUpdated,
    DeviceEnrolled,
    EnrollmentRefused,
    DeviceRotated,
    /// Its agent was installed over SSH, or was to be.
    DevicePushed,
    DeviceRevoked,
    DeviceRemoved,
    DeviceQuarantined,
    DeviceOnline,
    DeviceOffline,
    ContainerStarted,
    ContainerStopped,
    ContainerRestarted,
    ContainerPaused,
    ContainerUnpaused,
    ContainerKilled,
    ContainerRemoved,
    ContainerRecreated,
    /// Recreated inside its device's pod, or outside of it.
    ContainerMoved,
    PolicySaved,
    RelayStarted,
    RelayEnded,
    TokenCreated,
    TokenRevoked,
    #[serde(other)]
    Unknown,
}

/// One line of the log. Entries are chained by hash, so that a removed or edited one shows.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Activity {
    /// Position in the log, from 1 without gaps. The oldest entries are let go after a year, and beyond a million.
    pub id: i64,
    pub at: Timestamp,
    pub actor: Actor,
    pub action: Action,
    /// The object's name: a container, a tag, a setting; absent where the device itself is the object.
    pub target: Option<String>,
    pub device_id: Option<DeviceId>,
    /// The device's name at the time.
    pub device: Option<String>,
    pub succeeded: bool,
    /// One sentence: what changed, or why it was refused.
    pub details: String,
}

/// What following the chain of hashes through the log found.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ActivityVerified {
    /// How many entries follow from the ones before them.
    pub entries: u64,
    /// The oldest of them; absent when there is none.
    pub first: Option<i64>,
    /// The newest of them.
    pub last: Option<i64>,
    /// The first entry that does not; nothing behind it was looked at.
    pub faulty: Option<FaultyEntry>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FaultyEntry {
    /// Its position in the log.
    pub id: i64,
    pub fault: ActivityFault,
}

/// What is wrong with an entry of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ActivityFault {
    /// There is none at this position, and there is one behind it.
    Missing,
    /// It, or the hash beside it, is not what was written.
    Changed,
    #[serde(other)]
    Unknown,
}
