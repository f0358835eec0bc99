//! What control can ask of this agent: the router that is served on the link.

mod jobs;

use crate::{
    clock::AgentClock,
    jobs::Jobs,
    machine::{self, Gauge},
    mesh::{Mesh, MeshSnapshot, ROUND_TRIP, ReportCursor},
    state::StateDir,
};
use axum::{
    Json, Router,
    body::Body,
    extract::{DefaultBodyLimit, Path, State, rejection::JsonRejection},
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::{get, post, put},
};
use bytes::Bytes;
use flotilla_engine::{Engine, Watch};
use flotilla_protocol::{
    Code, PROTOCOL, Problem,
    agent::{
        CONTAINERS_PATH, Hello, PING_PATH, Pong, REVOKED_PATH, Report, SETTINGS_PATH, Settings, WATCH_PATH,
    },
    device::{EndpointTrial, Facts},
    id::DeviceId,
    inventory::{ContainerAction, EngineState},
    job::JOBS_PATH,
    mesh::{MAP_PATH, MapPush, MapTaken, PATHS_PATH},
    path::PathAttempt,
};
use futures_util::stream;
use std::{collections::VecDeque, convert::Infallible, sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    time::{Instant, Interval, MissedTickBehavior, interval_at},
};
use tokio_util::sync::CancellationToken;

/// Interval of the samples of a watch: a live figure, at a negligible cost of processor time.
const USAGE_INTERVAL: Duration = Duration::from_secs(5);

/// Delay of the first sample, so that a page has figures before the first interval ends. Processor use is a mean over time,
/// and the kernel's own counters move too rarely for a shorter one: `sysinfo` wants 200 ms.
const FIRST_USAGE: Duration = Duration::from_millis(250);

/// The largest network map that is taken, in bytes. A peer takes some hundred bytes, so this is room for tens of
/// thousands.
const MAP_BYTES: usize = 16 * 1024 * 1024;

/// The state that the routes of one link share.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    pub(crate) engine: Engine,
    pub(crate) jobs: Jobs,
    pub(crate) state: Arc<StateDir>,
    pub(crate) clock: AgentClock,
    pub(crate) mesh: Mesh,
    pub(crate) trials: watch::Receiver<Vec<EndpointTrial>>,
    /// Ends the streams that live as long as the link.
    pub(crate) closing: CancellationToken,
    /// Cancelled when control says that this device was revoked.
    pub(crate) revoked: CancellationToken,
}

/// A problem as an answer.
#[derive(Debug)]
struct Refusal(Problem);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, Json(self.0)).into_response()
    }
}

pub(crate) fn router(api: Api) -> Router {
    Router::new()
        .route(WATCH_PATH, get(watch))
        .route(SETTINGS_PATH, post(settings))
        .route(PING_PATH, get(ping))
        .route(REVOKED_PATH, post(revoked))
        .route(MAP_PATH, post(map).layer(DefaultBodyLimit::max(MAP_BYTES)))
        .route(&format!("{PATHS_PATH}/{{peer}}/test"), post(test_path))
        .route(&format!("{CONTAINERS_PATH}/{{id}}/{{action}}"), post(act))
        .route(JOBS_PATH, get(jobs::list))
        .route(
            &format!("{JOBS_PATH}/{{id}}"),
            put(jobs::start).get(jobs::follow).delete(jobs::end),
        )
        .fallback(async || {
            Refusal(Problem::new(
                Code::NotFound,
                "This agent has no such call; a newer one may.",
            ))
        })
        .with_state(api)
}

