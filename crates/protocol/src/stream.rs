//! Streams: answers without a fixed length, which end with their reader at the latest, typed like a request.
//!
//! A stream is frames in both directions, each with its length, its kind and its bytes ([`Frame`]):
//!
//! | direction | frames, in this order |
//! |---|---|
//! | up | one `open` that says what is wanted and from where on, what the caller says, `finish` when it says no more |
//! | down | items, `beat`s while there are none, one `end` that says why there are no more |
//!
//! A reader gets exactly one [`End`], as the last thing: the one that was sent, or [`End::LinkLost`] where the bytes
//! stop without one. Where the thing can go on, [`Streaming::advance`] moves the place in the open behind each item, so
//! that the same open, sent again, continues without a gap and without a repeat.
//!
//! Between control and agent, a stream is the two bodies of a `POST`; between control and a page or program, the binary
//! messages of a WebSocket, each of which holds whole frames. The frames are the same.

mod end;
mod frame;
mod listener;
mod reader;
#[cfg(test)]
mod tests;

pub use end::End;
pub use frame::{Decoder, Frame, FrameKind, LONGEST_BODY, Malformed};
pub use listener::{Listener, Said, SaidOf};
pub use reader::{Event, EventOf, Reader};

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};
use std::fmt::Debug;

/// Subprotocol of the WebSockets that carry a stream; the only one that control answers there.
pub const STREAM_PROTOCOL: &str = "flotilla.stream";

/// The types and the path of one kind of stream. The implementor is only a name for them.
pub trait Streaming: Debug + 'static {
    /// What the path names.
    type At;
    /// What is wanted, and from where on. It travels in the first frame, never in an address.
    type Open: Serialize + DeserializeOwned + Debug + Send + 'static;
    /// What the caller says after that; [`Silence`] where it only listens.
    type Up: Payload;
    type Item: Payload;
    /// The outcome of what the stream is about, where that itself ended.
    type End: Serialize + DeserializeOwned + Debug + Send + 'static;

    /// The path with `{names}` where [`Streaming::path`] has values: whole at an agent, and below
    /// [`crate::api::PREFIX`] at control.
    const PATH: &'static str;

    fn path(at: &Self::At) -> String;

    /// Moves the place from which the stream is wanted behind an item. A stream that cannot go on does nothing here,
    /// and begins anew when it is opened again.
    fn advance(open: &mut Self::Open, item: &Self::Item);
}

/// What one frame carries.
pub trait Payload: Sized + Debug + Send + 'static {
    /// Whether there are any.
    const IS_EVER_SENT: bool = true;

    /// A kind of its own, from 0 to 239, and the bytes.
    ///
    /// # Errors
    /// It has no JSON form. That it is too long is noticed by the frame.
    fn write(&self) -> Result<(u8, Bytes), Malformed>;

    /// `None` for a kind that only newer builds know: it is left out.
    ///
    /// # Errors
    /// The bytes are not what their kind says.
    fn read(kind: u8, body: &Bytes) -> Result<Option<Self>, Malformed>;
}

/// What the caller of a stream says that only tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Silence {}

impl Payload for Silence {
    const IS_EVER_SENT: bool = false;

    fn write(&self) -> Result<(u8, Bytes), Malformed> {
        match *self {}
    }

    fn read(_: u8, _: &Bytes) -> Result<Option<Self>, Malformed> {
        Ok(None)
    }
}

/// Makes a type a [`Payload`] of one kind, 0, as JSON.
macro_rules! json_payload {
    ($type:ty) => {
        impl $crate::stream::Payload for $type {
            fn write(&self) -> Result<(u8, bytes::Bytes), $crate::stream::Malformed> {
                Ok((0, $crate::stream::to_json(self)?))
            }

            fn read(kind: u8, body: &bytes::Bytes) -> Result<Option<Self>, $crate::stream::Malformed> {
                (kind == 0)
                    .then(|| $crate::stream::from_json(body))
                    .transpose()
            }
        }
    };
}

pub(crate) use json_payload;

/// A value as JSON, for a [`Payload`] that is no bytes by itself.
///
/// # Errors
/// It has no JSON form.
pub fn to_json(value: &impl Serialize) -> Result<Bytes, Malformed> {
    serde_json::to_vec(value)
        .map(Bytes::from)
        .map_err(|error| Malformed::of_json(&error))
}

/// The value that [`to_json`] wrote.
///
/// # Errors
/// The bytes are no JSON of this type.
pub fn from_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Malformed> {
    serde_json::from_slice(body).map_err(|error| Malformed::of_json(&error))
}
