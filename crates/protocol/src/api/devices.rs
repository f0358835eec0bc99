//! Devices: add, list, change, rotate, revoke, remove.

use super::{Empty, List};
use crate::{
    Timestamp,
    device::{Device, NetworkMode, RelayPreference},
    id::{DeviceId, JobId},
    name::{DeviceName, Tag},
};
use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;

#[derive(Debug, Clone, Copy)]
pub struct ListDevices;

request!(ListDevices, Get "/devices" => List<Device>);

/// One device, by id or by name.
#[derive(Debug, Clone)]
pub struct GetDevice {
    pub device: String,
}

request!(GetDevice, Get "/devices/{device}" [device] => Device);

/// Adds a pending device and makes its first enrollment token.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AddDevice {
    /// A free two-word name is chosen when absent.
    pub name: Option<String>,
    #[serde(default, deserialize_with = "crate::open::known_if_any")]
    pub mode: Option<NetworkMode>,
    #[serde(default, deserialize_with = "crate::open::known_if_any")]
    pub relay: Option<RelayPreference>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Lifetime of the token in seconds, 900 (15 min) to 604,800 (7 d); 3,600 when absent.
    pub expires_seconds: Option<u32>,
}

request!(AddDevice, Post "/devices" (Self) => DeviceAdded);

/// A device with a fresh token, in every form that can be pasted. It holds the token's secret, which is shown once.
#[derive(Clone, Serialize, Deserialize, derive_more::Debug)]
#[debug("DeviceAdded({device:?})")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeviceAdded {
    pub device: AddedDevice,
    pub token_expires: Timestamp,
    /// Shell line that installs the agent as a system service.
    pub install: Option<String>,
    /// Shell lines that load the agent's image and run it.
    pub docker_run: Option<String>,
    /// The same for PowerShell on Windows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub docker_run_powershell: Option<String>,
    /// `compose.yaml` text.
    pub compose: Option<String>,
    /// `NAME.device.toml` text.
    pub config: Option<String>,
    /// Shell lines that run the agent with the config file in the present folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_run: Option<String>,
    /// Why each of the forms that are absent is absent.
    pub unavailable: Unavailable,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AddedDevice {
    pub id: DeviceId,
    pub name: DeviceName,
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub mesh_ip: Ipv4Addr,
    pub mode: NetworkMode,
    pub relay: RelayPreference,
    pub tags: Vec<Tag>,
}

/// Reasons by form.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Unavailable {
    pub install: Option<String>,
    pub docker_run: Option<String>,
    pub compose: Option<String>,
    pub config: Option<String>,
}

#[derive(Debug, Clone, Default)]
pub struct UpdateDevice {
    pub device: String,
    pub change: DeviceChange,
}

/// Changes what is given and leaves the rest.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct DeviceChange {
    pub name: Option<String>,
    pub tags: Option<TagChange>,
    /// Takes effect on the running device.
    #[serde(default, deserialize_with = "crate::open::known_if_any")]
    pub relay: Option<RelayPreference>,
    /// Host networking is meant, although Docker Desktop's virtual machine is the host.
    pub host_kept: Option<bool>,
    /// It is one machine: what looked like a second one is forgotten, and its machine id may be another at each boot.
    pub vouched: Option<bool>,
}

/// A change of tags relative to what the device has, so that two people's changes add up.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct TagChange {
    #[serde(default)]
    pub add: Vec<String>,
    #[serde(default)]
    pub remove: Vec<String>,
}

request!(UpdateDevice, Patch "/devices/{device}" [device] (change: DeviceChange) => Device);

#[derive(Debug, Clone)]
pub struct ChangeMode {
    pub device: String,
    pub change: ModeChange,
}

/// Changes the network mode. What policy makes of it is in force at once; the agent follows.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ModeChange {
    #[serde(deserialize_with = "crate::open::known")]
    pub mode: NetworkMode,
    /// As in [`AddDevice`], should a token be needed.
    pub expires_seconds: Option<u32>,
}

/// How the agent gets into its new network.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ModeChanged {
    pub device: Box<Device>,
    /// The job that moves the agent; absent where there is nothing to move, or no agent to be told.
    pub job: Option<JobId>,
    /// What to paste on the device, and why its agent can't do it alone; absent when it moves by itself.
    pub by_hand: Option<ByHand>,
}

/// A step that a person must take on the device.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ByHand {
    pub reason: String,
    /// The same device with a fresh token; the old agent ends when the new one first connects.
    pub texts: Box<DeviceAdded>,
}

request!(ChangeMode, Post "/devices/{device}/mode" [device] (change: ModeChange) => ModeChanged);

/// Makes a new token for the same device; the old certificate works until the new one first connects.
#[derive(Debug, Clone, Default)]
pub struct RotateDevice {
    pub device: String,
    pub lifetime: TokenLifetime,
}

/// How long the new token is good.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct TokenLifetime {
    /// Seconds, 900 (15 min) to 604,800 (7 d); 3,600 when absent.
    pub expires_seconds: Option<u32>,
}

request!(RotateDevice, Post "/devices/{device}/rotate" [device] (lifetime: TokenLifetime) => DeviceAdded);

/// Ends a device's trust within 2 s. Its row stays.
#[derive(Debug, Clone, Default)]
pub struct RevokeDevice {
    pub device: String,
}

request!(RevokeDevice, Post "/devices/{device}/revoke" [device] (NoFields) => Device);

/// Forgets a device that is pending or revoked.
#[derive(Debug, Clone)]
pub struct RemoveDevice {
    pub device: String,
}

request!(RemoveDevice, Delete "/devices/{device}" [device] => Empty);
