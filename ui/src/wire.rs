//! Reading lists and live frames.
//!
//! A row is flat on the wire and a frame names its kind beside its fields. Read by what the types derive, every such
//! value would be copied into a tree first and read from there, by code of its own for each type. Here the text itself
//! is read again instead: less code to load, and less to do for each of ten thousand rows.

mod json;

use flotilla_protocol::{
    Timestamp,
    activity::Activity,
    api::{List, LiveFrame, RelayFacts, Resource, ResourceRef, Row, UnreachableDevice},
    device::Device,
    id::DeviceId,
    name::DeviceName,
    path::Path,
};
use serde::{Deserialize, de::DeserializeOwned};

use crate::store::InventoryItem;
pub use json::{Unreadable, read};

type Result<T> = std::result::Result<T, Unreadable>;

/// Something that one JSON object stands for.
pub trait FromJson: Sized {
    /// # Errors
    /// The text is not such an object.
    fn from_json(text: &str) -> Result<Self>;
}

impl FromJson for Device {
    fn from_json(text: &str) -> Result<Self> {
        read(text)
    }
}

impl FromJson for Activity {
    fn from_json(text: &str) -> Result<Self> {
        read(text)
    }
}

impl FromJson for Path {
    fn from_json(text: &str) -> Result<Self> {
        read(text)
    }
}

impl FromJson for RelayFacts {
    fn from_json(text: &str) -> Result<Self> {
        read(text)
    }
}

/// Where a row is from and how old it is.
#[derive(Deserialize)]
struct Origin {
    device: DeviceName,
    device_id: DeviceId,
    as_of: Timestamp,
}

impl<T: InventoryItem + DeserializeOwned> FromJson for Row<T> {
    fn from_json(text: &str) -> Result<Self> {
        let Origin {
            device,
            device_id,
            as_of,
        } = read(text)?;
        Ok(Self {
            device,
            device_id,
            item: read(text)?,
            as_of,
        })
    }
}

/// Reads a list.
///
/// # Errors
/// The text is not one.
pub fn list<T: FromJson>(text: &str) -> Result<List<T>> {
    #[derive(Deserialize)]
    struct Raw<'a> {
        #[serde(borrow)]
        items: Vec<json::Raw<'a>>,
        #[serde(default)]
        unreachable_devices: Vec<UnreachableDevice>,
        #[serde(default)]
        seq: u64,
    }
    let Raw {
        items,
        unreachable_devices,
        seq,
    } = read(text)?;
    let items = items
        .into_iter()
        .map(|item| T::from_json(item.0))
        .collect::<Result<_>>()?;
    Ok(List {
        items,
        unreachable_devices,
        seq,
    })
}

/// Reads a live frame.
///
/// # Errors
/// The text is not one.
pub fn frame(text: &str) -> Result<LiveFrame> {
    #[derive(Deserialize)]
    struct Raw<'a> {
        seq: u64,
        #[serde(borrow, default)]
        upsert: Option<json::Raw<'a>>,
        #[serde(default)]
        remove: Option<ResourceRef>,
        #[serde(default)]
        reset: bool,
    }
    let Raw {
        seq,
        upsert,
        remove,
        reset,
    } = read(text)?;
    let upsert = upsert.map(|upsert| resource(upsert.0)).transpose()?;
    Ok(LiveFrame {
        seq,
        upsert,
        remove,
        reset,
    })
}

