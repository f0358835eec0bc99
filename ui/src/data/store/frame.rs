//! A live frame as the page reads it: the value of an upsert stays text, which the collection of its kind reads.

use flotilla_protocol::{
    api::ResourceRef,
    id::{DeviceId, RelayId},
    inventory::Kind,
};
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::value::RawValue;

/// A frame of [`flotilla_protocol::api::LiveFrame`].
#[derive(Debug, Deserialize)]
pub struct LiveFrame<'a> {
    pub seq: u64,
    #[serde(borrow, default)]
    pub upsert: Option<Upsert<'a>>,
    #[serde(default, deserialize_with = "gone")]
    pub remove: Option<ResourceRef>,
    #[serde(default)]
    pub reset: bool,
}

/// A resource that is new or has changed.
#[derive(Debug, Deserialize)]
pub struct Upsert<'a> {
    pub kind: &'a str,
    #[serde(borrow)]
    pub value: &'a RawValue,
}

/// The fields of all kinds of [`ResourceRef`]. Read one by one, as the kinds are declared, they take five times the code.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Gone<'a> {
    kind: &'a str,
    device_id: Option<DeviceId>,
    of: Option<Kind>,
    key: Option<String>,
    from_id: Option<DeviceId>,
    to_id: Option<DeviceId>,
    id: Option<RelayId>,
}

impl Gone<'_> {
    /// The thing that is gone, unless a field of its kind is missing.
    fn named(self) -> Option<ResourceRef> {
        Some(match self.kind {
            "device" => ResourceRef::Device {
                device_id: self.device_id?,
            },
            "item" => ResourceRef::Item {
                device_id: self.device_id?,
                of: self.of?,
                key: self.key?,
            },
            "inventory" => ResourceRef::Inventory {
                device_id: self.device_id?,
            },
            "path" => ResourceRef::Path {
                from_id: self.from_id?,
                to_id: self.to_id?,
            },
            "relay" => ResourceRef::Relay { id: self.id? },
            _ => ResourceRef::Unknown,
        })
    }
}

fn gone<'de, D: Deserializer<'de>>(remove: D) -> Result<Option<ResourceRef>, D::Error> {
    let gone = Option::<Gone<'de>>::deserialize(remove)?;
    let named = gone.map(|gone| gone.named().ok_or_else(|| D::Error::missing_field("remove")));
    named.transpose()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{InventoryItem, Keyed};
    use flotilla_protocol::{
        activity::Activity,
        api::{Resource, Row},
        inventory::{Container, Image, Network, Stack, Volume},
        path::Path,
    };
    use serde::de::DeserializeOwned;

    const VOLUME: &str = r#"{"device":"nas","device_id":"01937c5e-7b1a-7c3e-8b9e-0123456789ab",
        "item":{"name":"a \"b\" é","driver":"local","used_by":[]},"as_of":"2026-01-02T03:04:06Z"}"#;
    const PATH: &str = r#"{"from":"nas","from_id":"01937c5e-7b1a-7c3e-8b9e-0123456789ab","to":"vps",
        "to_id":"01937c5e-7b1a-7c3e-8b9e-0123456789ac","kind":"none","relay":null,"rtt_ms":null,"since":null,
        "why_code":"none.policy","why":"No path","as_of":"2026-11-21T14:02:00Z"}"#;
    const ACTIVITY: &str = r#"{"id":7,"at":"2026-01-02T03:04:06Z","actor":{"kind":"owner"},"action":"device_added",
        "succeeded":true,"details":"d"}"#;

    /// A frame as control writes it, and the resource in it as the page reads it.
    fn brought<T: Keyed + DeserializeOwned>(resource: Resource) -> T {
        let frame = flotilla_protocol::api::LiveFrame {
            seq: 1,
            upsert: Some(resource),
            remove: None,
            reset: false,
        };
        let text = serde_json::to_string(&frame).unwrap();
        let read: LiveFrame<'_> = serde_json::from_str(&text).unwrap();
        let Upsert { kind, value } = read.upsert.unwrap();
        assert_eq!(kind, T::NAME);
        serde_json::from_str(value.get()).unwrap()
    }

    #[test]
    fn what_a_frame_brings_reads_as_it_was_written() {
        let volume: Row<Volume> = serde_json::from_str(VOLUME).unwrap();
        assert_eq!(brought::<Row<Volume>>(Resource::Volume(volume.clone())), volume);
        let path: Path = serde_json::from_str(PATH).unwrap();
        assert_eq!(brought::<Path>(Resource::Path(Box::new(path.clone()))), path);
        let entry: Activity = serde_json::from_str(ACTIVITY).unwrap();
        assert_eq!(brought::<Activity>(Resource::Activity(entry.clone())), entry);
    }

    #[test]
    fn what_is_gone_is_named_as_it_was_written() {
        let id = |last: u8| format!("01937c5e-7b1a-7c3e-8b9e-0123456789{last:02x}");
        let device_id: DeviceId = id(1).parse().unwrap();
        let to_id = id(2).parse().unwrap();
        for gone in [
            ResourceRef::Device { device_id },
            ResourceRef::Item {
                device_id,
                of: Kind::Volume,
                key: "a \"b\"".to_owned(),
            },
            ResourceRef::Inventory { device_id },
            ResourceRef::Path {
                from_id: device_id,
                to_id,
            },
            ResourceRef::Relay {
                id: id(3).parse().unwrap(),
            },
        ] {
            let frame = flotilla_protocol::api::LiveFrame {
                seq: 1,
                remove: Some(gone.clone()),
                ..Default::default()
            };
            let text = serde_json::to_string(&frame).unwrap();
            let read: LiveFrame<'_> = serde_json::from_str(&text).unwrap();
            assert_eq!(read.remove, Some(gone));
        }
        let nameless = r#"{"seq":5,"remove":{"kind":"device"}}"#;
        assert!(serde_json::from_str::<LiveFrame<'_>>(nameless).is_err());
    }

    #[test]
    fn frames_of_the_future_are_read_as_far_as_they_go() {
        let read: LiveFrame<'_> =
            serde_json::from_str(r#"{"seq":4,"upsert":{"kind":"moon","value":{"phase":[1]}}}"#).unwrap();
        assert_eq!(read.upsert.map(|upsert| upsert.kind), Some("moon"));
        let read: LiveFrame<'_> =
            serde_json::from_str(r#"{"seq":5,"remove":{"kind":"star","name":"k"},"new":1}"#).unwrap();
        assert_eq!(read.remove, Some(ResourceRef::Unknown));
    }

    #[test]
    fn frames_call_the_kinds_as_the_vocabulary_does() {
        fn same<T: InventoryItem>() {
            assert_eq!(serde_json::to_value(T::KIND).unwrap(), <T as InventoryItem>::NAME);
        }
        same::<Container>();
        same::<Image>();
        same::<Volume>();
        same::<Network>();
        same::<Stack>();
    }
}
