//! `GET /metrics`: the fleet in figures, in Prometheus' text format (version 0.0.4). A caller of a part of the fleet is
//! told the figures of that part.

use super::caller::Asks;
use crate::{cache::DeviceEntry, core::Core};
use axum::response::IntoResponse;
use flotilla_protocol::{api::Scope, device::DeviceStatus};
use http::header;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric as _, prometheus_text},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
    registry::Registry,
};
use std::{collections::BTreeMap, fmt};

pub(super) async fn show(asks: Asks) -> impl IntoResponse {
    let text = Figures::of(&asks.core, &asks.scope()).text();
    ([(header::CONTENT_TYPE, prometheus_text::CONTENT_TYPE)], text)
}

/// The figures at one moment.
#[derive(Debug)]
struct Figures {
    devices: BTreeMap<DeviceStatus, u32>,
    links: usize,
    containers: usize,
    /// For callers of the whole fleet only.
    own: Option<OwnFigures>,
}

/// Control's own figures.
#[derive(Debug)]
struct OwnFigures {
    live_readers: usize,
    live_frames: u64,
    reports_unknown: usize,
}

impl Figures {
    fn of(core: &Core, scope: &Scope) -> Self {
        let state = core.cache.lock();
        let containers = |entry: &DeviceEntry| entry.last_report.inventory.containers().len();
        Self {
            devices: state.count_by_status(scope),
            links: state
                .devices_in(scope)
                .filter(|entry| entry.link.is_some())
                .count(),
            containers: state.devices_in(scope).map(containers).sum(),
            own: scope.is_all().then(|| OwnFigures {
                live_readers: state.live.readers(),
                live_frames: state.live.seq(),
                reports_unknown: core.links.count_unknown(),
            }),
        }
    }

    fn text(self) -> String {
        let mut registry = Registry::with_prefix("flotilla");
        registry.register_collector(Box::new(self));
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = prometheus_text::encode(&mut text, &registry);
        text
    }
}

impl Collector for Figures {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let (gauge, counter) = (MetricType::Gauge, MetricType::Counter);
        let mut devices = encoder.encode_descriptor("devices", "Devices by status.", None, gauge)?;
        for (status, count) in &self.devices {
            let of_status = [("status", status.to_string())];
            ConstGauge::new(*count).encode(devices.encode_family(&of_status)?)?;
        }
        for (name, help, value) in [
            ("links", "Live links.", self.links),
            ("containers", "Containers known on all devices.", self.containers),
        ] {
            ConstGauge::new(value).encode(encoder.encode_descriptor(name, help, None, gauge)?)?;
        }
        let Some(own) = &self.own else { return Ok(()) };
        let help = "Pages that follow the live stream.";
        let readers = encoder.encode_descriptor("live_readers", help, None, gauge)?;
        ConstGauge::new(own.live_readers).encode(readers)?;
        // Names of counters get `_total` at the end.
        let help = "Frames of the live stream so far.";
        let frames = encoder.encode_descriptor("live_frames", help, None, counter)?;
        ConstCounter::new(own.live_frames).encode(frames)?;
        let help = "What agents told that only a newer controller knows.";
        let unknown = encoder.encode_descriptor("reports_unknown", help, None, counter)?;
        ConstCounter::new(own.reports_unknown).encode(unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_kinds_are_those_that_dashboards_know() {
        let figures = Figures {
            devices: [(DeviceStatus::Online, 2), (DeviceStatus::Offline, 0)].into(),
            links: 2,
            containers: 31,
            own: Some(OwnFigures {
                live_readers: 1,
                live_frames: 1 << 40,
                reports_unknown: 3,
            }),
        };
        insta::assert_snapshot!(figures.text(), @r#"
        # HELP flotilla_devices Devices by status.
        # TYPE flotilla_devices gauge
        flotilla_devices{status="online"} 2
        flotilla_devices{status="offline"} 0
        # HELP flotilla_links Live links.
        # TYPE flotilla_links gauge
        flotilla_links 2
        # HELP flotilla_containers Containers known on all devices.
        # TYPE flotilla_containers gauge
        flotilla_containers 31
        # HELP flotilla_live_readers Pages that follow the live stream.
        # TYPE flotilla_live_readers gauge
        flotilla_live_readers 1
        # HELP flotilla_live_frames_total Frames of the live stream so far.
        # TYPE flotilla_live_frames_total counter
        flotilla_live_frames_total 1099511627776
        # HELP flotilla_reports_unknown_total What agents told that only a newer controller knows.
        # TYPE flotilla_reports_unknown_total counter
        flotilla_reports_unknown_total 3
        "#);
    }
}
