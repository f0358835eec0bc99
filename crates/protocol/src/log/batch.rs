//! Pieces of a log as bytes. The body of a frame is one batch:
//!
//! | bytes | what |
//! |---|---|
//! | 8, 4 | the place behind the batch: seconds since 1970, signed, and nanoseconds |
//! | 8 | its count of pieces |
//! | | then for each piece: |
//! | 1 | 1 if it comes from the standard error, plus 2 if it ends its line, plus 4 if it has a time |
//! | 8, 4 | its time, as above, if it has one |
//! | 4 | the number of its bytes |
//! | | its bytes, without the end of the line |
//!
//! Numbers are big-endian.

use super::{LogPlace, LogSource};
use crate::{
    Timestamp,
    stream::{Malformed, Payload},
};
use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};

const STDERR: u8 = 1;
const ENDS_LINE: u8 = 2;
const HAS_TIME: u8 = 4;

/// A place's bytes.
const PLACE: usize = 20;

/// The most bytes that a piece has beside its own.
const PIECE: usize = 17;

/// What a container wrote at once: a line, or a part of a long one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogPiece {
    /// When the engine took it; absent where its log does not say so.
    pub at: Option<Timestamp>,
    pub source: LogSource,
    /// Whether the line is over with it.
    pub ends_line: bool,
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Binary))]
    pub bytes: Bytes,
}

/// Pieces one after the other, and the place behind them. There may be none, which only moves the place.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogBatch {
    pub place: LogPlace,
    pub pieces: Vec<LogPiece>,
}

impl LogBatch {
    /// The bytes that a piece adds to a batch.
    #[must_use]
    pub fn weight(piece: &LogPiece) -> usize {
        PIECE + piece.bytes.len()
    }
}

impl Payload for LogBatch {
    fn write(&self) -> Result<(u8, Bytes), Malformed> {
        let weight: usize = self.pieces.iter().map(Self::weight).sum();
        let mut body = BytesMut::with_capacity(PLACE + weight);
        put_time(&mut body, self.place.from);
        body.put_u64(self.place.pieces);
        put_pieces(&mut body, &self.pieces)?;
        Ok((0, body.freeze()))
    }

    fn read(kind: u8, body: &Bytes) -> Result<Option<Self>, Malformed> {
        if kind != 0 {
            return Ok(None);
        }
        let mut rest = body.clone();
        let (from, pieces) = (take_time(&mut rest)?, rest.try_get_u64().map_err(short)?);
        Ok(Some(Self {
            place: LogPlace { from, pieces },
            pieces: take_pieces(rest)?,
        }))
    }
}

/// Appends pieces to a body.
///
/// # Errors
/// A piece is too long to be counted.
pub(crate) fn put_pieces(body: &mut BytesMut, pieces: &[LogPiece]) -> Result<(), Malformed> {
    for piece in pieces {
        let stderr = if piece.source == LogSource::Stderr {
            STDERR
        } else {
            0
        };
        let ends_line = if piece.ends_line { ENDS_LINE } else { 0 };
        let has_time = if piece.at.is_some() { HAS_TIME } else { 0 };
        body.put_u8(stderr | ends_line | has_time);
        if let Some(at) = piece.at {
            put_time(body, at);
        }
        let length = u32::try_from(piece.bytes.len());
        body.put_u32(length.map_err(|_| Malformed::TooLong(piece.bytes.len()))?);
        body.put_slice(&piece.bytes);
    }
    Ok(())
}

/// The pieces of which the rest of a body is.
///
/// # Errors
/// The rest is none.
pub(crate) fn take_pieces(mut rest: Bytes) -> Result<Vec<LogPiece>, Malformed> {
    let mut pieces = Vec::new();
    while rest.has_remaining() {
        pieces.push(take_piece(&mut rest)?);
    }
    Ok(pieces)
}

fn take_piece(rest: &mut Bytes) -> Result<LogPiece, Malformed> {
    let flags = rest.try_get_u8().map_err(short)?;
    let at = (flags & HAS_TIME != 0).then(|| take_time(rest)).transpose()?;
    let length = rest.try_get_u32().map_err(short)? as usize;
    if rest.remaining() < length {
        return Err(Malformed::Body("a piece of a log is cut short".to_owned()));
    }
    Ok(LogPiece {
        at,
        source: if flags & STDERR == 0 {
            LogSource::Stdout
        } else {
            LogSource::Stderr
        },
        ends_line: flags & ENDS_LINE != 0,
        bytes: rest.split_to(length),
    })
}

fn put_time(body: &mut BytesMut, at: Timestamp) {
    body.put_i64(at.as_second());
    body.put_i32(at.subsec_nanosecond());
}

fn take_time(rest: &mut Bytes) -> Result<Timestamp, Malformed> {
    let (second, nanosecond) = (
        rest.try_get_i64().map_err(short)?,
        rest.try_get_i32().map_err(short)?,
    );
    Timestamp::new(second, nanosecond).map_err(|error| Malformed::Body(error.to_string()))
}

fn short(error: bytes::TryGetError) -> Malformed {
    Malformed::Body(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn time() -> impl Strategy<Value = Timestamp> {
        let nanoseconds = Timestamp::MIN.as_nanosecond()..=Timestamp::MAX.as_nanosecond();
        nanoseconds.prop_map(|at| Timestamp::from_nanosecond(at).unwrap())
    }

    fn piece() -> impl Strategy<Value = LogPiece> {
        let bytes = proptest::collection::vec(any::<u8>(), 0..40).prop_map(Bytes::from);
        let source = prop_oneof![Just(LogSource::Stdout), Just(LogSource::Stderr)];
        (proptest::option::of(time()), source, any::<bool>(), bytes).prop_map(
            |(at, source, ends_line, bytes)| LogPiece {
                at,
                source,
                ends_line,
                bytes,
            },
        )
    }

    proptest! {
        #[test]
        fn a_batch_is_read_as_it_was_written_and_any_bytes_are_read_or_refused(
            from in time(), count: u64, pieces in proptest::collection::vec(piece(), 0..8),
            other in proptest::collection::vec(any::<u8>(), 0..80), cut: prop::sample::Index,
        ) {
            let batch = LogBatch { place: LogPlace { from, pieces: count }, pieces };
            let (kind, body) = batch.write().unwrap();
            prop_assert!(body.len() <= PLACE + batch.pieces.iter().map(LogBatch::weight).sum::<usize>());
            prop_assert_eq!(LogBatch::read(kind, &body).unwrap(), Some(batch));
            let _ = LogBatch::read(0, &body.slice(..cut.index(body.len())));
            let _ = LogBatch::read(0, &Bytes::from(other));
            prop_assert_eq!(LogBatch::read(1, &body).unwrap(), None);
        }
    }
}
