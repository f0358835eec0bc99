//! The effects that are shown before the mode of a device changes.

use super::*;
use NetworkMode::{Bridge, Host, Pause};

fn device(mode: &str) -> Device {
    let json = format!(
        r#"{{"id":"01937c5e-7b1a-7c3e-8b9e-0123456789ab","name":"nas","status":"online","cordoned":false,"draining":false,
        "attention":[],"mesh_ip":"100.64.0.7","mode":"{mode}","relay":"auto","tags":["web"],
        "as_of":"2026-01-01T00:00:00Z","created":"2026-01-01T00:00:00Z"}}"#
    );
    serde_json::from_str(&json).unwrap()
}

fn container(name: &str, pod: &str) -> Container {
    let json = format!(
        r#"{{"id":"{name}","name":"{name}","image":"i","state":"running","status":"Running","health":"none",
        "created":"2026-01-01T00:00:00Z","ports":[{{"private":80,"protocol":"tcp","public":8080,"address":"0.0.0.0"}},
        {{"private":80,"protocol":"tcp","public":8080,"address":"::"}}]{pod}}}"#
    );
    serde_json::from_str(&json).unwrap()
}

const MEMBER: &str = r#","pod":"member""#;

fn rules(ports: &str) -> Vec<Rule> {
    let json = format!(
        r#"[{{"name":"web","from":["any"],"to":["tag:web"],"proto":"tcp","ports":{ports}}},
        {{"name":"others","from":["any"],"to":["device:pi"]}},
        {{"name":"off","enabled":false,"from":["any"],"to":["any"]}}]"#
    );
    serde_json::from_str(&json).unwrap()
}

#[test]
fn the_same_mode_changes_nothing() {
    let web = container("web", "");
    assert_eq!(effects(&device("host"), Host, &[&web], None), Effects::default());
}

#[test]
fn leaving_the_host_cuts_published_ports_that_a_rule_opened_and_the_devices_own_services() {
    let web = container("web", "");
    let rules = rules("[8080]");
    let changes = effects(&device("host"), Bridge, &[&web], Some(&rules));
    assert_eq!(
        changes.stops,
        [
            "web at 100.64.0.7:8080",
            "Everything that listens on nas itself, as far as rules allow it"
        ]
    );
    assert!(changes.opens.is_empty());
    assert!(changes.notes[0].contains("web"), "{:?}", changes.notes);
}

#[test]
fn ports_that_no_rule_opens_are_not_lost() {
    let web = container("web", "");
    let rules = rules("[22]");
    let changes = effects(&device("host"), Pause, &[&web], Some(&rules));
    assert_eq!(changes.stops.len(), 1, "{:?}", changes.stops);
    assert!(changes.opens.is_empty(), "a pod begins empty");
}

#[test]
fn of_many_containers_the_first_are_named_and_the_rest_is_a_count() {
    let many: Vec<_> = (0..LISTED + 3)
        .map(|n| container(&format!("web-{n}"), ""))
        .collect();
    let changes = effects(&device("host"), Bridge, &many.iter().collect::<Vec<_>>(), None);
    assert_eq!(changes.stops.len(), LISTED + 2);
    assert_eq!(changes.stops[LISTED], "and 3 more containers");
}

#[test]
fn where_no_rule_leads_there_nothing_stops() {
    let web = container("web", "");
    let changes = effects(&device("host"), Bridge, &[&web], Some(&[]));
    assert!(changes.stops.is_empty() && changes.opens.is_empty());
    assert!(changes.notes[0].contains("No access rule"), "{:?}", changes.notes);
}

#[test]
fn leaving_a_pod_cuts_its_members_and_opens_what_the_host_has() {
    let (web, own) = (container("web", MEMBER), container("own", ""));
    let changes = effects(&device("pause"), Host, &[&web, &own], None);
    assert_eq!(changes.stops, ["web at 100.64.0.7:80"]);
    assert!(
        changes.opens.contains(&"own at 100.64.0.7:8080".to_owned()),
        "{:?}",
        changes.opens
    );
    assert!(
        changes.notes.iter().any(|note| note.contains("web")),
        "{:?}",
        changes.notes
    );
}

#[test]
fn out_of_bridge_networking_nothing_stops() {
    let web = container("web", "");
    let changes = effects(&device("bridge"), Host, &[&web], None);
    assert!(
        changes.stops.is_empty() && changes.opens.len() == 2,
        "{changes:?}"
    );
}

#[test]
fn inside_docker_desktop_host_networking_lets_nothing_in_until_it_is_kept() {
    let web = container("web", "");
    let mut inside = device("bridge");
    inside.engine = Some(EngineState::Running(flotilla_protocol::inventory::EngineFacts {
        docker_desktop: true,
        ..Default::default()
    }));
    inside.facts = Some(flotilla_protocol::device::Facts {
        containerized: true,
        ..Default::default()
    });
    let changes = effects(&inside, Host, &[&web], None);
    assert!(
        changes.opens.is_empty() && changes.notes.contains(&copy::IN_MACHINE.to_owned()),
        "{changes:?}"
    );
    inside.host_kept = true;
    assert!(!effects(&inside, Host, &[&web], None).opens.is_empty());
}
