//! Reading lists and live frames from JSON.
//!
//! A row has the fields of its item beside its own, and a frame has its kind beside its fields. The derived readers of
//! such types buffer each value in a tree and read it from there, with code generated per type. Here the text of the
//! value is read a second time instead, which is less code to fetch and less work for each of ten thousand rows.

mod json;

use flotilla_protocol::{
    Timestamp,
    activity::Activity,
    api::{Job, List, RelayFacts, ResourceRef, Row, UnreachableDevice},
    device::Device,
    id::DeviceId,
    name::DeviceName,
    path::Path,
};
use serde::{Deserialize, de::DeserializeOwned};

use crate::store::{InventoryItem, Keyed};
use json::Raw;
pub use json::{Unreadable, read};

type Result<T> = std::result::Result<T, Unreadable>;

/// A value that is one JSON object.
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

impl FromJson for Job {
    fn from_json(text: &str) -> Result<Self> {
        read(text)
    }
}

impl FromJson for RelayFacts {
    fn from_json(text: &str) -> Result<Self> {
        read(text)
    }
}

/// The fields of a row beside those of its item.
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
    struct Read<'a> {
        #[serde(borrow)]
        items: Vec<Raw<'a>>,
        #[serde(default)]
        unreachable_devices: Vec<UnreachableDevice>,
        #[serde(default)]
        seq: u64,
    }
    let Read {
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

/// A live frame. The text of an `upsert` is read by the collection of its kind.
#[derive(Debug)]
pub struct LiveFrame<'a> {
    pub seq: u64,
    pub upsert: Option<Upsert<'a>>,
    pub remove: Option<ResourceRef>,
    pub reset: bool,
}

/// A resource that is new or has changed: its kind and its JSON text.
#[derive(Debug)]
pub struct Upsert<'a> {
    pub kind: &'a str,
    pub text: &'a str,
}

/// Reads a live frame.
///
/// # Errors
/// The text is not one.
pub fn live_frame(text: &str) -> Result<LiveFrame<'_>> {
    #[derive(Deserialize)]
    struct Read<'a> {
        seq: u64,
        #[serde(borrow, default)]
        upsert: Option<Raw<'a>>,
        #[serde(default)]
        remove: Option<ResourceRef>,
        #[serde(default)]
        reset: bool,
    }
    let Read {
        seq,
        upsert,
        remove,
        reset,
    } = read(text)?;
    Ok(LiveFrame {
        seq,
        upsert: upsert.map(|upsert| resource(upsert.0)).transpose()?,
        remove,
        reset,
    })
}

fn resource(text: &str) -> Result<Upsert<'_>> {
    #[derive(Deserialize)]
    struct Read<'a> {
        kind: &'a str,
        // Paths and jobs have a field `kind` of their own, so they are nested one level deeper.
        #[serde(borrow, default)]
        path: Option<Raw<'a>>,
        #[serde(borrow, default)]
        job: Option<Raw<'a>>,
    }
    let Read { kind, path, job } = read(text)?;
    let nested = match kind {
        Path::NAME => path,
        Job::NAME => job,
        _ => None,
    };
    let text = nested.map_or(text, |nested| nested.0);
    Ok(Upsert { kind, text })
}

#[cfg(test)]
mod tests {
    use super::*;
    use flotilla_protocol::{
        api::{LiveFrame, Resource},
        inventory::{Container, Image, Network, Stack, Volume},
    };

    const CONTAINER: &str = r#""device":"nas","device_id":"01937c5e-7b1a-7c3e-8b9e-0123456789ab","id":"4f1c","name":"a \"b\" é",
        "image":"postgres:17","state":"running","status":"Running","health":"healthy","ports":[{"private":80,"protocol":"tcp"}],
        "created":"2026-01-02T03:04:05Z","as_of":"2026-01-02T03:04:06Z","later":[{"x":1}]"#;
    const VOLUME: &str = r#""device":"nas","device_id":"01937c5e-7b1a-7c3e-8b9e-0123456789ab","name":"v","driver":"local",
        "used_by":[],"as_of":"2026-01-02T03:04:06Z""#;
    const PATH: &str = r#""from":"nas","from_id":"01937c5e-7b1a-7c3e-8b9e-0123456789ab","to":"vps",
        "to_id":"01937c5e-7b1a-7c3e-8b9e-0123456789ac","kind":"none","relay":null,"rtt_ms":null,"since":null,
        "why_code":"none.policy","why":"No path","as_of":"2026-11-21T14:02:00Z""#;
    const ACTIVITY: &str = r#""id":7,"at":"2026-01-02T03:04:06Z","actor":{"kind":"owner"},"action":"device_added","succeeded":true,"details":"d""#;

    #[test]
    fn frames_read_as_the_vocabulary_reads_them() {
        let frames = [
            format!(r#"{{"seq":1,"upsert":{{"kind":"container",{CONTAINER}}}}}"#),
            r#"{"seq":4,"upsert":{"kind":"moon","phase":[1]}}"#.to_owned(),
            r#"{"seq":5,"remove":{"kind":"item","device_id":"01937c5e-7b1a-7c3e-8b9e-0123456789ab","of":"image","key":"k"}}"#.to_owned(),
            r#"{"seq":5,"remove":{"kind":"star","name":"k"}}"#.to_owned(),
            r#"{"seq":6,"reset":true}"#.to_owned(),
        ];
        for text in frames {
            let read = live_frame(&text).unwrap();
            let expected: LiveFrame = serde_json::from_str(&text).unwrap();
            assert_eq!(read.seq, expected.seq, "{text}");
            assert_eq!(read.remove, expected.remove, "{text}");
            assert_eq!(read.reset, expected.reset, "{text}");
            assert_eq!(read.upsert.is_some(), expected.upsert.is_some(), "{text}");
        }
    }

    /// The resource of a frame, if its kind is that of `T`.
    fn brought<T: FromJson + Keyed>(text: &str) -> Option<T> {
        let upsert = live_frame(text).unwrap().upsert.unwrap();
        (upsert.kind == T::NAME).then(|| T::from_json(upsert.text).unwrap())
    }

    #[test]
    fn what_a_frame_brings_reads_as_it_was_written() {
        let seq = 1;
        let written = |resource: Resource| {
            let upsert = Some(resource);
            let frame = LiveFrame {
                seq,
                upsert,
                remove: None,
                reset: false,
            };
            serde_json::to_string(&frame).unwrap()
        };
        let container: Row<Container> = serde_json::from_str(&format!("{{{CONTAINER}}}")).unwrap();
        let text = written(Resource::Container(Box::new(container.clone())));
        assert_eq!(brought(&text), Some(container));
        let volume: Row<Volume> = serde_json::from_str(&format!("{{{VOLUME}}}")).unwrap();
        assert_eq!(brought(&written(Resource::Volume(volume.clone()))), Some(volume));
        let activity: Activity = serde_json::from_str(&format!("{{{ACTIVITY}}}")).unwrap();
        assert_eq!(
            brought(&written(Resource::Activity(activity.clone()))),
            Some(activity)
        );
        let path: Path = serde_json::from_str(&format!("{{{PATH}}}")).unwrap();
        assert_eq!(
            brought(&written(Resource::Path(Box::new(path.clone())))),
            Some(path)
        );
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