fn resource(text: &str) -> Result<Resource> {
    #[derive(Deserialize)]
    struct Kind<'a> {
        #[serde(borrow)]
        kind: &'a str,
    }
    let Kind { kind } = read(text)?;
    Ok(match kind {
        "fleet" => Resource::Fleet(read(text)?),
        "device" => Resource::Device(Box::new(FromJson::from_json(text)?)),
        "container" => Resource::Container(Box::new(FromJson::from_json(text)?)),
        "image" => Resource::Image(FromJson::from_json(text)?),
        "volume" => Resource::Volume(FromJson::from_json(text)?),
        "network" => Resource::Network(FromJson::from_json(text)?),
        "stack" => Resource::Stack(FromJson::from_json(text)?),
        "activity" => Resource::Activity(FromJson::from_json(text)?),
        "enrollment" => Resource::Enrollment(read(text)?),
        "path" => Resource::Path(Box::new(FromJson::from_json(text)?)),
        "policy" => Resource::Policy(Box::new(read(text)?)),
        "relay" => Resource::Relay(FromJson::from_json(text)?),
        "push" => Resource::Push(read(text)?),
        _ => Resource::Unknown,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use flotilla_protocol::inventory::Container;

    const CONTAINER: &str = r#""device":"nas","device_id":"01937c5e-7b1a-7c3e-8b9e-0123456789ab","id":"4f1c","name":"a \"b\" é",
        "image":"postgres:17","state":"running","status":"Running","health":"healthy","ports":[{"private":80,"protocol":"tcp"}],
        "created":"2026-01-02T03:04:05Z","as_of":"2026-01-02T03:04:06Z","later":[{"x":1}]"#;
    const VOLUME: &str = r#""device":"nas","device_id":"01937c5e-7b1a-7c3e-8b9e-0123456789ab","name":"v","driver":"local",
        "used_by":[],"as_of":"2026-01-02T03:04:06Z""#;
    const ACTIVITY: &str = r#""id":7,"at":"2026-01-02T03:04:06Z","actor":{"kind":"owner"},"action":"device_added","succeeded":true,"details":"d""#;

    #[test]
    fn frames_read_as_the_vocabulary_reads_them() {
        let frames = [
            format!(r#"{{"seq":1,"upsert":{{"kind":"container",{CONTAINER}}}}}"#),
            format!(r#"{{"upsert":{{{VOLUME},"kind":"volume"}},"seq":2}}"#),
            format!(r#"{{"seq":3,"upsert":{{"kind":"activity",{ACTIVITY}}}}}"#),
            r#"{"seq":4,"upsert":{"kind":"moon","phase":[1]}}"#.to_owned(),
            r#"{"seq":5,"remove":{"kind":"item","device_id":"01937c5e-7b1a-7c3e-8b9e-0123456789ab","of":"image","key":"k"}}"#.to_owned(),
            r#"{"seq":6,"reset":true}"#.to_owned(),
        ];
        for text in frames {
            assert_eq!(
                frame(&text).unwrap(),
                serde_json::from_str::<LiveFrame>(&text).unwrap(),
                "{text}"
            );
        }
    }

    #[test]
    fn every_kind_of_the_vocabulary_is_known_here() {
        let rows = [
            ("container", CONTAINER),
            ("volume", VOLUME),
            ("activity", ACTIVITY),
        ];
        for (kind, fields) in rows {
            let read = frame(&format!(r#"{{"seq":1,"upsert":{{"kind":"{kind}",{fields}}}}}"#)).unwrap();
            assert_ne!(read.upsert, Some(Resource::Unknown), "{kind}");
        }
        // What lacks its fields is refused; only what has no name here is unknown.
        for kind in [
            "fleet",
            "device",
            "container",
            "image",
            "volume",
            "network",
            "stack",
            "activity",
            "enrollment",
            "path",
            "policy",
            "relay",
        ] {
            assert!(
                frame(&format!(r#"{{"seq":1,"upsert":{{"kind":"{kind}"}}}}"#)).is_err(),
                "{kind}"
            );
        }
    }

    #[test]
    fn lists_read_as_the_vocabulary_reads_them() {
        let text = format!(
            r#"{{"items":[{{{CONTAINER}}}],"unreachable_devices":[{{"device":"pi","reason":"offline"}}],"seq":9}}"#
        );
        let read: List<Row<Container>> = list(&text).unwrap();
        assert_eq!(read, serde_json::from_str(&text).unwrap());
        assert!(list::<Row<Container>>(r#"{"items":[{"device":"nas"}]}"#).is_err());
    }
}
