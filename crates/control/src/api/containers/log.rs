//! The log of a container, from its agent to who reads it.

use super::Target;
use crate::{
    api::{
        caller::{Asks, OnDevice},
        streams::StreamSocket,
    },
    core::Core,
    refusal::Refusal,
};
use axum::{extract::Path, response::Response};
use flotilla_link::{
    CallError,
    stream::{AgentStream, Opener},
};
use flotilla_protocol::{
    Problem,
    api::WatchLog,
    log::{LogQuery, ReadLog},
};
use serde::Deserialize;
use std::time::Duration;

/// How long an agent may take to ask its engine for a log.
const ANSWER: Duration = Duration::from_secs(15);

/// What the path names besides the device.
#[derive(Deserialize)]
pub(in crate::api) struct LogPath {
    container: String,
}

pub(in crate::api) async fn watch(
    asks: Asks,
    OnDevice(device): OnDevice,
    Path(LogPath { container }): Path<LogPath>,
    socket: StreamSocket<WatchLog>,
) -> Response {
    let opener = socket.opener();
    socket.serve(move |query, up, out| async move {
        let target = match Target::find(&asks, device, &container) {
            Ok(target) => target,
            Err(Refusal(problem)) => return problem.into(),
        };
        match target.open_log(&asks.core, query, &opener).await {
            Ok(log) => log.pass_on(up, out).await,
            Err(problem) => problem.into(),
        }
    })
}

impl Target {
    async fn open_log(
        &self,
        core: &Core,
        query: LogQuery,
        opener: &Opener,
    ) -> Result<AgentStream<ReadLog>, Problem> {
        let clause = format!("the log of {} can't be read", self.container.name);
        let link = core.links.lookup(self.entry.row.id);
        let link = link.ok_or_else(|| self.offline(core, &clause))?;
        let opened = link.open::<ReadLog>(&self.container.id, query, opener, ANSWER);
        opened.await.map_err(|error| match error {
            CallError::Closed => self.offline(core, &clause),
            refused => refused.into(),
        })
    }
}
