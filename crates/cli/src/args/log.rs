//! The grammar of `logs`.

use crate::{act::Target, clock, lifetime::Seconds};
use clap::Args;
use flotilla_protocol::{
    Timestamp,
    api::{LogOf, LogSearch},
    log::{LogLevel, LogQuery},
};
use std::{str::FromStr, time::Duration};

#[derive(Debug, Args)]
pub(crate) struct Logs {
    /// Several are printed by time, each line with the letter and the name of its container
    #[arg(value_name = "DEVICE/CONTAINER", required_unless_present_any = ["stacks", "search"])]
    pub(crate) targets: Vec<Target>,
    /// All containers of a stack, on one device or on all; may be repeated
    #[arg(long = "stack", value_name = "[DEVICE/]STACK")]
    pub(crate) stacks: Vec<StackName>,
    /// Search the logs of the fleet for this regular expression instead, on the devices; lines are put together by time
    #[arg(long, value_name = "RE", conflicts_with_all = ["targets", "stacks", "follow", "tail", "grep"])]
    pub(crate) search: Option<String>,
    /// With --search: on this device; may be repeated
    #[arg(long = "device", value_name = "D", requires = "search", conflicts_with_all = ["targets", "stacks"])]
    pub(crate) devices: Vec<String>,
    /// With --search: of containers with this name; may be repeated
    #[arg(long = "container", value_name = "C", requires = "search", conflicts_with_all = ["targets", "stacks"])]
    pub(crate) containers: Vec<String>,
    /// With --search: print JSON
    #[arg(long, requires = "search", conflicts_with_all = ["raw", "timestamps", "targets", "stacks"])]
    pub(crate) json: bool,
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

    /// What a search wants besides its expression.
    pub(crate) fn search_query(&self) -> LogSearch {
        LogSearch {
            level: self.level,
            since: self.since.map(|Moment(at)| at),
            until: self.until.map(|Moment(at)| at),
            devices: self.devices.clone(),
            containers: self.containers.clone(),
            ..LogSearch::default()
        }
    }
}

impl From<Target> for LogOf {
    fn from(Target { device, container }: Target) -> Self {
        Self { device, container }
    }
}

/// A stack on one device, or on all that have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StackName {
    pub(crate) device: Option<String>,
    pub(crate) stack: String,
}

/// The text names no stack.
#[derive(Debug, thiserror::Error)]
#[error("write STACK or DEVICE/STACK, for example nas/media")]
pub(crate) struct InvalidStackName;

impl FromStr for StackName {
    type Err = InvalidStackName;

    fn from_str(text: &str) -> Result<Self, InvalidStackName> {
        let (device, stack) = match text.split_once('/') {
            Some((device, stack)) => (Some(device.to_owned()), stack),
            None => (None, text),
        };
        if stack.is_empty() || device.as_ref().is_some_and(String::is_empty) {
            return Err(InvalidStackName);
        }
        Ok(Self {
            device,
            stack: stack.to_owned(),
        })
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
