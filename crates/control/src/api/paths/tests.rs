//! Every pair of devices has a path or a reason, and pages are sent changes that matter.

use crate::{
    cache::{LinkUp, ReportEffect},
    config::Ui,
    testbed::{Testbed, path_to, peer},
};
use flotilla_protocol::{
    Code,
    agent::Report,
    api::{List, LiveFrame, PolicyInForce, Resource, Scope},
    device::NetworkMode,
    id::DeviceId,
    mesh::{Candidate, CandidateKind, MeshReport, MeshState, Nat},
    path::{Path, PathKind, PathReason, PeerPath},
};
use http::Method;

const OPEN: &str = r#"{"policy":{"rules":[{"name":"open","from":["any"],"to":["any"]}]}}"#;

async fn bed() -> Testbed {
    let mut bridged = peer("boxed", 4);
    bridged.row.mode = NetworkMode::Bridge;
    let mut entries = vec![peer("laptop", 1), peer("nas", 2), peer("vps", 3), bridged];
    for entry in &mut entries {
        entry.row.last_seen = Some("2026-11-21T09:12:00Z".parse().unwrap());
    }
    let bed = Testbed::with(Ui::None, entries).await;
    bed.put::<PolicyInForce>("/policy", OPEN).await;
    bed
}

fn id(bed: &Testbed, name: &str) -> DeviceId {
    bed.core.cache.lock().find(name).unwrap().row.id
}

fn link(bed: &Testbed, name: &str) {
    let link = LinkUp {
        since: bed.core.clock.now(),
        remote: "192.0.2.7".into(),
        rtt_ms: None,
    };
    let (id, number) = (id(bed, name), bed.core.links.next_number());
    bed.core.cache.lock().link_up(id, number, link);
}

fn reported(bed: &Testbed, to: &str, why: PathReason) -> PeerPath {
    path_to(id(bed, to), why, bed.core.clock.now())
}

fn report(bed: &Testbed, from: &str, path: PeerPath) -> ReportEffect {
    let (id, now) = (id(bed, from), bed.core.clock.now());
    bed.core
        .cache
        .lock()
        .apply_report(id, Report::Paths { paths: vec![path] }, now)
}

async fn path(bed: &Testbed, from: &str, to: &str) -> Path {
    let list: List<Path> = bed.get(&format!("/paths?device={from}")).await;
    list.items
        .into_iter()
        .find(|path| path.to.as_str() == to)
        .unwrap()
}

/// Lets so much time pass that devices without a link count as offline.
fn all_are_away(bed: &Testbed) {
    let later = tokio::time::Instant::now().into_std() + std::time::Duration::from_secs(60);
    bed.core.cache.lock().time_passed((bed.core.clock.now(), later));
}

