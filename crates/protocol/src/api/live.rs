//! The live stream (`GET /api/v1/live`, WebSocket): after a page was loaded by REST, these frames keep it true.
//!
//! Frames are numbered from 1 without gaps. A reader that missed some gets `reset` and loads its page again;
//! [`super::List::seq`] says which frames a loaded page already contains. Frames are idempotent.

use super::{Enrollment, Fleet, PolicyInForce, RelayFacts, Row};
use crate::{
    activity::Activity,
    device::Device,
    id::{DeviceId, RelayId},
    inventory::{Container, Image, Kind, Network, Stack, Volume},
    path::Path,
};
use serde::{Deserialize, Serialize};

/// One frame: `{"seq":7,"upsert":{"kind":"container","name":"postgres",…}}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub struct LiveFrame {
    pub seq: u64,
    /// A new or changed thing, whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upsert: Option<Resource>,
    /// A thing that is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remove: Option<ResourceRef>,
    /// Frames were lost or the stream just began: load what is shown again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reset: bool,
}

/// Anything that a page lists.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Resource {
    Fleet(Fleet),
    Device(Box<Device>),
    Container(Box<Row<Container>>),
    Image(Row<Image>),
    Volume(Row<Volume>),
    Network(Row<Network>),
    Stack(Row<Stack>),
    Activity(Activity),
    Enrollment(Enrollment),
    Path(Box<Path>),
    Policy(Box<PolicyInForce>),
    Relay(RelayFacts),
    #[serde(other)]
    Unknown,
}

/// Names a thing that is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ResourceRef {
    /// A device and everything on it.
    Device {
        device_id: DeviceId,
    },
    /// One thing on a device, by the key of [`crate::inventory::Item::key`].
    Item {
        device_id: DeviceId,
        of: Kind,
        key: String,
    },
    /// Everything of all kinds on a device; its new inventory follows.
    Inventory {
        device_id: DeviceId,
    },
    /// The path from one device to another.
    Path {
        from_id: DeviceId,
        to_id: DeviceId,
    },
    Relay {
        id: RelayId,
    },
    #[serde(other)]
    Unknown,
}
