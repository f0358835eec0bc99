//! Network maps reach agents over real links: at first as a whole, then as changes, within moments.

use super::*;
use crate::testbed::mesh_at;
use flotilla_protocol::{
    api::{DeviceAdded, Fleet, RelayFacts},
    device::RelayPreference,
    endpoint::Endpoint,
    id::RelayId,
    key::PublicKey,
    mesh::{MapTaken, NetworkMap, Relay},
    path::PathAttempt,
};

const OPEN: &str = r#"{"starting_policy":"open_lab"}"#;

/// Much longer than a push takes, and much shorter than any retry.
const SOON: Duration = Duration::from_secs(2);

/// The agent's map, which outlives its links, and the kinds of pushes that arrived.
#[derive(Default)]
pub(super) struct AgentMap {
    map: Option<NetworkMap>,
    pushes: Vec<&'static str>,
}

impl AgentMap {
    pub(super) fn take(&mut self, push: MapPush) -> MapTaken {
        match push {
            MapPush::Whole(map) => {
                self.pushes.push("whole");
                self.map = Some(map);
            }
            MapPush::Change(change) => {
                let applied = self.map.as_mut().map(|map| map.apply(change));
                self.pushes.push(if applied == Some(Ok(())) {
                    "change"
                } else {
                    "stale"
                });
            }
            MapPush::Unknown => self.pushes.push("unknown"),
        }
        MapTaken {
            revision: self.map.as_ref().map_or(0, |map| map.revision),
        }
    }
}

/// Adds and enrolls a device beside this computer.
pub(super) async fn added(control: &Control, name: &str) -> EnrolledDevice {
    let body = format!(r#"{{"name":"{name}"}}"#);
    let added: DeviceAdded = serde_json::from_value(control.ask("POST", "/devices", &body).await).unwrap();
    enroll(toml::from_str(&added.config.unwrap()).unwrap(), name).await
}

impl EnrolledDevice {
    /// Waits until the agent's map passes the check.
    async fn mapped(&self, what: &str, check: impl Fn(&NetworkMap) -> bool) -> NetworkMap {
        let deadline = Instant::now() + SOON;
        loop {
            if let Some(map) = self.mapped.lock().unwrap().map.clone().filter(|map| check(map)) {
                return map;
            }
            assert!(
                Instant::now() < deadline,
                "not soon: {what}: {:?}",
                self.mapped.lock().unwrap().map
            );
            tokio::task::yield_now().await;
        }
    }

    /// The ticket in the agent's map.
    pub(super) fn ticket(&self) -> Option<flotilla_protocol::mesh::RelayTicket> {
        self.mapped.lock().unwrap().map.as_ref()?.ticket.clone()
    }

    fn pushes(&self) -> Vec<&'static str> {
        self.mapped.lock().unwrap().pushes.clone()
    }
}

