//! A search through the logs of the fleet, for people and programs.
//!
//! Each device looks through its own logs, and what it finds comes as soon as it is found: the lines of one container in
//! the order of their time, and containers side by side. Who shows them puts them together by time.

use crate::{
    Timestamp,
    id::DeviceId,
    log::{LogLevel, LogPiece, LogSource, put_pieces, take_pieces},
    name::DeviceName,
    open::choice,
    stream::{Malformed, Payload, Silence, Streaming, from_json, to_json},
};
use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use serde::{Deserialize, Serialize};

/// A search through the logs of many containers. It can't go on where it was: a stream that is opened again begins anew.
#[derive(Debug)]
pub enum SearchLogs {}

impl Streaming for SearchLogs {
    type At = ();
    type Open = LogSearch;
    type Up = Silence;
    type Item = SearchItem;
    type End = SearchEnd;

    const PATH: &'static str = "/logs";

    fn path((): &()) -> String {
        Self::PATH.to_owned()
    }

    fn advance(_: &mut LogSearch, _: &SearchItem) {}
}

/// Which lines are wanted, of which containers.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct LogSearch {
    /// A regular expression, as for one log.
    pub grep: Option<String>,
    /// How much lines have to matter, as for one log.
    pub level: Option<LogLevel>,
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
    /// Both when it is absent.
    pub source: Option<LogSource>,
    /// Ids or names; all devices that the caller may see when there are none.
    pub devices: Vec<String>,
    /// Names, ids or unique beginnings of them; all containers of the devices when there are none.
    pub containers: Vec<String>,
}

/// What a search brings.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum SearchItem {
    /// Lines that were found.
    Lines(SearchedLines),
    /// A container, before its first lines, or because it can't be searched.
    Container(SearchedContainer),
    /// How far a device is.
    Device(SearchedDevice),
}

/// Lines of one container. As bytes: its number (4 bytes, big-endian), then pieces as in the log of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SearchedLines {
    /// The number that the container has in this search.
    pub container: u32,
    pub pieces: Vec<LogPiece>,
}

/// A container of a search.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SearchedContainer {
    pub number: u32,
    pub device: DeviceName,
    pub device_id: DeviceId,
    pub id: String,
    pub name: String,
    /// Why its log can't be read on, where that is so.
    pub reason: Option<String>,
}

choice!(
    /// How far a search is on a device.
    SearchState:
    Searching = "searching",
    /// All of its containers were searched, as far as they have a log.
    Done = "done",
    /// It can't be asked, so what is not searched yet will not be.
    Away = "away"
);

/// A device of a search.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SearchedDevice {
    pub device: DeviceName,
    pub device_id: DeviceId,
    pub state: SearchState,
    /// Containers whose logs are wanted.
    pub containers: u32,
    /// Those that were read to the end.
    pub searched: u32,
    /// Lines that were found.
    pub lines: u64,
    /// Why it is away.
    pub reason: Option<String>,
}

/// Why a search brings no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SearchEnd {
    pub reason: SearchEndReason,
}

choice!(
    /// What ended a search.
    SearchEndReason:
    /// All was searched, on each device that can be asked.
    Complete = "complete",
    /// More was found than one search brings.
    Full = "full"
);

const LINES: u8 = 0;
const CONTAINER: u8 = 1;
const DEVICE: u8 = 2;

impl Payload for SearchItem {
    fn write(&self) -> Result<(u8, Bytes), Malformed> {
        Ok(match self {
            Self::Lines(SearchedLines { container, pieces }) => {
                let mut body = BytesMut::new();
                body.put_u32(*container);
                put_pieces(&mut body, pieces)?;
                (LINES, body.freeze())
            }
            Self::Container(container) => (CONTAINER, to_json(container)?),
            Self::Device(device) => (DEVICE, to_json(device)?),
        })
    }

    fn read(kind: u8, body: &Bytes) -> Result<Option<Self>, Malformed> {
        Ok(Some(match kind {
            LINES => {
                let mut rest = body.clone();
                let container = rest.try_get_u32();
                Self::Lines(SearchedLines {
                    container: container.map_err(|error| Malformed::Body(error.to_string()))?,
                    pieces: take_pieces(rest)?,
                })
            }
            CONTAINER => Self::Container(from_json(body)?),
            DEVICE => Self::Device(from_json(body)?),
            _ => return Ok(None),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn items() -> Vec<SearchItem> {
        let device_id = "01937c5e-7b1a-7c3e-8b9e-0123456789ab".parse().unwrap();
        let device: DeviceName = "nas".parse().unwrap();
        let piece = LogPiece {
            at: Some(Timestamp::UNIX_EPOCH),
            source: LogSource::Stderr,
            ends_line: true,
            bytes: Bytes::from_static(b"\xff\x00found"),
        };
        vec![
            SearchItem::Lines(SearchedLines {
                container: 7,
                pieces: vec![piece.clone(), piece],
            }),
            SearchItem::Container(SearchedContainer {
                number: 7,
                device: device.clone(),
                device_id,
                id: "cafe".into(),
                name: "web".into(),
                reason: None,
            }),
            SearchItem::Device(SearchedDevice {
                device,
                device_id,
                state: SearchState::Away,
                containers: 3,
                searched: 1,
                lines: 2,
                reason: Some("nas is offline.".into()),
            }),
        ]
    }

    #[test]
    fn each_item_is_read_as_it_was_written_and_those_of_newer_builds_are_left_out() {
        for item in items() {
            let (kind, body) = item.write().unwrap();
            assert_eq!(SearchItem::read(kind, &body).unwrap(), Some(item));
            assert_eq!(SearchItem::read(9, &body).unwrap(), None);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(kind in 0..4_u8, body in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = SearchItem::read(kind, &Bytes::from(body));
        }
    }
}
