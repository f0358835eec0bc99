//! The grammar of `logs`.

use crate::{act::Target, clock, lifetime::Seconds};
use clap::Args;
use flotilla_protocol::{
    Timestamp,
    log::{LogLevel, LogQuery},
};
use std::{str::FromStr, time::Duration};

#[derive(Debug, Args)]
pub(crate) struct Logs {
    #[arg(value_name = "DEVICE/CONTAINER")]
    pub(crate) target: Target,
    /// Go on with what is written from now on
    #[arg(short, long)]
    pub(crate) follow: bool,
    /// From when on: a time such as 2026-01-31T12:00:00Z, or how long ago: 10m
    #[arg(long, value_name = "T")]
    pub(crate) since: Option<Moment>,
    /// Until when
    #[arg(long, value_name = "T")]
    pub(crate) until: Option<Moment>,
    /// Only the last lines
    #[arg(short = 'n', long, value_name = "N")]
    pub(crate) tail: Option<u32>,
    /// Only lines in which this regular expression is found; the device looks for it
    #[arg(long, value_name = "RE")]
    pub(crate) grep: Option<String>,
    /// Only lines that matter that much or more, and those without a level that belong to them: trace, debug, info, warn,
    /// error or fatal; the device looks for it
    #[arg(long, value_name = "LEVEL")]
    pub(crate) level: Option<LogLevel>,
    /// Begin each line with its time
    #[arg(short, long)]
    pub(crate) timestamps: bool,
    /// Write every byte to a terminal, too, such as colors and whatever else steers it
    #[arg(long)]
    pub(crate) raw: bool,
}

impl Logs {
    pub(crate) fn query(&self) -> LogQuery {
        LogQuery {
            follow: self.follow,
            since: self.since.map(|Moment(at)| at),
            until: self.until.map(|Moment(at)| at),
            tail: self.tail,
            source: None,
            grep: self.grep.clone(),
            level: self.level,
            after: None,
        }
    }
}

/// A time, or a length of time before now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment(Timestamp);

/// The text is no moment.
#[derive(Debug, thiserror::Error)]
#[error("write a time such as 2026-01-31T12:00:00Z, or how long ago: 90s, 10m, 2h or 7d")]
pub(crate) struct InvalidMoment;

impl FromStr for Moment {
    type Err = InvalidMoment;

    fn from_str(text: &str) -> Result<Self, InvalidMoment> {
        if let Ok(Seconds(seconds)) = text.parse() {
            let ago = Duration::from_secs(seconds.into());
            return clock::now().checked_sub(ago).map(Self).map_err(|_| InvalidMoment);
        }
        text.parse().map(Self).map_err(|_| InvalidMoment)
    }
}
