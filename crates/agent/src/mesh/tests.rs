//! The mesh of an agent that may not have an interface: everything but packets.

use super::{samples::*, *};
use crate::{
    machine::AgentClock,
    state::{StateDir, status_file::MeshStatus},
};
use flotilla_protocol::mesh::{MapChange, MeshState, MeshTrouble, NetworkMap};
use std::{path::Path, sync::Arc};
use tempfile::TempDir;

struct Device {
    dir: TempDir,
    mesh: Mesh,
}

fn device(dir: TempDir) -> Device {
    let state = Arc::new(StateDir::open(dir.path()).unwrap());
    let mesh = mesh(state, AgentClock::new(None));
    Device { dir, mesh }
}

fn has_map(dir: &Path) -> bool {
    dir.join("map.json").exists()
}

fn noted(device: &Device) -> Option<MeshStatus> {
    crate::status(device.dir.path()).unwrap().mesh
}

async fn is_down(mesh: &Mesh, revision: u64) {
    let mut snapshot = mesh.watch();
    let down = snapshot.wait_for(|snapshot| {
        snapshot.report.revision == revision
            && matches!(
                snapshot.report.state,
                MeshState::Down {
                    code: MeshTrouble::NoTun,
                    ..
                }
            )
    });
    tokio::time::timeout(std::time::Duration::from_secs(10), down)
        .await
        .expect("down in time")
        .unwrap();
}

#[tokio::test]
async fn a_device_without_an_interface_keeps_its_map_and_says_why() {
    let device = device(tempfile::tempdir().unwrap());
    let taken = device.mesh.take(MapPush::Whole(map(7))).await.unwrap();
    assert_eq!(taken.revision, 7);
    is_down(&device.mesh, 7).await;
    assert!(has_map(device.dir.path()));
    let peer_test = device.mesh.test_path(peer()).await.unwrap_err();
    assert!(
        peer_test.code == Code::Unavailable && peer_test.message.contains("name"),
        "{peer_test}"
    );
    let stranger = identity().device_id;
    assert_eq!(
        device.mesh.test_path(stranger).await.unwrap_err().code,
        Code::NotFound
    );
    assert!(noted(&device).is_some_and(|noted| noted.peers.len() == 1));
}

#[tokio::test]
async fn changes_build_on_the_map_and_a_stale_one_asks_for_the_whole() {
    let device = device(tempfile::tempdir().unwrap());
    let next = NetworkMap {
        peers: Vec::new(),
        ..map(8)
    };
    let change = MapPush::between(Some(&map(7)), &next);
    assert!(matches!(
        change,
        MapPush::Change(MapChange { from: 7, to: 8, .. })
    ));
    assert_eq!(device.mesh.take(change.clone()).await.unwrap().revision, 0);
    assert!(!has_map(device.dir.path()));
    device.mesh.take(MapPush::Whole(map(7))).await.unwrap();
    for _ in 0..2 {
        assert_eq!(device.mesh.take(change.clone()).await.unwrap().revision, 8);
    }
    is_down(&device.mesh, 8).await;
    assert_eq!(noted(&device).map(|noted| noted.peers.len()), Some(0));
}

#[tokio::test]
async fn the_stored_map_is_in_force_at_the_next_start_and_gone_when_the_device_is_dismissed() {
    let first = device(tempfile::tempdir().unwrap());
    first.mesh.take(MapPush::Whole(map(7))).await.unwrap();
    let Device { dir, mesh } = first;
    let mut snapshot = mesh.watch();
    drop(mesh);
    while snapshot.changed().await.is_ok() {}

    let second = device(dir);
    is_down(&second.mesh, 7).await;
    second.mesh.leave().await;
    assert!(!has_map(second.dir.path()) && noted(&second).is_none());
    assert_eq!(
        second.mesh.take(MapPush::Whole(map(8))).await.unwrap_err().code,
        Code::Unavailable
    );
}

#[tokio::test]
async fn a_map_that_cannot_be_stored_is_in_force_and_control_hears_it() {
    let device = device(tempfile::tempdir().unwrap());
    // A directory in the way of the temporary file fails for root, too.
    let obstacle = device.dir.path().join("map.json.new");
    std::fs::create_dir(&obstacle).unwrap();
    let problem = device.mesh.take(MapPush::Whole(map(7))).await.unwrap_err();
    assert_eq!(problem.code, Code::Unavailable);
    is_down(&device.mesh, 7).await;
    std::fs::remove_dir(&obstacle).unwrap();
    assert_eq!(
        device.mesh.take(MapPush::Whole(map(7))).await.unwrap().revision,
        7
    );
    assert!(has_map(device.dir.path()));
}

