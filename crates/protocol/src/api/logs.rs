//! The log of a container, for people and programs.

use super::encode;
use crate::{
    log::{LogBatch, LogEnd, LogQuery},
    stream::{Silence, Streaming},
};

/// The log of one container: what it wrote, and where that is asked for, what it writes.
#[derive(Debug)]
pub enum WatchLog {}

/// A container, for [`WatchLog`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogOf {
    /// Id or name of its device.
    pub device: String,
    /// Its id, a unique beginning of it, or its name.
    pub container: String,
}

impl Streaming for WatchLog {
    type At = LogOf;
    type Open = LogQuery;
    type Up = Silence;
    type Item = LogBatch;
    type End = LogEnd;

    const PATH: &'static str = "/devices/{device}/containers/{container}/log";

    fn path(LogOf { device, container }: &LogOf) -> String {
        format!("/devices/{}/containers/{}/log", encode(device), encode(container))
    }

    fn advance(query: &mut LogQuery, batch: &LogBatch) {
        query.after = Some(batch.place);
    }
}
