//! How a move ended, as the agent that runs afterwards learns it.

use super::{LOOK_INTERVAL, NAME, is_ours, status};
use crate::{
    connection::{inspect, is_not_found},
    follow::Engine,
    recreate::remove,
};
use bollard::{
    Docker,
    models::{ContainerInspectResponse, ContainerStateStatusEnum as Status},
    query_parameters::LogsOptionsBuilder,
};
use flotilla_protocol::Problem;
use futures_util::StreamExt as _;
use std::time::Duration;
use tokio::time::sleep;

/// How often a mover is started again that a person killed, which its restart policy leaves stopped.
const STARTS: u32 = 3;

/// From a question that the engine did not answer to the next one.
const UNANSWERED: Duration = Duration::from_secs(2);

/// The longest result that is read, in bytes; more than a serialized [`Problem`] has.
const RESULT_BYTES: usize = 8192;

impl Engine {
    /// Waits until no move is going on, and removes the container of the last one. Returns why that move failed, if it
    /// did and said so. Starts a mover that was killed again: it takes up what it finds.
    pub async fn wait_for_mover(&self) -> Option<Problem> {
        let mut starts = 0;
        loop {
            let docker = self.eventually_ready().await.patient();
            match inspect(&docker, NAME).await {
                Ok(mover) if !is_ours(&mover) => return None,
                Ok(mover) => match status(&mover) {
                    Some(Status::RUNNING | Status::RESTARTING | Status::REMOVING) => {}
                    _ if was_killed(&mover) && starts < STARTS => {
                        starts += 1;
                        if let Err(error) = docker.start_container(NAME, None).await {
                            tracing::warn!(%error, "a move that was cut off can't be taken up");
                        }
                    }
                    _ => {
                        let problem = last_problem(&docker).await;
                        remove(&docker, NAME).await.ok();
                        return problem;
                    }
                },
                Err(error) if is_not_found(&error) => return None,
                Err(error) => {
                    tracing::warn!(%error, "the engine can't be asked how a move ended");
                    sleep(UNANSWERED).await;
                }
            }
            sleep(LOOK_INTERVAL).await;
        }
    }
}

/// Whether a mover was killed: it exits with 0 when its move is over, done or not.
fn was_killed(mover: &ContainerInspectResponse) -> bool {
    let state = mover.state.as_ref();
    status(mover) == Some(Status::CREATED) || state.and_then(|state| state.exit_code) != Some(0)
}

/// The problem that a mover printed last, on a line of its own.
async fn last_problem(docker: &Docker) -> Option<Problem> {
    let options = LogsOptionsBuilder::new().stdout(true).tail("1").build();
    let mut logs = docker.logs(NAME, Some(options));
    let mut line = Vec::new();
    while let Some(Ok(output)) = logs.next().await {
        line.extend_from_slice(&output.into_bytes());
        if line.len() > RESULT_BYTES {
            return None;
        }
    }
    serde_json::from_slice(&line).ok()
}
