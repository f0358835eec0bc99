//! What a token of a part of the fleet is told does not depend on what is outside of that part: two fleets that differ
//! only there give it the same answers.

use super::*;
use crate::testbed::{path_to, peer};
use flotilla_protocol::{
    agent::Report,
    api::{PolicyInForce, TokenCreated, Verb},
    id::DeviceId,
    inventory::Inventory,
    path::{PathReason, PeerPath},
};
use serde_json::{Value, json};

const OPEN: &str = r#"{"policy":{"rules":[{"name":"zebras","from":["any"],"to":["any"]}]}}"#;

const NO_JOB: &str = "01937c5e-7b1a-7c3e-8b9e-00000000abcd";

/// A fleet with a part `prod` of two devices, as a token of that part sees it.
struct Seen {
    bed: Testbed,
    token: String,
}

impl Seen {
    /// With or without devices outside of the part; everything about those is called zebra.
    async fn new(with_zebras: bool) -> Self {
        let mut devices = vec![("web-1", 1), ("web-2", 2)];
        if with_zebras {
            devices.extend([("zebra-1", 3), ("zebra-2", 4)]);
        }
        let entries = devices.iter().map(|(name, nth)| {
            let mut entry = peer(name, *nth);
            let tag = if name.starts_with("web") { "prod" } else { "zebra" };
            entry.row.tags = vec![tag.parse().unwrap()];
            entry
        });
        let bed = Testbed::with(Ui::None, entries.collect()).await;
        bed.put::<PolicyInForce>("/policy", OPEN).await;
        let ids: Vec<_> = devices.iter().map(|(name, _)| id(&bed, name)).collect();
        for (name, _) in &devices {
            report(&bed, name, Report::Inventory(inventory(name)));
            let peers = ids.iter().filter(|peer| **peer != id(&bed, name));
            let paths = peers.map(|peer| relayed(&bed, *peer)).collect();
            report(&bed, name, Report::Paths { paths });
            bed.patch::<Value>(&format!("/devices/{name}"), r#"{"relay":"always"}"#)
                .await;
            bed.post::<Value>(&format!("/devices/{name}/relay"), r#"{"relay":true}"#)
                .await;
        }
        for (name, _) in devices.iter().filter(|(name, _)| name.ends_with("-1")) {
            let body = json!({ "action": "stop", "containers": [{ "device": name, "container": format!("{name}-c") }] });
            bed.post::<Value>("/containers/actions", &body.to_string()).await;
        }
        let operator = r#"{"name":"ci","roles":["operator"],"tags":["prod"]}"#;
        let token = bed.post::<TokenCreated>("/tokens", operator).await.token;
        Self { bed, token }
    }

    async fn answer(&self, method: &str, path: &str, body: &str) -> (StatusCode, String) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, HOST)
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token))
            .body(Body::from(body.to_owned()))
            .unwrap();
        let response = self.bed.api().oneshot(request).await.unwrap();
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }
}

fn id(bed: &Testbed, name: &str) -> DeviceId {
    bed.core.cache.lock().find(name).unwrap().row.id
}

fn report(bed: &Testbed, name: &str, report: Report) {
    let (id, now) = (id(bed, name), bed.core.clock.now());
    bed.core.cache.lock().apply_report(id, report, now);
}

fn relayed(bed: &Testbed, peer: DeviceId) -> PeerPath {
    PeerPath {
        relay: bed.core.cache.lock().maps.relays().last().map(|relay| relay.id),
        ..path_to(peer, PathReason::RelayAlways, bed.core.clock.now())
    }
}

/// One thing of each kind, called after the device.
fn inventory(name: &str) -> Inventory {
    let moment = "2026-01-01T00:00:00Z";
    serde_json::from_value(json!({
        "containers": [{ "id": format!("{name}-c"), "name": format!("{name}-c"), "image": "i", "state": "running",
            "status": "Running", "health": "none", "ports": [], "created": moment }],
        "images": [{ "id": format!("{name}-i"), "tags": [format!("{name}:1")], "size_bytes": 1 }],
        "volumes": [{ "name": format!("{name}-v"), "driver": "local", "used_by": [] }],
        "networks": [{ "id": format!("{name}-n"), "name": format!("{name}-n"), "driver": "bridge", "subnets": [],
            "containers": [], "internal": false }],
        "stacks": [{ "name": format!("{name}-s"), "services": [], "running": 1, "total": 1, "unhealthy": 0,
            "config_files": [] }],
    }))
    .unwrap()
}

