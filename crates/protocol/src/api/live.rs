//! The live stream (`GET /api/v1/live`, WebSocket): after a page was loaded by REST, these frames keep it true.
//!
//! Frames are numbered from 1 without gaps. A reader that missed some gets `reset` and loads its page again;
//! [`super::List::seq`] says which frames a loaded page already contains. Frames are idempotent. A caller who may view a
//! part of the fleet is sent the frames about that part, so it sees numbers that grow, and gaps between them; a device
//! that comes into the part or leaves it is a `reset`.

use super::{Enrollment, Fleet, Job, PolicyInForce, Push, RelayFacts, Row};
use crate::{
    activity::Activity,
    device::Device,
    id::{DeviceId, RelayId},
    inventory::{Container, Image, Kind, Network, Stack, Volume},
    path::Path,
};
use serde::{Deserialize, Deserializer, Serialize, de::IgnoredAny};
use std::time::Duration;

/// After this much silence control sends a [beat](LiveFrame::is_beat). A connection that is cut off reports nothing by
/// itself, so a page takes it for lost when beats fail to come.
pub const BEAT: Duration = Duration::from_secs(2);

/// One frame: `{"seq":7,"upsert":{"kind":"container","value":{"device":"nas",…}}}`.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct LiveFrame {
    pub seq: u64,
    /// A new or changed thing, whole.
    pub upsert: Option<Resource>,
    /// A thing that is gone.
    pub remove: Option<ResourceRef>,
    /// Frames were lost or the stream just began: load what is shown again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reset: bool,
}

impl LiveFrame {
    /// Whether this is only a sign of life: it changes nothing, and its number is that of the frame before it.
    pub fn is_beat(&self) -> bool {
        self.upsert.is_none() && self.remove.is_none() && !self.reset
    }
}

/// Anything that a page lists. Its value lies below a key of its own, so that a reader can leave it for later.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "value", rename_all = "snake_case")]
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
    Push(Push),
    /// Without its lines and outcomes.
    Job(Box<Job>),
    #[serde(other, deserialize_with = "pass_over")]
    Unknown,
}

/// Reads the value of a kind that this build does not know.
fn pass_over<'de, D: Deserializer<'de>>(value: D) -> Result<(), D::Error> {
    IgnoredAny::deserialize(value).map(drop)
}

/// Names a thing that is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_and_its_frame_each_keep_their_kind() {
        let path = r#"{"from":"nas","from_id":"01937c5e-7b1a-7c3e-8b9e-0123456789ab","to":"vps",
            "to_id":"01937c5e-7b1a-7c3e-8b9e-0123456789ac","kind":"none","relay":null,"rtt_ms":null,"since":null,
            "why_code":"none.policy","why":"No path","as_of":"2026-11-21T14:02:00Z"}"#;
        let path: Path = serde_json::from_str(path).unwrap();
        let resource = Resource::Path(Box::new(path));
        let text = serde_json::to_string(&resource).unwrap();
        assert!(
            text.starts_with(r#"{"kind":"path","value":{"from":"nas""#),
            "{text}"
        );
        assert_eq!(serde_json::from_str::<Resource>(&text).unwrap(), resource);
    }
}
