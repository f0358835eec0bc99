//! Frames: the length of the body (4 bytes, big-endian), the kind (1 byte), the body.

use super::{End, Payload, Streaming, from_json, to_json};
use crate::{Code, Problem, text::shown};
use bytes::{Buf, BufMut, Bytes, BytesMut};

/// The longest body of a frame: what one stream of a link may have under way, so that a frame never waits for itself.
pub const LONGEST_BODY: usize = 256 * 1024;

const HEAD: usize = 5;

/// Kinds below this one belong to all streams, and those from here on to each stream.
const FIRST_OWN: u8 = 16;

/// The longest quote of a reason, in characters. A reason may quote what another machine sent.
const REASON_CHARS: usize = 200;

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameKind {
    /// A sign of life; it has no body.
    Beat,
    Open,
    /// The caller says no more; it has no body.
    Finish,
    End,
    /// An item, or what the caller says: a kind of the stream's own, from 0 to 239.
    Own(u8),
    /// Of all streams, and known to newer builds only.
    Unknown,
}

impl FrameKind {
    fn to_byte(self) -> u8 {
        match self {
            Self::Beat => 0,
            Self::Open => 1,
            Self::Finish => 2,
            Self::End => 3,
            Self::Own(kind) => FIRST_OWN.saturating_add(kind),
            Self::Unknown => FIRST_OWN - 1,
        }
    }

    fn of_byte(byte: u8) -> Self {
        match byte {
            0 => Self::Beat,
            1 => Self::Open,
            2 => Self::Finish,
            3 => Self::End,
            FIRST_OWN.. => Self::Own(byte - FIRST_OWN),
            _ => Self::Unknown,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    pub kind: FrameKind,
    pub body: Bytes,
}

/// Why bytes are not a stream of this version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("a frame of {0} bytes, where {LONGEST_BODY} is the most")]
    TooLong(usize),
    #[error("{0}")]
    Body(String),
    #[error("a stream begins with what is wanted, and that is said once")]
    OutOfTurn,
}

impl Malformed {
    pub(super) fn of_json(error: &serde_json::Error) -> Self {
        Self::Body(shown(&error.to_string(), REASON_CHARS))
    }
}

impl From<Malformed> for Problem {
    fn from(malformed: Malformed) -> Self {
        Code::UnsupportedProtocol.because(format!(
            "The two ends of this stream do not understand each other: {malformed}. Update the older one."
        ))
    }
}

impl<E> From<Malformed> for End<E> {
    fn from(malformed: Malformed) -> Self {
        Problem::from(malformed).into()
    }
}

impl Frame {
    /// A sign of life.
    pub const BEAT: Self = Self::bare(FrameKind::Beat);
    /// The caller says no more.
    pub const FINISH: Self = Self::bare(FrameKind::Finish);

    const fn bare(kind: FrameKind) -> Self {
        Self {
            kind,
            body: Bytes::new(),
        }
    }

    /// The first frame upward.
    ///
    /// # Errors
    /// It has no JSON form.
    pub fn open<S: Streaming>(open: &S::Open) -> Result<Self, Malformed> {
        Ok(Self {
            kind: FrameKind::Open,
            body: to_json(open)?,
        })
    }

    /// An item, or what the caller says.
    ///
    /// # Errors
    /// It has no JSON form.
    pub fn of(payload: &impl Payload) -> Result<Self, Malformed> {
        let (kind, body) = payload.write()?;
        Ok(Self {
            kind: FrameKind::Own(kind),
            body,
        })
    }

    /// The last frame. An end that does not fit into a frame becomes one that says so.
    pub fn end<S: Streaming>(end: &End<S::End>) -> Self {
        let fits = |body: &Bytes| body.len() <= LONGEST_BODY;
        let body = to_json(end).ok().filter(fits).unwrap_or_else(|| {
            let problem = Code::TooLarge.because("It ended, and what came of it is too long to be told.");
            to_json(&End::<()>::Failed { problem }).unwrap_or_default()
        });
        Self {
            kind: FrameKind::End,
            body,
        }
    }

    pub(super) fn read_end<S: Streaming>(&self) -> Result<End<S::End>, Malformed> {
        from_json(&self.body)
    }

    /// Appends the frame to what is sent.
    ///
    /// # Errors
    /// The body is longer than [`LONGEST_BODY`]; nothing is appended.
    pub fn write_to(&self, out: &mut BytesMut) -> Result<(), Malformed> {
        let length = self.body.len();
        let told = u32::try_from(length).map_err(|_| Malformed::TooLong(length))?;
        if length > LONGEST_BODY {
            return Err(Malformed::TooLong(length));
        }
        out.reserve(HEAD + length);
        out.put_u32(told);
        out.put_u8(self.kind.to_byte());
        out.put_slice(&self.body);
        Ok(())
    }

    /// The frame alone, as it is sent.
    ///
    /// # Errors
    /// The body is longer than [`LONGEST_BODY`].
    pub fn to_bytes(&self) -> Result<Bytes, Malformed> {
        let mut out = BytesMut::new();
        self.write_to(&mut out)?;
        Ok(out.freeze())
    }
}

/// Takes bytes in whatever pieces they come, and gives frames. What it keeps is less than one frame, when all frames
/// are taken before the next bytes are given: the length that a frame claims reserves nothing.
#[derive(Debug, Default)]
pub struct Decoder {
    pending: BytesMut,
}

impl Decoder {
    pub fn handle_bytes(&mut self, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
    }

    /// The next whole frame; `None` until more bytes have come.
    ///
    /// # Errors
    /// A frame claims to be too long. Bytes after that mean nothing, so every later call fails, too.
    pub fn poll_frame(&mut self) -> Result<Option<Frame>, Malformed> {
        let Some((head, rest)) = self.pending.split_first_chunk::<HEAD>() else {
            return Ok(None);
        };
        let [a, b, c, d, kind] = *head;
        let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
        if length > LONGEST_BODY {
            return Err(Malformed::TooLong(length));
        }
        if rest.len() < length {
            return Ok(None);
        }
        self.pending.advance(HEAD);
        Ok(Some(Frame {
            kind: FrameKind::of_byte(kind),
            body: self.pending.split_to(length).freeze(),
        }))
    }
}
