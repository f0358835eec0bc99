//! What control can ask of this agent: the router that is served on the link.

use crate::{
    clock::AgentClock,
    machine::{self, Gauge},
    state::StateDir,
};
use axum::{
    Json, Router,
    body::Body,
    extract::{Path, State, rejection::JsonRejection},
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use bytes::Bytes;
use flotilla_engine::{Engine, Watch};
use flotilla_protocol::{
    Code, PROTOCOL, Problem,
    agent::{CONTAINERS_PATH, Hello, PING_PATH, REVOKED_PATH, Report, SETTINGS_PATH, Settings, WATCH_PATH},
    api::Empty,
    device::Facts,
    inventory::{ContainerAction, EngineState},
};
use futures_util::stream;
use std::{collections::VecDeque, convert::Infallible, sync::Arc, time::Duration};
use tokio::time::{Interval, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

/// How often use is sampled while somebody watches: often enough for a live figure, rare enough to cost nothing.
const USAGE_INTERVAL: Duration = Duration::from_secs(5);

/// What the routes act on. One per link.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    pub(crate) engine: Engine,
    pub(crate) state: Arc<StateDir>,
    pub(crate) clock: AgentClock,
    /// Ends the streams that live as long as the link.
    pub(crate) closing: CancellationToken,
    /// Set when control says that this device was revoked.
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
        .route(PING_PATH, get(async || Json(Empty {})))
        .route(REVOKED_PATH, post(revoked))
        .route(&format!("{CONTAINERS_PATH}/{{id}}/{{action}}"), post(act))
        .fallback(async || {
            Refusal(Problem::new(
                Code::NotFound,
                "This agent has no such call; a newer one may.",
            ))
        })
        .with_state(api)
}

async fn watch(State(api): State<Api>) -> Response {
    let lines = stream::unfold(Watching::new(api), async |mut watching| {
        let mut line = serde_json::to_vec(&watching.next().await?).unwrap_or_default();
        line.push(b'\n');
        Some((Ok::<_, Infallible>(Bytes::from(line)), watching))
    });
    ([(CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(lines)).into_response()
}

/// The state of one watch.
struct Watching {
    due: VecDeque<Report>,
    facts: Facts,
    engine: Watch,
    gauge: Gauge,
    usage: Interval,
    closing: CancellationToken,
}

impl Watching {
    fn new(api: Api) -> Self {
        let gauge = Gauge::new(api.state.dir());
        let hello = Hello {
            protocol: PROTOCOL,
            agent_version: crate::VERSION.to_owned(),
            sent_at: AgentClock::system(),
            facts: gauge.facts(),
        };
        let mut usage = interval(USAGE_INTERVAL);
        usage.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The first sample comes after one interval: processor use is a mean over time.
        usage.reset();
        Self {
            facts: hello.facts.clone(),
            due: [Report::Hello(hello)].into(),
            engine: api.engine.watch(),
            gauge,
            usage,
            closing: api.closing,
        }
    }

    async fn next(&mut self) -> Option<Report> {
        if let Some(report) = self.due.pop_front() {
            return Some(report);
        }
        tokio::select! {
            () = self.closing.cancelled() => None,
            report = self.engine.next() => {
                let report = report?;
                if let Report::Engine(state) = &report {
                    self.learn_from(state);
                }
                Some(report)
            }
            _ = self.usage.tick() => Some(Report::Usage(self.gauge.usage())),
        }
    }

    /// From inside a container only the engine knows what system the device runs.
    fn learn_from(&mut self, state: &EngineState) {
        if let EngineState::Running(engine) = state
            && self.facts.containerized
            && self.facts.os != engine.os
        {
            self.facts.os.clone_from(&engine.os);
            self.due.push_back(Report::Facts(self.facts.clone()));
        }
    }
}

/// Answered when it is on disk.
async fn settings(
    State(api): State<Api>,
    body: Result<Json<Settings>, JsonRejection>,
) -> Result<Json<()>, Refusal> {
    let Json(settings) =
        body.map_err(|error| Refusal(Problem::new(Code::InvalidInput, error.body_text())))?;
    api.clock.heard_from_control(settings.sent_at);
    let state = api.state.clone();
    let stored = tokio::task::spawn_blocking(move || {
        state.update(|state| {
            state.heard = state.heard.max(Some(settings.sent_at));
            if let Some(identity) = &mut state.identity {
                identity.device_name = settings.device_name;
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

/// How this device introduces itself at the upgrade.
pub(crate) fn introduction(machine_id: &str) -> flotilla_link::Introduction {
    flotilla_link::Introduction {
        machine_id: machine_id.to_owned(),
        hostname: machine::hostname(),
    }
}

#[cfg(test)]
#[path = "api/tests.rs"]
mod tests;
