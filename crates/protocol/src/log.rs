//! The log of a container, as a stream: what it wrote, in pieces, each with its time and source.
//!
//! A line longer than its engine keeps in one piece comes as several; only the last of them ends the line. Bytes are
//! those of the container, not checked and not escaped.
//!
//! [`LogPlace`] is behind the last piece that was read, also where that was left out, so that a stream which is opened
//! again goes on there: without a gap and without a repeat, for as long as the engine keeps the log from there on. Pieces
//! come again, and none is lost:
//!
//! - where an expression or a level is looked for: those since the beginning of a line of more than [`JUDGED`] bytes that is not over;
//! - where `tail` begins between pieces of one time: those of that time.
//!
//! Where the device's clock is set back, what is written until it is where it was is not in a place.

mod batch;
pub mod merge;

pub use batch::{LogBatch, LogPiece};
pub(crate) use batch::{put_pieces, take_pieces};

use crate::{
    Timestamp,
    open::choice,
    stream::{Silence, Streaming},
};
use serde::{Deserialize, Serialize};

choice!(
    /// Where a container wrote something.
    LogSource:
    Stdout = "stdout",
    Stderr = "stderr"
);

choice!(
    /// How much a line matters, from least to most. Programs have more words for these; the levels of syslog from
    /// "critical" on are fatal ones, and "notice" is information.
    LogLevel:
    Trace = "trace",
    Debug = "debug",
    Info = "info",
    Warn = "warn",
    Error = "error",
    Fatal = "fatal"
);

/// How much of a line an expression and a level are looked for in, in bytes.
pub const JUDGED: usize = 64 * 1024;

/// The longest expression, in characters.
pub const EXPRESSION_CHARS: usize = 1_000;

/// The log of one container at its agent.
#[derive(Debug)]
pub enum ReadLog {}

impl Streaming for ReadLog {
    /// The container's id.
    type At = String;
    type Open = LogQuery;
    type Up = Silence;
    type Item = LogBatch;
    type End = LogEnd;

    const PATH: &'static str = "/v1/containers/{id}/log";

    fn path(container: &String) -> String {
        format!("/v1/containers/{container}/log")
    }

    fn advance(query: &mut LogQuery, batch: &LogBatch) {
        query.after = Some(batch.place);
    }
}

/// Which part of a log is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogQuery {
    /// Whether what is written from then on is wanted, too, until the container ends for good.
    #[serde(default)]
    pub follow: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// How many lines before the end are looked at; all of them when it is absent. The engine counts the pieces of a long
    /// line as lines of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tail: Option<u32>,
    /// Both when it is absent. A container with a terminal writes everything to its standard output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<LogSource>,
    /// A regular expression without look-around and back-references. Only lines in which it matches are sent; of a line
    /// of more than 64 KiB only the beginning is looked at. At most 1,000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grep: Option<String>,
    /// Only lines that matter that much or more are sent, as far as they say so in one of the usual forms. A line that
    /// does not say how much it matters is a part of the last one before it of its source that does; one without such a
    /// line before it is not sent. Who goes on behind a place knows the lines of the ten seconds before that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<LogLevel>,
    /// Where to go on. Then `tail` means nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<LogPlace>,
}

/// A place between two pieces of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogPlace {
    /// A moment of the device's clock.
    pub from: Timestamp,
    /// How many pieces were read, from the first one on that is not older than that moment. All are of the same second.
    pub pieces: u64,
}

/// Why there is no more to come of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogEnd {
    pub reason: LogEndReason,
}

choice!(
    /// What ended a log.
    LogEndReason:
    /// All that was asked for was sent.
    Complete = "complete",
    /// It was followed until its container stopped, and nothing starts that again by itself.
    Stopped = "stopped",
    /// It was followed until its container was removed.
    Removed = "removed"
);
