//! The stream of what changes on this device, a JSON text per line, for as long as the link lives.

use super::Api;
use crate::{
    machine::{AgentClock, Gauge},
    mesh::{MeshSnapshot, ROUND_TRIP, ReportCursor},
};
use axum::{
    body::Body,
    extract::State,
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use flotilla_engine::Watch;
use flotilla_protocol::{
    PROTOCOL,
    agent::{Hello, Report},
    device::{EndpointTrial, Facts},
    inventory::EngineState,
};
use futures_util::stream;
use std::{collections::VecDeque, convert::Infallible, time::Duration};
use tokio::{
    sync::watch,
    time::{Instant, Interval, MissedTickBehavior, interval_at},
};
use tokio_util::sync::CancellationToken;

/// Interval of the samples of a watch: a live figure, at a negligible cost of processor time.
pub(super) const USAGE_INTERVAL: Duration = Duration::from_secs(5);

/// Delay of the first sample, so that a page has figures before the first interval ends. Processor use is a mean over time,
/// and the kernel's own counters move too rarely for a shorter one: `sysinfo` wants 200 ms.
pub(super) const FIRST_USAGE: Duration = Duration::from_millis(250);

pub(super) async fn serve(State(api): State<Api>) -> Response {
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
