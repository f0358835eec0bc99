//! An engine's answer about a log, cut into pieces.
//!
//! The answer of a container with a terminal is what it wrote. That of all others is frames: the source (1 byte), three
//! zeros, the length (4 bytes, big-endian), the bytes. In both, each message begins with its time and a blank. A line that
//! is longer than an engine keeps in one message ([`MESSAGE`]) is several, each with its time.

use bytes::{Buf as _, Bytes, BytesMut};
use flotilla_protocol::{
    Timestamp,
    log::{LogPiece, LogSource},
    text::shown,
};

/// The longest message of Docker's own log drivers, without its time.
const MESSAGE: usize = 16 * 1024;

/// The longest piece. A longer message, of a driver that keeps longer lines, is several.
const LONGEST: usize = 4 * MESSAGE;

const HEAD: usize = 8;

/// Room for so many bytes is taken at once. An engine sends lines, and room for each would cost more than reading it.
const ROOM: usize = 32 * 1024;

/// The longest quote of why an engine failed, in bytes of what it says and in characters of ours.
const REASON: usize = 2 * 1024;
const REASON_CHARS: usize = 300;

/// The longest time that is looked for: date, time, nanoseconds and the distance from UTC, and the blank.
const TIME: usize = 36;

/// Why an answer can't be read on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum SplitError {
    /// The engine failed while it read the log, and says so in place of the rest.
    #[error("it says {0}")]
    Engine(String),
    #[error("its answer has no frame where one must begin")]
    NoFrame,
}

/// Takes bytes as they come, and gives pieces.
#[derive(Debug)]
pub(super) struct Splitter {
    buffer: BytesMut,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Between two frames.
    Head,
    Frame {
        source: LogSource,
        /// Bytes of the frame that are still to come.
        rest: usize,
        /// `None` before its first piece.
        at: Option<Option<Timestamp>>,
    },
    /// The engine failed; so many bytes of why are still to come.
    Failure(usize),
    /// Of a terminal; the time of the line, unless that has not begun.
    Terminal(Option<Option<Timestamp>>),
}

impl Splitter {
    pub(super) fn new(has_terminal: bool) -> Self {
        Self {
            buffer: BytesMut::new(),
            state: if has_terminal {
                State::Terminal(None)
            } else {
                State::Head
            },
        }
    }

    pub(super) fn push(&mut self, chunk: &[u8]) {
        if self.buffer.capacity() - self.buffer.len() < chunk.len() {
            self.buffer.reserve(chunk.len().max(ROOM));
        }
        self.buffer.extend_from_slice(chunk);
    }

    /// The next piece; `None` until more bytes are there. With `is_last`, there are no more.
    ///
    /// # Errors
    /// See [`SplitError`]. Nothing can be read after one.
    pub(super) fn next(&mut self, is_last: bool) -> Result<Option<LogPiece>, SplitError> {
        if matches!(self.state, State::Terminal(_)) {
            return Ok(self.terminal(is_last));
        }
        loop {
            match &mut self.state {
                State::Head => {
                    if self.buffer.len() < HEAD {
                        return Ok(None);
                    }
                    self.state = head(&self.buffer.split_to(HEAD))?;
                }
                State::Frame { source, rest, at } => {
                    let (source, length) = (*source, (*rest).min(LONGEST));
                    if self.buffer.len() < length {
                        return Ok(None);
                    }
                    let mut bytes = self.buffer.split_to(length).freeze();
                    *rest -= length;
                    let is_over = *rest == 0;
                    let at = *at.get_or_insert_with(|| take_time(&mut bytes));
                    if is_over {
                        self.state = State::Head;
                    }
                    let ends_line = is_over && bytes.last() == Some(&b'\n');
                    bytes.truncate(bytes.len() - usize::from(ends_line));
                    return Ok(Some(LogPiece {
                        at,
                        source,
                        ends_line,
                        bytes,
                    }));
                }
                State::Failure(length) => {
                    if self.buffer.len() < *length && !is_last {
                        return Ok(None);
                    }
                    let told = &self.buffer[..self.buffer.len().min(*length)];
                    return Err(SplitError::Engine(quote(told)));
                }
                State::Terminal(_) => return Ok(None),
            }
        }
    }

    fn terminal(&mut self, is_last: bool) -> Option<LogPiece> {
        let State::Terminal(line) = &mut self.state else {
            return None;
        };
        let window = &self.buffer[..self.buffer.len().min(TIME + MESSAGE)];
        let line_end = window.iter().position(|byte| *byte == b'\n');
        let is_enough = line_end.is_some() || is_last || window.len() == TIME + MESSAGE;
        if window.is_empty() || !is_enough {
            return None;
        }
        let mut bytes = Bytes::copy_from_slice(&window[..line_end.map_or(window.len(), |end| end + 1)]);
        let whole = bytes.len();
        if let Some(at) = take_time(&mut bytes) {
            *line = Some(Some(at));
        }
        let at = line.flatten();
        let time = whole - bytes.len();
        bytes.truncate(MESSAGE);
        self.buffer.advance(time + bytes.len());
        let ends_line = bytes.last() == Some(&b'\n');
        *line = (!ends_line).then_some(at);
        if ends_line {
            bytes.truncate(bytes.len() - if bytes.ends_with(b"\r\n") { 2 } else { 1 });
        }
        Some(LogPiece {
            at,
            source: LogSource::Stdout,
            ends_line,
            bytes,
        })
    }
}

fn head(head: &[u8]) -> Result<State, SplitError> {
    let [source, 0, 0, 0, length @ ..] = head else {
        return Err(SplitError::NoFrame);
    };
    let rest = length
        .try_into()
        .map(u32::from_be_bytes)
        .map_err(|_| SplitError::NoFrame)?;
    let rest = rest as usize;
    let source = match source {
        0 | 1 => LogSource::Stdout,
        2 => LogSource::Stderr,
        3 => return Ok(State::Failure(rest.min(REASON))),
        _ => return Err(SplitError::NoFrame),
    };
    Ok(State::Frame {
        source,
        rest,
        at: None,
    })
}

/// What an engine says, as a part of a sentence.
fn quote(told: &[u8]) -> String {
    let text = String::from_utf8_lossy(told);
    let text = text.trim().trim_end_matches('.');
    if text.is_empty() {
        return "nothing of why".to_owned();
    }
    format!("\"{}\"", shown(text, REASON_CHARS))
}

/// Takes the time from the beginning of a message; nothing where there is none.
fn take_time(message: &mut Bytes) -> Option<Timestamp> {
    let blank = message.iter().take(TIME).position(|byte| *byte == b' ')?;
    let at = std::str::from_utf8(&message[..blank]).ok()?.parse().ok()?;
    message.advance(blank + 1);
    Some(at)
}

#[cfg(test)]
mod tests;
