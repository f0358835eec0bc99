//! Pause containers that are restarted, replaced and removed.

use super::*;
use crate::{read, read::ObservedContainer, snapshot::Snapshot};
use serde_json::json;
use std::collections::BTreeMap;

/// An engine with a pod on it.
#[derive(Default)]
struct World {
    containers: BTreeMap<String, ObservedContainer>,
    repair: PodRepair,
}

impl World {
    fn with_pod() -> Self {
        let mut world = Self::default();
        world.put("p1", "pause", "bridge", 10, "192.0.2.1");
        world.put("agent", "agent", "container:p1", 11, "");
        world.put("app", "app", "container:p1", 12, "");
        world
    }

    fn put(&mut self, id: &str, name: &str, network: &str, started: u64, address: &str) {
        let answer = json!({
            "Id": id, "Name": format!("/{name}"), "HostConfig": {"NetworkMode": network},
            "State": {"Status": "running", "StartedAt": format!("2026-03-01T12:00:{started}Z")},
            "NetworkSettings": {"Networks": {"bridge": {"IPAddress": address}}},
        });
        let seen = read::container(serde_json::from_value(answer).unwrap());
        self.containers.insert(id.to_owned(), seen);
    }

    /// The step that is due for an agent whose network has this address.
    fn step(&mut self, own: &str) -> Option<RepairStep> {
        let snapshot = Snapshot {
            containers: self.containers.clone(),
            ..Snapshot::default()
        };
        let pod = Pod::around("agent", &self.containers)?;
        let inventory = snapshot.assemble(Some("agent"), Some(&pod));
        self.repair
            .handle_view(&pod, &inventory.containers, |address| address.to_string() == own)
    }
}

#[test]
fn a_pod_that_is_as_it_should_be_needs_nothing() {
    let mut world = World::with_pod();
    assert_eq!(world.step("192.0.2.1"), None);
}

#[test]
fn after_a_restart_of_the_pause_container_the_agent_goes_first() {
    let mut world = World::with_pod();
    assert_eq!(world.step("192.0.2.1"), None);
    world.put("p1", "pause", "bridge", 20, "192.0.2.7");
    assert_eq!(world.step("192.0.2.1"), Some(RepairStep::RestartAgent));
}

#[test]
fn an_agent_that_started_in_between_is_behind_although_it_knows_no_other_pause() {
    let mut world = World::with_pod();
    world.put("p1", "pause", "bridge", 20, "192.0.2.7");
    assert_eq!(world.step("192.0.2.1"), Some(RepairStep::RestartAgent));
}

#[test]
fn an_address_that_the_agent_does_not_see_is_no_reason_alone() {
    let mut world = World::with_pod();
    assert_eq!(world.step(""), None);
}

#[test]
fn a_restart_that_kept_the_address_is_noticed_by_its_time() {
    let mut world = World::with_pod();
    assert_eq!(world.step("192.0.2.1"), None);
    world.put("p1", "pause", "bridge", 20, "192.0.2.1");
    assert_eq!(world.step("192.0.2.1"), Some(RepairStep::RestartAgent));
}

#[test]
fn an_agent_that_came_back_restarts_those_that_stayed_behind_once() {
    let mut world = World::with_pod();
    world.put("p1", "pause", "bridge", 20, "192.0.2.7");
    world.put("agent", "agent", "container:p1", 21, "");
    assert_eq!(
        world.step("192.0.2.7"),
        Some(RepairStep::Restart(vec!["app".into()]))
    );
    assert_eq!(
        world.step("192.0.2.7"),
        None,
        "although its clock still says that it is older"
    );
    world.put("app", "app", "container:p1", 22, "");
    assert_eq!(world.step("192.0.2.7"), None);
}

#[test]
fn a_pause_container_that_took_the_place_of_another_gets_all_its_members() {
    let mut world = World::with_pod();
    assert_eq!(world.step("192.0.2.1"), None);
    world.containers.remove("p1");
    assert_eq!(world.step(""), None, "it may be gone for good");
    world.put("p2", "pause", "bridge", 20, "192.0.2.2");
    let rejoin = RepairStep::Rejoin {
        pause: "p2".into(),
        members: vec!["app".into()],
    };
    assert_eq!(world.step(""), Some(rejoin));
    assert_eq!(world.step(""), None, "they are on their way");
}

#[test]
fn a_stopped_pause_container_and_another_name_are_no_reason_to_move() {
    let mut world = World::with_pod();
    assert_eq!(world.step("192.0.2.1"), None);
    world.containers.remove("p1");
    world.put("p2", "something-else", "bridge", 20, "192.0.2.2");
    assert_eq!(world.step(""), None);
}