/// An answer without what two equal fleets differ in: keys and names by chance, and how far the activity log and the live
/// stream have come.
fn comparable(text: &str) -> String {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                for name in ["seq", "ca_pin", "tls_pin", "proposed_name"] {
                    fields.remove(name);
                }
                if fields.contains_key("actor") || fields.contains_key("caller") {
                    fields.remove("id");
                }
                fields.values_mut().for_each(strip);
            }
            Value::Array(items) => items.iter_mut().for_each(strip),
            _ => {}
        }
    }
    match serde_json::from_str::<Value>(text) {
        Ok(mut value) => {
            strip(&mut value);
            value.to_string()
        }
        Err(_) => text.to_owned(),
    }
}

#[tokio::test]
async fn what_is_outside_of_a_tokens_part_changes_no_answer() {
    let (without, with) = (Seen::new(false).await, Seen::new(true).await);
    let mut asked = vec![("GET", "/metrics".to_owned(), "")];
    let in_parts = [Needs::OnDevice(Verb::View), Needs::Somewhere(Verb::View)];
    for route in table().iter().filter(|route| {
        let is_call = route.path != "/live" && route.stream.is_none();
        route.method.as_str() == "GET" && in_parts.contains(&route.needs) && is_call
    }) {
        let path = route.path.replace("{device}", "web-1").replace("{job}", NO_JOB);
        let path = format!("{PREFIX}{path}");
        for filter in route.filters {
            let value = if *filter == "device" { "web-1" } else { "5" };
            asked.push(("GET", format!("{path}?{filter}={value}"), ""));
        }
        asked.push(("GET", path, ""));
    }
    asked.push((
        "POST",
        format!("{PREFIX}/policy/explain"),
        r#"{"from":"web-1","to":"web-2","proto":"tcp","port":1}"#,
    ));
    for (method, path, body) in asked {
        let (before, after) = (
            without.answer(method, &path, body).await,
            with.answer(method, &path, body).await,
        );
        assert!(!after.1.contains("zebra"), "{path}: {}", after.1);
        // No token was made for the device, nothing was pushed to it, and there is no such job.
        let is_missing = ["/enrollment", "/push", NO_JOB]
            .iter()
            .any(|end| path.ends_with(end));
        assert_eq!(after.0.is_success(), !is_missing, "{path}");
        assert_eq!(
            (before.0, comparable(&before.1)),
            (after.0, comparable(&after.1)),
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_device_outside_of_a_tokens_part_is_as_one_that_there_is_not() {
    let seen = Seen::new(true).await;
    let ask = async |device: &str| {
        let explain = format!(r#"{{"from":"web-1","to":"{device}","proto":"any"}}"#);
        let back = format!(r#"{{"from":"{device}","to":"web-1","proto":"any"}}"#);
        let test = format!(r#"{{"from":"web-1","to":"{device}"}}"#);
        let mut answers = Vec::new();
        for (method, path, body) in [
            ("POST", "/policy/explain".to_owned(), &*explain),
            ("POST", "/policy/explain".to_owned(), &*back),
            ("POST", "/paths/test".to_owned(), &*test),
            ("GET", format!("/containers?device={device}"), ""),
            ("GET", format!("/paths?device={device}"), ""),
            ("GET", format!("/devices/{device}"), ""),
            (
                "POST",
                format!("/devices/{device}/containers/{device}-c/restart"),
                "",
            ),
        ] {
            let (status, text) = seen.answer(method, &format!("{PREFIX}{path}"), body).await;
            assert_eq!(status, StatusCode::NOT_FOUND, "{path} {text}");
            answers.push(text.replace(device, "DEVICE"));
        }
        answers
    };
    assert_eq!(ask("zebra-1").await, ask("nobody").await);
}
