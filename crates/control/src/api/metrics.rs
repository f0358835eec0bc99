//! `GET /metrics`: the fleet in figures, in Prometheus' text format (version 0.0.4).

use crate::core::Core;
use axum::{extract::State, response::IntoResponse};
use http::header;
use std::{fmt::Write, sync::Arc};

pub(super) async fn show(State(core): State<Arc<Core>>) -> impl IntoResponse {
    let (statuses, readers, containers, seq) = {
        let state = core.cache.lock();
        let containers: usize = state
            .devices()
            .map(|entry| entry.last_report.inventory.containers().len())
            .sum();
        (
            state.count_by_status(),
            state.live.readers(),
            containers,
            state.live.seq(),
        )
    };
    let mut text =
        String::from("# HELP flotilla_devices Devices by status.\n# TYPE flotilla_devices gauge\n");
    // Writing to a String cannot fail.
    for (status, count) in statuses {
        let _ = writeln!(text, "flotilla_devices{{status=\"{status}\"}} {count}");
    }
    for (name, kind, help, value) in [
        ("flotilla_links", "gauge", "Live links.", core.links.len()),
        (
            "flotilla_containers",
            "gauge",
            "Containers known on all devices.",
            containers,
        ),
        (
            "flotilla_live_readers",
            "gauge",
            "Pages that follow the live stream.",
            readers,
        ),
        (
            "flotilla_live_frames_total",
            "counter",
            "Frames of the live stream so far.",
            usize::try_from(seq).unwrap_or(usize::MAX),
        ),
        (
            "flotilla_reports_unknown_total",
            "counter",
            "What agents told that only a newer controller knows.",
            core.links.count_unknown(),
        ),
    ] {
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}");
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text)
}
