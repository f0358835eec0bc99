//! A containerized agent is told to move, and to recreate its containers in and out of its pod.

use super::*;
use flotilla_protocol::{
    activity::{Action, Activity},
    api::{DeviceAdded, ModeChanged},
    device::{Attention, NetworkMode},
    inventory::{Item, PodRole},
};

/// Adds a device named box with a linked agent that runs in a container.
pub(super) async fn add_box(control: &Control, mode: &str) -> (Agent, EnrolledDevice) {
    let body = format!(r#"{{"name":"box","mode":"{mode}"}}"#);
    let added: DeviceAdded = serde_json::from_value(control.ask("POST", "/devices", &body).await).unwrap();
    let config = toml::from_str(&added.config.unwrap()).unwrap();
    let enrolled = enroll(config, "box").await;
    let agent = enrolled.dial("box").await.unwrap();
    let mut introduction = hello();
    if let Report::Hello(hello) = &mut introduction {
        hello.facts.containerized = true;
    }
    agent.reports.send(introduction).await.unwrap();
    let inventory = Inventory {
        containers: [("1", "web", None), ("2", "hold", Some(PodRole::Pause))]
            .map(|(id, name, pod)| Container {
                pod,
                ..container(id, name)
            })
            .into(),
        ..Default::default()
    };
    agent.reports.send(Report::Inventory(inventory)).await.unwrap();
    control
        .eventually("its containers", "box", |device| device.containers.total == 2)
        .await;
    (agent, enrolled)
}

async fn change(control: &Control, mode: &str) -> ModeChanged {
    let body = format!(r#"{{"mode":"{mode}"}}"#);
    serde_json::from_value(control.ask("POST", "/devices/box/mode", &body).await).unwrap()
}

fn took(agent: &Agent, call: &str) -> bool {
    agent.calls.lock().unwrap().contains(&call.to_owned())
}

#[tokio::test]
async fn an_agent_in_a_container_moves_by_itself_or_says_why_a_person_has_to() {
    let dir = tempfile::tempdir().unwrap();
    let control = Control::start(config(dir.path())).await.unwrap();
    let (agent, _enrolled) = add_box(&control, "host").await;
    let moved = change(&control, "bridge").await;
    assert!(moved.by_hand.is_none() && moved.device.mode == NetworkMode::Bridge);
    assert!(moved.device.token_expires.is_none(), "no token is needed");
    assert!(took(&agent, "move bridge"));

    let refused = change(&control, "pause").await;
    let by_hand = refused.by_hand.unwrap();
    assert_eq!(
        by_hand.reason,
        "The agent of box can't move by itself: the image is gone."
    );
    assert_eq!(by_hand.texts.device.mode, NetworkMode::Pause);
    assert!(by_hand.texts.docker_run.is_some() && refused.device.token_expires.is_some());
    control.shutdown().await;
}

#[tokio::test]
async fn the_same_mode_is_ordered_again_from_an_agent_that_did_not_move() {
    let dir = tempfile::tempdir().unwrap();
    let control = Control::start(config(dir.path())).await.unwrap();
    let (agent, _enrolled) = add_box(&control, "host").await;
    let runs_in = async |network: &str, expected: &[Attention]| {
        let own = Container {
            is_agent: true,
            network_mode: network.into(),
            ..container("3", "flotilla-agent")
        };
        let items = vec![Item::Container(own)];
        agent.reports.send(Report::Upsert { items }).await.unwrap();
        control
            .eventually("that", "box", |device| device.attention == expected)
            .await;
    };
    let orders = || {
        let calls = agent.calls.lock().unwrap();
        calls.iter().filter(|call| *call == "move bridge").count()
    };
    runs_in("host", &[]).await;
    change(&control, "bridge").await;
    let runs = NetworkMode::Host;
    runs_in("host", &[Attention::Strayed { runs }]).await;
    change(&control, "bridge").await;
    assert_eq!(orders(), 2);
    runs_in("bridge", &[]).await;
    change(&control, "bridge").await;
    assert_eq!(orders(), 2, "it is where it should be");
    control.shutdown().await;
}

#[tokio::test]
async fn a_container_joins_and_leaves_the_pod_of_its_device() {
    let dir = tempfile::tempdir().unwrap();
    let control = Control::start(config(dir.path())).await.unwrap();
    let (agent, _enrolled) = add_box(&control, "pause").await;
    let pod = async |name: &str, body: &str| {
        control
            .ask("POST", &format!("/devices/box/containers/{name}/pod"), body)
            .await
    };
    for (id, body) in [("1", r#"{"member":true}"#), ("1+", r#"{"member":false}"#)] {
        let (placed, ()) = tokio::join!(pod("web", body), agent.report_anew(id, "web"));
        assert_eq!(placed, json!({}));
    }
    assert_eq!(
        agent
            .calls
            .lock()
            .unwrap()
            .iter()
            .filter(|call| call.starts_with("pod "))
            .cloned()
            .collect::<Vec<_>>(),
        ["pod 1 true", "pod 1+ false"]
    );
    let log: List<Activity> =
        serde_json::from_value(control.ask("GET", "/activity?limit=2", "").await).unwrap();
    assert!(
        log.items
            .iter()
            .all(|entry| entry.action == Action::ContainerMoved && entry.target.as_deref() == Some("web"))
    );
    assert_eq!(
        log.items[0].details,
        "Taken out of the pod. It was recreated for that."
    );

    let held = pod("hold", r#"{"member":false}"#).await;
    assert_eq!(held["code"], json!(Code::Conflict));
    let stopped = control.ask("POST", "/devices/box/containers/hold/stop", "").await;
    assert_eq!(stopped["code"], json!(Code::Conflict), "{stopped}");
    change(&control, "host").await;
    let podless = pod("web", r#"{"member":true}"#).await;
    assert_eq!(
        podless["message"],
        json!("box has no pod. Change its network mode to Pause container first.")
    );
    control.shutdown().await;
}