#[tokio::test]
async fn a_map_comes_whole_and_its_changes_follow() {
    let dir = tempfile::tempdir().unwrap();
    let control = Control::start(config(dir.path())).await.unwrap();
    control.ask("PATCH", "/fleet", OPEN).await;
    let (nas, vps) = (added(&control, "nas").await, added(&control, "vps").await);
    let nas_link = nas.dial("nas").await.unwrap();
    let alone = nas.mapped("its own map", |map| map.ticket.is_some()).await;
    assert!(alone.peers.is_empty(), "vps was not there yet");
    assert_eq!(alone.address, nas.response.mesh);

    let vps_link = vps.dial("vps").await.unwrap();
    let both = nas.mapped("a peer", |map| map.peers.len() == 1).await;
    assert!(both.revision > alone.revision && !both.filter.allows.is_empty());
    vps_link
        .reports
        .send(Report::Mesh(mesh_at([7001])))
        .await
        .unwrap();
    nas.mapped("its candidates", |map| map.peers[0].candidates.len() == 1)
        .await;
    assert_eq!(nas.pushes()[0], "whole");
    assert!(
        nas.pushes()[1..].iter().all(|push| *push == "change"),
        "{:?}",
        nas.pushes()
    );

    let relay = control.ask("PATCH", "/devices/nas", r#"{"relay":"never"}"#).await;
    assert_eq!(relay["relay"], "never");
    let never = nas.mapped("no ticket", |map| map.ticket.is_none()).await;
    assert_eq!(never.relay, RelayPreference::Never);
    drop((nas_link, vps_link));
    control.shutdown().await;
}

#[tokio::test]
async fn a_link_that_comes_back_is_told_what_changed_and_an_agent_that_lost_its_map_gets_it_whole() {
    let dir = tempfile::tempdir().unwrap();
    let control = Control::start(config(dir.path())).await.unwrap();
    control.ask("PATCH", "/fleet", OPEN).await;
    let (nas, vps) = (added(&control, "nas").await, added(&control, "vps").await);
    let first = nas.dial("nas").await.unwrap();
    nas.mapped("its own map", |map| map.ticket.is_some()).await;
    first.link.abort();
    let vps_link = vps.dial("vps").await.unwrap();
    let second = nas.dial("nas").await.unwrap();
    nas.mapped("a peer", |map| map.peers.len() == 1).await;
    assert!(!nas.pushes()[1..].contains(&"whole"), "{:?}", nas.pushes());

    second.link.abort();
    *nas.mapped.lock().unwrap() = AgentMap::default();
    let third = nas.dial("nas").await.unwrap();
    nas.mapped("the whole map again", |map| map.peers.len() == 1)
        .await;
    assert_eq!(nas.pushes()[..2], ["stale", "whole"]);
    drop((third, vps_link));
    control.shutdown().await;
}

#[tokio::test]
async fn a_revoked_device_leaves_the_maps_of_its_peers_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let control = Control::start(config(dir.path())).await.unwrap();
    control.ask("PATCH", "/fleet", OPEN).await;
    let (nas, vps) = (added(&control, "nas").await, added(&control, "vps").await);
    let links = (nas.dial("nas").await.unwrap(), vps.dial("vps").await.unwrap());
    nas.mapped("a peer", |map| map.peers.len() == 1).await;
    let began = Instant::now();
    let revoked = control.ask("POST", "/devices/vps/revoke", "");
    let gone = async {
        nas.mapped("no peer", |map| map.peers.is_empty()).await;
        began.elapsed()
    };
    let (_, took) = tokio::join!(revoked, gone);
    assert!(took < SOON);
    drop(links);
    control.shutdown().await;
}

#[tokio::test]
async fn controls_own_relay_and_a_test_of_a_path_reach_the_agent() {
    let dir = tempfile::tempdir().unwrap();
    let control = Control::start(config(dir.path())).await.unwrap();
    let nas = added(&control, "nas").await;
    let vps = added(&control, "vps").await;
    let link = nas.dial("nas").await.unwrap();
    let fleet: Fleet = serde_json::from_value(control.ask("GET", "/fleet", "").await).unwrap();
    let relay = Relay {
        id: RelayId(fleet.id.0),
        name: "controller".into(),
        public_key: PublicKey::from_bytes([5; 32]),
        endpoints: fleet.endpoints,
        reflect_port: Some(7444),
    };
    control.core.cache.lock().set_own_relay(Some(relay.clone()));
    nas.mapped("the relay", |map| map.relays == [relay.clone()]).await;
    let moved: Endpoint = "192.0.2.99:7443".parse().unwrap();
    let effects = crate::change::fleet::set_endpoints(&control.core, vec![moved.clone()]);
    crate::effects::carry_out(&control.core, effects).await;
    nas.mapped("its new address", |map| {
        map.relays[0].endpoints == [moved.clone()]
    })
    .await;
    let listed = control.ask("GET", "/relays", "").await;
    let facts: List<RelayFacts> = serde_json::from_value(listed).unwrap();
    assert!(facts.items[0].up && facts.items[0].device.is_none());

    let tested = control
        .ask("POST", "/paths/test", r#"{"from":"nas","to":"vps"}"#)
        .await;
    let attempts: Vec<PathAttempt> = serde_json::from_value(tested).unwrap();
    assert_eq!(attempts[0].target, format!("Local {}", vps.response.device_id));
    drop(link);
    control.shutdown().await;
}
