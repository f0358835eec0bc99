//! A device's network mode over HTTP: what changes at once, and what a person is told to do by hand.

use crate::{
    cache::DeviceEntry,
    config::Ui,
    testbed::{Testbed, peer},
};
use flotilla_protocol::{
    Code,
    activity::{Action, Activity},
    agent::Report,
    api::{DeviceAdded, List, ModeChanged, PolicyInForce, Scope},
    device::{Attention, Device, Facts, NetworkMode},
    inventory::{EngineFacts, EngineState},
    path::{Path, PathReason},
};
use http::Method;

const OPEN: &str = r#"{"policy":{"rules":[{"name":"open","from":["any"],"to":["any"]}]}}"#;

/// A device whose agent runs in a container.
fn containerized(name: &str, nth: u8) -> DeviceEntry {
    let mut entry = peer(name, nth);
    entry.last_report.facts = Some(Facts {
        containerized: true,
        ..Facts::default()
    });
    entry
}

async fn bed(entries: Vec<DeviceEntry>) -> Testbed {
    let bed = Testbed::with(Ui::None, entries).await;
    bed.put::<PolicyInForce>("/policy", OPEN).await;
    bed
}

async fn change(bed: &Testbed, device: &str, mode: NetworkMode) -> ModeChanged {
    bed.post(
        &format!("/devices/{device}/mode"),
        &format!(r#"{{"mode":"{mode}"}}"#),
    )
    .await
}

/// How many rules let packets in at the device.
fn open(bed: &Testbed, device: &str) -> usize {
    let state = bed.core.cache.lock();
    let id = state.find(device).unwrap().row.id;
    state.maps.map(id).unwrap().filter.allows.len()
}

async fn path(bed: &Testbed, to: &str) -> Path {
    let list: List<Path> = bed.get("/paths?device=laptop").await;
    list.items
        .into_iter()
        .find(|path| path.to.as_str() == to)
        .unwrap()
}

fn runs(bed: &Testbed, device: &str, docker_desktop: bool) {
    let engine = EngineState::Running(EngineFacts {
        docker_desktop,
        ..EngineFacts::default()
    });
    report_engine(bed, device, engine);
}

fn report_engine(bed: &Testbed, device: &str, engine: EngineState) {
    let mut state = bed.core.cache.lock();
    let id = state.find(device).unwrap().row.id;
    state.apply_report(id, Report::Engine(engine), bed.core.clock.now());
}

#[tokio::test]
async fn bridge_networking_closes_a_device_at_once_whether_agent_or_owner_has_to_move_the_agent() {
    let bed = bed(vec![peer("laptop", 1), containerized("nas", 2)]).await;
    assert_eq!(open(&bed, "nas"), 1);
    let mut live = bed.core.cache.subscribe(Scope::All);
    live.next().await;
    let changed = change(&bed, "nas", NetworkMode::Bridge).await;
    assert_eq!(changed.device.mode, NetworkMode::Bridge);
    assert!(live.next().await.unwrap().contains(r#""mode":"bridge""#));
    assert_eq!(open(&bed, "nas"), 0);
    assert_eq!(path(&bed, "nas").await.why_code, PathReason::NoneMode);
    let by_hand = changed.by_hand.unwrap();
    assert_eq!(
        by_hand.reason,
        "nas is offline, so its agent can't be told to move."
    );
    assert!(by_hand.texts.install.is_none() && !by_hand.texts.docker_run.unwrap().contains("--network host"));
    let log: List<Activity> = bed.get("/activity").await;
    let done: Vec<_> = log.items.iter().map(|entry| entry.action).collect();
    assert_eq!(done[..2], [Action::DeviceRotated, Action::DeviceUpdated]);
    assert_eq!(log.items[1].details, "Network mode: bridge, before: host.");
    let again = change(&bed, "nas", NetworkMode::Bridge).await;
    assert!(again.by_hand.is_none(), "nothing changes");
}

#[tokio::test]
async fn a_device_that_has_not_joined_gets_commands_for_its_new_mode() {
    let bed = Testbed::new().await;
    let before: DeviceAdded = bed.post("/devices", r#"{"name":"nas"}"#).await;
    let changed = change(&bed, "nas", NetworkMode::Pause).await;
    let texts = changed.by_hand.unwrap().texts;
    assert_eq!(
        (texts.device.id, texts.device.mode),
        (before.device.id, NetworkMode::Pause)
    );
    assert!(
        texts
            .docker_run
            .unwrap()
            .contains("--network container:flotilla-pause")
    );
    assert_ne!(texts.config, before.config);
}

#[tokio::test]
async fn an_agent_on_the_device_itself_has_host_networking_and_no_other() {
    let bed = bed(vec![peer("laptop", 1), peer("nas", 2)]).await;
    let bridge = change(&bed, "nas", NetworkMode::Bridge).await.by_hand.unwrap();
    assert!(
        bridge.reason.contains("runs directly on the device"),
        "{}",
        bridge.reason
    );
    let back = change(&bed, "nas", NetworkMode::Host).await;
    assert!(back.by_hand.is_none(), "it never left");
    assert_eq!(open(&bed, "nas"), 1);
}

#[tokio::test]
async fn what_cannot_be_changed_says_why_and_stays() {
    let bed = bed(vec![peer("laptop", 1), peer("nas", 2), peer("old", 3)]).await;
    for (path, body) in [
        ("/devices/nas/relay", r#"{"relay":true}"#),
        ("/devices/old/revoke", ""),
    ] {
        assert!(bed.call(Method::POST, path, body).await.0.is_success());
    }
    for (device, body, code, field) in [
        ("nas", r#"{"mode":"bridge"}"#, Code::Conflict, None),
        ("old", r#"{"mode":"pause"}"#, Code::Conflict, None),
        ("nas", r#"{"mode":"vpn"}"#, Code::InvalidInput, Some("mode")),
        (
            "nas",
            r#"{"mode":"pause","expires_seconds":1}"#,
            Code::InvalidInput,
            Some("expires_seconds"),
        ),
        ("gone", r#"{"mode":"pause"}"#, Code::NotFound, None),
    ] {
        let problem = bed
            .refused(Method::POST, &format!("/devices/{device}/mode"), body)
            .await;
        assert_eq!(
            (problem.code, problem.field.as_deref()),
            (code, field),
            "{device} {body}"
        );
    }
    let list: List<Device> = bed.get("/devices").await;
    assert!(list.items.iter().all(|device| device.mode == NetworkMode::Host));
}

#[tokio::test]
async fn host_networking_on_docker_desktop_is_closed_until_its_owner_decides_for_it() {
    let bed = bed(vec![peer("laptop", 1), containerized("mac", 2)]).await;
    runs(&bed, "mac", true);
    let device: Device = bed.get("/devices/mac").await;
    assert_eq!(device.attention, [Attention::DockerDesktopHost]);
    assert_eq!(open(&bed, "mac"), 0);
    let closed = path(&bed, "mac").await;
    assert_eq!(closed.why_code, PathReason::NoneMode);
    assert_eq!(
        closed.why,
        "No path: Host networking on mac is that of Docker Desktop's virtual machine"
    );
    let reason = "it stopped".to_owned();
    report_engine(&bed, "mac", EngineState::Stopped { reason, since: None });
    assert_eq!(
        open(&bed, "mac"),
        0,
        "it is the same computer while its engine is away"
    );
    runs(&bed, "mac", true);

    let kept = bed
        .call(Method::PATCH, "/devices/mac", r#"{"host_kept":true}"#)
        .await;
    let kept: Device = serde_json::from_str(&kept.1).unwrap();
    assert!(kept.host_kept && kept.attention.is_empty());
    assert_eq!(open(&bed, "mac"), 1);
    let log: List<Activity> = bed.get("/activity?limit=1").await;
    assert_eq!(log.items[0].details, "Host networking is kept on Docker Desktop.");

    let pod = change(&bed, "mac", NetworkMode::Pause).await;
    assert!(!pod.device.host_kept, "the decision was about host networking");
    assert_eq!(open(&bed, "mac"), 1);
    let problem = bed
        .refused(Method::PATCH, "/devices/mac", r#"{"host_kept":true}"#)
        .await;
    assert_eq!(problem.field.as_deref(), Some("host_kept"));
}

#[tokio::test]
async fn an_agent_beside_docker_desktop_is_open_and_explains() {
    let bed = bed(vec![peer("laptop", 1), peer("mac", 2)]).await;
    runs(&bed, "mac", true);
    let device: Device = bed.get("/devices/mac").await;
    assert_eq!(device.attention, [Attention::DockerDesktop]);
    assert_eq!(open(&bed, "mac"), 1);
}

#[tokio::test]
async fn a_command_for_a_device_with_kept_host_networking_does_not_ask() {
    let bed = Testbed::new().await;
    let added: DeviceAdded = bed.post("/devices", r#"{"name":"mac"}"#).await;
    assert!(added.docker_run.unwrap().contains("Docker Desktop"));
    bed.call(Method::PATCH, "/devices/mac", r#"{"host_kept":true}"#)
        .await;
    let again: DeviceAdded = bed.post("/devices/mac/rotate", "").await;
    assert!(!again.docker_run.unwrap().contains("Docker Desktop"));
}
