//! The live stream as a page reads it. Frames are buffered from [`LiveReader::open`] on, so none is missed.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use flotilla_client::{Client, Live};
use flotilla_protocol::api::{LiveFrame, Resource};
use futures_util::StreamExt;
use tokio::time::timeout_at;

/// An open live stream, and the number of the last frame that was read.
#[derive(Debug)]
pub struct LiveReader {
    live: Live,
    last: u64,
}

impl LiveReader {
    pub async fn open(client: &Client) -> Result<Self> {
        Ok(Self {
            live: client.live().await?,
            last: 0,
        })
    }

    /// Reads until a frame upserts a resource for which `wanted` is true; returns how long that took. A gap in the
    /// numbers of the frames is an error.
    pub async fn upsert(
        &mut self,
        what: &str,
        within: Duration,
        wanted: impl Fn(&Resource) -> bool,
    ) -> Result<Duration> {
        let begun = Instant::now();
        let deadline = tokio::time::Instant::now() + within;
        loop {
            let next = timeout_at(deadline, self.live.next()).await;
            let next = next.with_context(|| format!("not within {within:?} in the live stream: {what}"))?;
            let frame = next.context("the live stream ended")??;
            self.check_number(&frame)?;
            if frame.upsert.as_ref().is_some_and(&wanted) {
                return Ok(begun.elapsed());
            }
        }
    }

    fn check_number(&mut self, frame: &LiveFrame) -> Result<()> {
        if self.last != 0 && !frame.reset && frame.seq != self.last + 1 {
            bail!("frame {} came after {}", frame.seq, self.last);
        }
        self.last = frame.seq;
        Ok(())
    }
}

/// Whether the resource is a container of this name in this state (`running`, `exited`).
#[must_use]
pub fn is_container(resource: &Resource, name: &str, state: &str) -> bool {
    let Resource::Container(row) = resource else {
        return false;
    };
    row.item.name == name && serde_json::to_value(row.item.state).is_ok_and(|value| value == state)
}