fn stored_revision(dir: &Path) -> serde_json::Value {
    let stored: serde_json::Value =
        serde_json::from_slice(&std::fs::read(dir.join("map.json")).unwrap()).unwrap();
    stored["map"]["revision"].clone()
}

fn moved(revision: u64, port: u16) -> NetworkMap {
    let mut map = map(revision);
    map.peers[0].candidates = vec![flotilla_protocol::mesh::Candidate {
        kind: flotilla_protocol::mesh::CandidateKind::Local,
        address: std::net::SocketAddr::from(([192, 0, 2, 7], port)),
    }];
    map
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_never_rests_costs_this_device_no_disk() {
    let device = device(tempfile::tempdir().unwrap());
    device.mesh.take(MapPush::Whole(map(7))).await.unwrap();
    for n in 1..=50 {
        let push = MapPush::Whole(moved(7 + n, 7000 + u16::try_from(n).unwrap()));
        assert_eq!(device.mesh.take(push).await.unwrap().revision, 7 + n);
    }
    assert_eq!(stored_revision(device.dir.path()), 7);
    let mut rekeyed = moved(58, 7100);
    rekeyed.peers[0].public_key = flotilla_protocol::key::PublicKey::from_bytes([8; 32]);
    device.mesh.take(MapPush::Whole(rekeyed)).await.unwrap();
    assert_eq!(
        stored_revision(device.dir.path()),
        58,
        "what counts is on disk at once"
    );
}

#[tokio::test(start_paused = true)]
async fn where_peers_were_last_is_on_disk_soon_for_an_agent_that_is_killed() {
    let device = device(tempfile::tempdir().unwrap());
    device.mesh.take(MapPush::Whole(map(7))).await.unwrap();
    device.mesh.take(MapPush::Whole(moved(8, 7001))).await.unwrap();
    assert_eq!(stored_revision(device.dir.path()), 7);
    tokio::time::sleep(std::time::Duration::from_secs(6)).await;
    assert_eq!(stored_revision(device.dir.path()), 8);
}

#[tokio::test]
async fn where_peers_were_last_is_on_disk_when_the_agent_ends() {
    let Device { dir, mesh } = device(tempfile::tempdir().unwrap());
    mesh.take(MapPush::Whole(map(7))).await.unwrap();
    mesh.take(MapPush::Whole(moved(8, 7001))).await.unwrap();
    let mut snapshot = mesh.watch();
    drop(mesh);
    while snapshot.changed().await.is_ok() {}
    assert_eq!(stored_revision(dir.path()), 8);
}

#[tokio::test]
async fn a_map_that_takes_addresses_from_the_internet_is_refused_and_the_one_before_stays() {
    let device = device(tempfile::tempdir().unwrap());
    device.mesh.take(MapPush::Whole(map(7))).await.unwrap();
    let mut public = map(8);
    public.address.address = [8, 8, 8, 8].into();
    let mut greedy = map(8);
    greedy.peers[0].address = [1, 1, 1, 1].into();
    for (bad, says) in [(public, "8.8.8.8/16"), (greedy, "outside of the fleet's range")] {
        let refused = device.mesh.take(MapPush::Whole(bad)).await.unwrap_err();
        assert_eq!(refused.code, Code::InvalidInput);
        assert!(refused.message.contains(says), "{refused}");
    }
    is_down(&device.mesh, 7).await;
    assert_eq!(stored_revision(device.dir.path()), 7);
    // A map that an earlier version accepted is not in force after an update either.
    let path = device.dir.path().join("map.json");
    let text = std::fs::read_to_string(&path).unwrap();
    let Device { dir, mesh } = device;
    let mut snapshot = mesh.watch();
    drop(mesh);
    while snapshot.changed().await.is_ok() {}
    std::fs::write(&path, text.replace("100.71.0.3", "1.1.1.1")).unwrap();
    let again = self::device(dir);
    let push = MapPush::between(Some(&map(7)), &map(9));
    assert_eq!(again.mesh.take(push).await.unwrap().revision, 0, "it has no map");
}
