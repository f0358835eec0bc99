//! What control can ask of this agent: the router that is served on the link.

mod containers;
mod jobs;
mod mesh;
mod refusal;
mod settings;
mod watch;

use crate::{jobs::Jobs, machine::AgentClock, mesh::Mesh, state::StateDir};
use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, State},
    routing::{get, post, put},
};
use flotilla_engine::Engine;
use flotilla_protocol::{
    Code,
    agent::{CONTAINERS_PATH, PING_PATH, Pong, REVOKED_PATH, SETTINGS_PATH, WATCH_PATH},
    device::EndpointTrial,
    job::{JOBS_PATH, JobProgress},
    log::ReadLog,
    mesh::{MAP_PATH, PATHS_PATH},
    stream::Streaming as _,
};
use refusal::Refusal;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// The state that the routes of one link share.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    pub(crate) engine: Engine,
    pub(crate) jobs: Jobs,
    pub(crate) state: Arc<StateDir>,
    pub(crate) clock: AgentClock,
    pub(crate) mesh: Mesh,
    pub(crate) trials: tokio::sync::watch::Receiver<Vec<EndpointTrial>>,
    /// Ends the streams that live as long as the link.
    pub(crate) closing: CancellationToken,
    /// Cancelled when control says that this device was revoked.
    pub(crate) revoked: CancellationToken,
}

pub(crate) fn router(api: Api) -> Router {
    Router::new()
        .route(WATCH_PATH, get(watch::serve))
        .route(SETTINGS_PATH, post(settings::take))
        .route(PING_PATH, get(ping))
        .route(REVOKED_PATH, post(revoked))
        .route(
            MAP_PATH,
            post(mesh::take_map).layer(DefaultBodyLimit::max(mesh::MAP_BYTES)),
        )
        .route(&format!("{PATHS_PATH}/{{peer}}/test"), post(mesh::test_path))
        .route(
            &format!("{CONTAINERS_PATH}/{{id}}/{{action}}"),
            post(containers::act),
        )
        .route(ReadLog::PATH, post(containers::log))
        .route(JOBS_PATH, get(jobs::list))
        .route(&format!("{JOBS_PATH}/{{id}}"), put(jobs::start).delete(jobs::end))
        .route(JobProgress::PATH, post(jobs::progress))
        .fallback(async || Refusal(Code::NotFound.because("This agent has no such call; a newer one may.")))
        .with_state(api)
}

async fn ping() -> Json<Pong> {
    Json(Pong {
        sent_at: Some(AgentClock::system()),
    })
}

async fn revoked(State(api): State<Api>) -> Json<()> {
    api.revoked.cancel();
    Json(())
}

#[cfg(test)]
mod tests;
