//! What people see of devices.

use super::*;
use serde_json::{Value, json};

fn device(name: &str, status: &str, more: Value) -> Device {
    let mut device = json!({
        "id": "01937c5e-7b1a-7c3e-8b9e-0123456789ab", "name": name, "status": status, "cordoned": false,
        "draining": false, "attention": [], "mesh_ip": "100.64.0.7", "mode": "host", "relay": "auto",
        "tags": ["prod", "media"], "as_of": "2026-01-02T03:04:05Z", "created": "2026-01-01T00:00:00Z",
    });
    device
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    serde_json::from_value(device).unwrap()
}

fn now() -> Timestamp {
    "2026-01-02T07:05:00Z".parse().unwrap()
}

fn nas() -> Device {
    let more = json!({
        "attention": [{"kind": "clock_skew", "seconds": -10800}],
        "agent_version": "0.1.0", "last_seen": "2026-01-02T07:04:00Z",
        "containers": {"total": 31, "running": 29, "unhealthy": 1, "troubled": 2},
        "facts": {
            "hostname": "nas", "os": "Debian GNU/Linux 12 (bookworm)", "kernel": "6.1", "arch": "x86_64",
            "cpus": 4, "memory_bytes": 8_000_000_000_u64, "disk_bytes": 1,
        },
        "engine": {
            "state": "running", "flavor": "docker", "version": "20.10.24", "api_version": "1.41",
            "os": "Debian GNU/Linux 12 (bookworm)", "arch": "x86_64", "storage_driver": "overlay2",
            "rootless": false, "docker_desktop": false,
        },
        "mesh": {
            "state": {"state": "up", "interface": "flotilla0", "mtu": 1420}, "revision": 7, "candidates": [],
            "nat": "endpoint_dependent",
        },
        "is_relay": true,
        "link": {"since": "2026-01-02T05:05:00Z", "remote": "192.0.2.7:40112", "rtt_ms": 1.25, "tunneled": true},
        "endpoint_trials": [
            {"endpoint": "192.0.2.1:7443", "reached": true, "at": "2026-01-02T05:05:01Z"},
            {"endpoint": "nas.example.org:7443", "reached": false, "reason": "No answer within 5 s.", "at": "2026-01-02T05:05:06Z"},
        ],
    });
    device("nas", "online", more)
}

#[test]
fn the_list_shows_trouble_and_age() {
    let gone = device(
        "pi-garage",
        "offline",
        json!({"last_seen": "2026-01-02T03:04:05Z"}),
    );
    insta::assert_snapshot!(table(&[nas(), gone], now()).render());
}

#[test]
fn one_device_is_told_in_lines() {
    insta::assert_snapshot!(crate::show::device(&nas(), now(), &jiff::tz::TimeZone::UTC));
}
