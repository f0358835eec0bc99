//! Lists over the whole fleet: each row knows its device and its age, and devices that did not answer are named.

#[cfg(feature = "openapi")]
mod schema;

use crate::{
    Timestamp,
    activity::{Activity, ActivityVerified},
    agent::PodPlacement,
    id::DeviceId,
    inventory::{Container, ContainerAction, Image, Network, Stack, Volume},
    name::DeviceName,
};
use serde::{Deserialize, Serialize};

/// The answer of a call that only acts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Empty {}

/// The body of a request whose path says everything.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NoFields {}

/// A list over all devices that were asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct List<T> {
    pub items: Vec<T>,
    /// Devices whose rows are as old as their `as_of` says, because they cannot be asked now.
    #[serde(default = "Vec::new")]
    pub unreachable_devices: Vec<UnreachableDevice>,
    /// The last live frame that is already contained in `items`.
    #[serde(default)]
    pub seq: u64,
}

impl<T> List<T> {
    /// A list of what control knows by itself.
    pub fn of(items: Vec<T>, seq: u64) -> Self {
        Self {
            items,
            unreachable_devices: Vec::new(),
            seq,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UnreachableDevice {
    pub device: DeviceName,
    pub reason: String,
}

/// Something on a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row<T> {
    pub device: DeviceName,
    pub device_id: DeviceId,
    pub item: T,
    /// The moment for which the row is known to be true.
    pub as_of: Timestamp,
}

macro_rules! inventory_list {
    ($(#[$doc:meta])* $name:ident $path:literal $item:ty) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, PartialEq, Eq)]
        pub struct $name {
            /// Ids or names; all devices when empty.
            pub devices: Vec<String>,
        }

        request!($name, Get $path ? "device" devices => List<Row<$item>>);
    };
}

inventory_list!(
    /// Containers of the fleet.
    ListContainers "/containers" Container
);
inventory_list!(
    /// Compose projects of the fleet.
    ListStacks "/stacks" Stack
);
inventory_list!(
    /// Images of the fleet.
    ListImages "/images" Image
);
inventory_list!(
    /// Volumes of the fleet.
    ListVolumes "/volumes" Volume
);
inventory_list!(
    /// Networks of the fleet.
    ListNetworks "/networks" Network
);

/// Starts, stops or restarts one container. The answer comes once the device has done it; the container's new row
/// follows as a live frame.
#[derive(Debug, Clone)]
pub struct ActOnContainer {
    pub device: String,
    /// Id, a unique beginning of it, or name.
    pub container: String,
    pub action: ContainerAction,
}

request!(ActOnContainer, Post "/devices/{device}/containers/{container}/{action}" [device, container, action] (NoFields) => Empty);

/// Puts a container into its device's pod, or takes it out, and answers when it runs there as it did before. The same
/// request again, while the first is carried out, waits for that one.
#[derive(Debug, Clone)]
pub struct PlaceInPod {
    pub device: String,
    /// Id, a unique beginning of it, or name.
    pub container: String,
    pub placement: PodPlacement,
}

/// How far the placement of a container has come.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Placed {
    /// It takes longer than an answer may, and goes on at the device: what it is doing there. Absent when it is done,
    /// and then lists show the container in its new place.
    pub goes_on: Option<String>,
}

request!(PlaceInPod, Post "/devices/{device}/containers/{container}/pod" [device, container] (placement: PodPlacement) => Placed);

/// The activity log, newest first.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct ListActivity {
    /// Only entries older than this id.
    pub before: Option<i64>,
    /// At most this many, 1 to 500; 100 when absent.
    pub limit: Option<u32>,
}

request!(ListActivity, Get "/activity" ? "before" before, "limit" limit => List<Activity>);

/// Whether the activity log is what was written. It reads the whole log, so a long one takes some seconds.
#[derive(Debug, Clone, Copy, Default)]
pub struct VerifyActivity {}

request!(VerifyActivity, Get "/activity/verify" => ActivityVerified);