#[tokio::test]
async fn a_pair_without_a_report_still_has_a_reason() {
    let bed = bed().await;
    all_are_away(&bed);
    link(&bed, "laptop");
    let list: List<Path> = bed.get("/paths").await;
    assert_eq!(list.items.len(), 12, "both directions of six pairs");
    assert_eq!(list.unreachable_devices.len(), 3);
    let offline = path(&bed, "laptop", "nas").await;
    assert_eq!(
        (offline.kind, offline.why_code),
        (PathKind::None, PathReason::NoneOffline)
    );
    assert_eq!(offline.why, "No path: nas is offline since 09:12");
    let boxed = path(&bed, "laptop", "boxed").await;
    assert_eq!(boxed.why, "No path: boxed uses Bridge networking");
    link(&bed, "nas");
    let unknown = path(&bed, "laptop", "nas").await;
    assert_eq!(
        (unknown.kind, unknown.why_code),
        (PathKind::Unknown, PathReason::Unknown)
    );
    assert_eq!(unknown.why, "Unknown: laptop has not reported its paths yet");
    bed.put::<PolicyInForce>("/policy", r#"{"policy":{"rules":[]}}"#)
        .await;
    assert_eq!(path(&bed, "laptop", "nas").await.why_code, PathReason::NonePolicy);
}

#[tokio::test]
async fn a_report_names_the_end_at_fault_and_the_relay() {
    let bed = bed().await;
    link(&bed, "laptop");
    link(&bed, "vps");
    let promoted = bed
        .call(Method::POST, "/devices/nas/relay", r#"{"relay":true}"#)
        .await;
    assert!(promoted.0.is_success(), "{}", promoted.1);
    let blocked = PeerPath {
        relay: Some(flotilla_protocol::id::RelayId(id(&bed, "nas").0)),
        cause: Some(id(&bed, "vps")),
        ..reported(&bed, "vps", PathReason::RelayUdpBlocked)
    };
    report(&bed, "laptop", blocked);
    let shown = path(&bed, "laptop", "vps").await;
    assert_eq!(shown.why, "Relayed: UDP is blocked on vps's network");
    assert_eq!((shown.relay.as_deref(), shown.rtt_ms), (Some("nas"), Some(10.0)));
    let only = bed.refused(Method::GET, "/paths?device=moon", "").await;
    assert_eq!(only.code, Code::NotFound);
}

#[tokio::test]
async fn a_device_without_a_link_has_paths_while_its_peers_hear_it() {
    let bed = bed().await;
    link(&bed, "laptop");
    report(&bed, "laptop", reported(&bed, "nas", PathReason::DirectLan));
    all_are_away(&bed);
    assert_eq!(
        path(&bed, "laptop", "nas").await.why_code,
        PathReason::NoneOffline
    );
    let carried = PeerPath {
        received_bytes: 1,
        ..reported(&bed, "nas", PathReason::DirectLan)
    };
    report(&bed, "laptop", carried);
    assert_eq!(path(&bed, "laptop", "nas").await.why_code, PathReason::DirectLan);
    assert_eq!(path(&bed, "nas", "laptop").await.why_code, PathReason::Unknown);
}

#[tokio::test]
async fn pages_hear_of_another_path_at_once_and_of_figures_now_and_then() {
    let bed = bed().await;
    link(&bed, "laptop");
    link(&bed, "nas");
    let before = bed.core.cache.lock().live.seq();
    let mut live = bed.core.cache.subscribe(Scope::All);
    live.next().await;
    let first = reported(&bed, "nas", PathReason::RelayTrying);
    assert_eq!(report(&bed, "laptop", first.clone()), ReportEffect::Nothing);
    let frame: LiveFrame = serde_json::from_str(&live.next().await.unwrap()).unwrap();
    assert!(matches!(&frame.upsert, Some(Resource::Path(path)) if path.why_code == PathReason::RelayTrying));
    assert_eq!(frame.seq, before + 1);
    let busy = PeerPath {
        rtt_ms: Some(11.0),
        sent_bytes: 9,
        ..first.clone()
    };
    assert_eq!(report(&bed, "laptop", busy.clone()), ReportEffect::Figures);
    assert_eq!(bed.core.cache.lock().live.seq(), before + 1);
    let (laptop, now) = (id(&bed, "laptop"), bed.core.clock.now());
    bed.core.cache.lock().publish_figures(laptop, now);
    let frame: LiveFrame = serde_json::from_str(&live.next().await.unwrap()).unwrap();
    assert!(matches!(&frame.upsert, Some(Resource::Path(path)) if path.sent_bytes == 9));
    let slower = PeerPath {
        rtt_ms: Some(20.0),
        ..busy
    };
    report(&bed, "laptop", slower);
    assert_eq!(
        bed.core.cache.lock().live.seq(),
        before + 3,
        "twice the round trip is news"
    );
}

#[tokio::test]
async fn a_report_about_strangers_and_oneself_is_left_out() {
    let bed = bed().await;
    link(&bed, "laptop");
    let own = reported(&bed, "laptop", PathReason::DirectLan);
    let stranger = PeerPath {
        peer: "01937c5e-7b1a-7c3e-8b9e-0123456789ab".parse().unwrap(),
        ..own.clone()
    };
    let before = bed.core.cache.lock().live.seq();
    report(&bed, "laptop", own);
    report(&bed, "laptop", stranger);
    assert_eq!(bed.core.cache.lock().live.seq(), before);
}

#[tokio::test]
async fn a_path_is_tested_by_a_device_that_is_there() {
    let bed = bed().await;
    let offline = bed
        .refused(Method::POST, "/paths/test", r#"{"from":"nas","to":"vps"}"#)
        .await;
    assert_eq!(offline.code, Code::DeviceOffline);
    assert_eq!(
        offline.message,
        "nas is offline, so its paths can't be tested. It was last seen at 09:12."
    );
    let same = bed
        .refused(Method::POST, "/paths/test", r#"{"from":"nas","to":"nas"}"#)
        .await;
    assert_eq!(same.field.as_deref(), Some("to"));
}

#[tokio::test]
async fn an_agent_that_restarts_keeps_its_candidates_until_it_has_others() {
    let bed = bed().await;
    let report = |state, candidates| {
        Report::Mesh(MeshReport {
            state,
            revision: 0,
            candidates,
            home_relay: None,
            nat: Nat::Unknown,
        })
    };
    let up = MeshState::Up {
        interface: "flotilla0".into(),
        mtu: 1420,
        obstacle: None,
    };
    let candidate = Candidate {
        kind: CandidateKind::Local,
        address: "192.0.2.9:7000".parse().unwrap(),
    };
    let (nas, now) = (id(&bed, "nas"), bed.core.clock.now());
    let mut state = bed.core.cache.lock();
    let seen = |state: &crate::cache::State| {
        let map = state.maps.map(state.find("laptop").unwrap().row.id).unwrap();
        map.peers
            .into_iter()
            .find(|peer| peer.id == nas)
            .unwrap()
            .candidates
    };
    state.apply_report(nas, report(up.clone(), vec![candidate]), now);
    state.apply_report(nas, report(MeshState::Starting, vec![]), now);
    assert_eq!(seen(&state), [candidate]);
    state.apply_report(nas, report(up, vec![]), now);
    assert_eq!(seen(&state), []);
}

#[tokio::test]
async fn in_a_large_fleet_pages_load_again_now_and_then_instead_of_following_every_path() {
    // More devices than one byte of a mesh address can number.
    let entries = (0..=258u16).map(|n| {
        let [high, low] = n.to_be_bytes();
        let mut entry = peer(&format!("d{n}"), low);
        entry.row.id = DeviceId(uuid::Uuid::from_u128(n.into()));
        entry.row.mesh_ip = [100, 71, high, low].into();
        entry
    });
    let entries = entries.collect();
    let bed = Testbed::with(Ui::None, entries).await;
    let mut live = bed.core.cache.subscribe(Scope::All);
    live.next().await;
    let frames = |bed: &Testbed| bed.core.cache.lock().live.seq();
    let before = frames(&bed);
    link(&bed, "d1");
    link(&bed, "d2");
    assert_eq!(frames(&bed), before + 2, "the devices themselves");
    let show = |bed: &Testbed| {
        let now = bed.core.clock.now();
        bed.core.cache.lock().reload_pages_when_due(now);
    };
    show(&bed);
    assert_eq!(frames(&bed), before + 3);
    link(&bed, "d3");
    show(&bed);
    assert_eq!(frames(&bed), before + 4, "not at every change");
    bed.clock.advance(30);
    show(&bed);
    assert_eq!(frames(&bed), before + 5);
}
