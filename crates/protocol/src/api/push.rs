//! SSH push: control installs the agent on a device over the owner's own `ssh`.

use super::Empty;
use crate::{
    Problem, Timestamp,
    id::{DeviceId, JobId},
};
use serde::{Deserialize, Serialize};

/// The hosts that the owner's `ssh` configuration names.
#[derive(Debug, Clone, Copy)]
pub struct ListSshHosts;

/// A host that `ssh` knows by name.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SshHost {
    /// The word after `Host`.
    pub alias: String,
    pub hostname: Option<String>,
    pub user: Option<String>,
}

request!(ListSshHosts, Get "/ssh/hosts" => Vec<SshHost>);

#[derive(Debug, Clone)]
pub struct PushDevice {
    pub device: String,
    pub install: SshInstall,
}

/// Installs the agent of a pending device over SSH. A fresh token replaces the device's present one.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SshInstall {
    /// An alias of the owner's configuration, or `[user@]host[:port]`.
    pub host: String,
    #[serde(default)]
    pub as_root: bool,
    #[serde(default)]
    pub skip_docker: bool,
}

request!(PushDevice, Post "/devices/{device}/push" [device] (install: SshInstall) => Push);

/// The newest push to a device.
#[derive(Debug, Clone)]
pub struct GetPush {
    pub device: String,
}

request!(GetPush, Get "/devices/{device}/push" [device] => Push);

/// Ends a push that runs, and the tunnel that it left behind.
#[derive(Debug, Clone)]
pub struct EndPush {
    pub device: String,
}

request!(EndPush, Delete "/devices/{device}/push" [device] => Empty);

/// How far a push has come.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Push {
    pub device_id: DeviceId,
    /// The job that it is; absent for a tunnel whose push is long over.
    pub job: Option<JobId>,
    pub host: String,
    pub state: PushState,
    /// What was done and, behind `> `, what the host printed; newest last, at most the last 200 lines.
    pub lines: Vec<String>,
    /// Why it failed, and what to do.
    pub failure: Option<Problem>,
    /// The device can't dial control by itself: `ssh` carries its link.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tunneled: bool,
    pub as_of: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PushState {
    Connecting,
    Installing,
    /// The installer is done; the agent is on its way to Online.
    Installed,
    Failed,
    #[serde(other)]
    Unknown,
}