async fn watch(State(api): State<Api>) -> Response {
    let lines = stream::unfold(WatchStream::new(api), async |mut stream| {
        let mut line = serde_json::to_vec(&stream.next().await?).unwrap_or_default();
        line.push(b'\n');
        Some((Ok::<_, Infallible>(Bytes::from(line)), stream))
    });
    ([(CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(lines)).into_response()
}

/// What one watch has sent and has still to send.
struct WatchStream {
    queued: VecDeque<Report>,
    facts: Facts,
    engine: Watch,
    gauge: Gauge,
    usage: Interval,
    snapshot: watch::Receiver<MeshSnapshot>,
    cursor: ReportCursor,
    trials: watch::Receiver<Vec<EndpointTrial>>,
    /// Ticks while something about the mesh is held back.
    held_back: Option<Interval>,
    closing: CancellationToken,
}

impl WatchStream {
    fn new(api: Api) -> Self {
        let gauge = Gauge::new(api.state.dir());
        let hello = Hello {
            protocol: PROTOCOL,
            agent_version: crate::VERSION.to_owned(),
            sent_at: AgentClock::system(),
            facts: gauge.facts(),
        };
        let mut snapshot = api.mesh.watch();
        snapshot.mark_changed();
        Self {
            facts: hello.facts.clone(),
            queued: [Report::Hello(hello)].into(),
            engine: api.engine.watch(),
            gauge,
            usage: every(FIRST_USAGE, USAGE_INTERVAL),
            snapshot,
            cursor: ReportCursor::default(),
            trials: api.trials,
            held_back: None,
            closing: api.closing,
        }
    }

    async fn next(&mut self) -> Option<Report> {
        loop {
            if let Some(report) = self.queued.pop_front() {
                return Some(report);
            }
            tokio::select! {
                biased;
                () = self.closing.cancelled() => return None,
                report = self.engine.next() => {
                    let report = report?;
                    if let Report::Engine(state) = &report {
                        self.learn_system_from(state);
                    }
                    return Some(report);
                }
                Ok(()) = self.snapshot.changed() => self.queue_mesh_reports(),
                Ok(()) = self.trials.changed() => {
                    let trials = self.trials.borrow_and_update().clone();
                    return Some(Report::Endpoints { trials });
                }
                _ = tick(&mut self.held_back) => self.queue_mesh_reports(),
                _ = self.usage.tick() => return Some(Report::Usage(self.gauge.usage())),
            }
        }
    }

    fn queue_mesh_reports(&mut self) {
        let snapshot = self.snapshot.borrow_and_update();
        self.queued
            .extend(self.cursor.take_due(&snapshot, Instant::now()));
        let holds_back = self.cursor.holds_back(&snapshot);
        self.held_back = holds_back.then(|| self.held_back.take().unwrap_or_else(|| later(ROUND_TRIP)));
    }

    /// Takes the system's name from the engine: inside a container only the engine knows what system the device runs.
    fn learn_system_from(&mut self, state: &EngineState) {
        if let EngineState::Running(engine) = state
            && self.facts.containerized
            && self.facts.os != engine.os
        {
            self.facts.os.clone_from(&engine.os);
            self.queued.push_back(Report::Facts(self.facts.clone()));
        }
    }
}

/// Waits for the next tick; for ever without an interval.
async fn tick(interval: &mut Option<Interval>) {
    match interval {
        Some(interval) => {
            interval.tick().await;
        }
        None => std::future::pending().await,
    }
}

fn later(period: Duration) -> Interval {
    every(period, period)
}

fn every(first: Duration, period: Duration) -> Interval {
    let mut interval = interval_at(Instant::now() + first, period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

/// Answers when the map is in force, and on disk as far as it must be.
async fn map(
    State(api): State<Api>,
    body: Result<Json<MapPush>, JsonRejection>,
) -> Result<Json<MapTaken>, Refusal> {
    let Json(push) = body.map_err(unreadable)?;
    api.mesh.take(push).await.map(Json).map_err(Refusal)
}

async fn test_path(
    State(api): State<Api>,
    Path(peer): Path<DeviceId>,
) -> Result<Json<Vec<PathAttempt>>, Refusal> {
    api.mesh.test_path(peer).await.map(Json).map_err(Refusal)
}

/// Answers when the settings are on disk.
async fn settings(
    State(api): State<Api>,
    body: Result<Json<Settings>, JsonRejection>,
) -> Result<Json<()>, Refusal> {
    let Json(settings) = body.map_err(unreadable)?;
    api.clock.heard_from_control(settings.sent_at);
    let state = api.state.clone();
    let stored = tokio::task::spawn_blocking(move || {
        state.update(|state| {
            state.heard = Some(settings.sent_at);
            if let Some(identity) = &mut state.identity {
                identity.device_name = settings.device_name;
                identity.relay = settings.relay;
                // Without an address the device could never come back.
                if !settings.endpoints.is_empty() {
                    identity.endpoints = settings.endpoints;
                }
            }
        })
    });
    match stored.await {
        Ok(Ok(())) => Ok(Json(())),
        Ok(Err(error)) => Err(Refusal(Problem::new(Code::Unavailable, error.to_string()))),
        Err(error) => Err(Refusal(Problem::new(Code::Internal, error.to_string()))),
    }
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

async fn act(
    State(api): State<Api>,
    Path((id, action)): Path<(String, String)>,
) -> Result<Json<()>, Refusal> {
    let action = ContainerAction::ALL
        .iter()
        .copied()
        .find(|known| known.as_str() == action)
        .ok_or_else(|| {
            Refusal(Problem::new(
                Code::NotFound,
                format!("This agent cannot {action} a container; a newer one may."),
            ))
        })?;
    if let Some(held) = api.jobs.holder(&id) {
        return Err(Refusal(held));
    }
    api.engine
        .act(&id, action)
        .await
        .map_err(|error| Refusal(error.into()))?;
    tracing::info!(
        container.id = id,
        action = action.as_str(),
        "done to a container, as control asked"
    );
    Ok(Json(()))
}

fn unreadable(error: JsonRejection) -> Refusal {
    Refusal(Problem::new(Code::InvalidInput, error.body_text()))
}

/// How this device introduces itself when it dials.
pub(crate) fn introduction(machine_id: &str) -> flotilla_link::Introduction {
    flotilla_link::Introduction::new(machine_id, machine::hostname())
}

#[cfg(test)]
mod tests;
