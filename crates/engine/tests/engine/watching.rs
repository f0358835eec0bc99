//! What a watch reports while the engine starts, changes and stops.

use crate::fake::{Fake, Flavor, OLD_DOCKER};
use flotilla_engine::{Engine, OwnContainer, Watch};
use flotilla_protocol::{
    agent::Report,
    inventory::{ContainerState, EngineFacts, EngineState, Inventory, Item},
};
use std::time::Duration;
use tokio_util::sync::{CancellationToken, DropGuard};

pub(crate) fn follow(fake: &Fake) -> (Engine, DropGuard) {
    follow_from(fake, OwnContainer::default())
}

pub(crate) fn follow_from(fake: &Fake, own: OwnContainer) -> (Engine, DropGuard) {
    run(Engine::new(fake.sockets(), own))
}

pub(crate) fn run(engine: Engine) -> (Engine, DropGuard) {
    let shutdown = CancellationToken::new();
    let (following, until) = (engine.clone(), shutdown.clone());
    tokio::spawn(async move { following.follow(until).await });
    (engine, shutdown.drop_guard())
}

pub(crate) async fn next(watch: &mut Watch) -> Report {
    tokio::time::timeout(Duration::from_secs(10), watch.next())
        .await
        .expect("a report within 10 s")
        .unwrap()
}

pub(crate) async fn facts(watch: &mut Watch) -> EngineFacts {
    match next(watch).await {
        Report::Engine(EngineState::Running(facts)) => facts,
        other => panic!("expected a running engine, not {other:?}"),
    }
}

pub(crate) async fn whole(watch: &mut Watch) -> Inventory {
    match next(watch).await {
        Report::Inventory(inventory) => inventory,
        other => panic!("expected the inventory, not {other:?}"),
    }
}

/// The inventory, as soon as it was read.
pub(crate) async fn inventory(engine: &Engine) -> Inventory {
    let mut watch = engine.watch();
    loop {
        if let Report::Inventory(inventory) = next(&mut watch).await {
            return inventory;
        }
    }
}

async fn upserted(watch: &mut Watch) -> Vec<Item> {
    match next(watch).await {
        Report::Upsert { items } => items,
        other => panic!("expected an upsert, not {other:?}"),
    }
}

fn container_state(items: &[Item]) -> (&str, ContainerState) {
    items
        .iter()
        .find_map(|item| match item {
            Item::Container(container) => Some((container.name.as_str(), container.state)),
            _ => None,
        })
        .expect("a container among the items")
}

#[tokio::test]
async fn first_the_state_then_the_inventory_then_only_what_changes() {
    let dir = tempfile::tempdir().unwrap();
    let fake = Fake::start(dir.path(), OLD_DOCKER);
    fake.set("c1", "web", "running", "start");
    let (engine, _guard) = follow(&fake);
    let mut watch = engine.watch();

    let facts = facts(&mut watch).await;
    assert_eq!(
        (facts.flavor.as_str(), facts.api_version.as_str()),
        ("docker", "1.41")
    );
    let whole = whole(&mut watch).await;
    assert_eq!((whole.containers.len(), whole.images[0].used_by), (1, Some(1)));

    fake.set("c1", "web", "paused", "pause");
    assert_eq!(
        container_state(&upserted(&mut watch).await),
        ("web", ContainerState::Paused)
    );
    fake.remove("c1");
    assert!(matches!(next(&mut watch).await, Report::Remove { items } if items[0].key == "c1"));
    assert!(matches!(upserted(&mut watch).await[..], [Item::Image(ref image)] if image.used_by == Some(0)));
}

#[tokio::test]
async fn what_happens_before_the_engine_counts_us_as_a_listener_is_not_lost() {
    let dir = tempfile::tempdir().unwrap();
    let fake = Fake::start(dir.path(), OLD_DOCKER);
    fake.hold_events();
    let (engine, _guard) = follow(&fake);
    let mut watch = engine.watch();
    facts(&mut watch).await;
    assert!(whole(&mut watch).await.containers.is_empty());

    fake.set("c1", "web", "running", "start");
    fake.release_events();
    assert_eq!(
        container_state(&upserted(&mut watch).await),
        ("web", ContainerState::Running)
    );
}

#[tokio::test]
async fn a_burst_of_events_is_one_report_and_few_reads() {
    let dir = tempfile::tempdir().unwrap();
    let fake = Fake::start(dir.path(), OLD_DOCKER);
    let (engine, _guard) = follow(&fake);
    let mut watch = engine.watch();
    facts(&mut watch).await;
    whole(&mut watch).await;
    eventually(|| fake.requests("/events") == 1).await;

    for action in ["create", "connect", "start", "health_status: starting"] {
        fake.set("c1", "web", "running", action);
    }
    for _ in 0..20 {
        fake.emit("container", "exec_create: /check", "c1");
    }
    fake.load_image("sha256:bb", "redis:7");
    let items = upserted(&mut watch).await;
    assert_eq!(
        items.len(),
        3,
        "the container, its image, the new image: {items:?}"
    );
    assert!(fake.requests("/containers/c1/json") <= 2);
}

#[tokio::test]
async fn an_engine_that_stops_is_a_state_and_its_return_is_told_whole() {
    let dir = tempfile::tempdir().unwrap();
    let mut fake = Fake::start(dir.path(), OLD_DOCKER);
    fake.set("c1", "web", "running", "start");
    let (engine, _guard) = follow(&fake);
    let mut watch = engine.watch();
    facts(&mut watch).await;
    whole(&mut watch).await;

    fake.stop().await;
    assert!(
        matches!(next(&mut watch).await, Report::Engine(EngineState::Stopped { reason, .. }) if reason.contains("Start it"))
    );

    fake.set("c2", "db", "running", "start");
    fake.resume();
    facts(&mut watch).await;
    assert_eq!(whole(&mut watch).await.containers.len(), 2);
}

#[tokio::test]
async fn an_engine_that_took_its_socket_away_is_stopped_and_not_absent() {
    let dir = tempfile::tempdir().unwrap();
    let mut fake = Fake::start(dir.path(), OLD_DOCKER);
    let (engine, _guard) = follow(&fake);
    let mut watch = engine.watch();
    facts(&mut watch).await;
    whole(&mut watch).await;
    fake.shut_down().await;
    assert!(
        matches!(next(&mut watch).await, Report::Engine(EngineState::Stopped { reason, .. }) if reason.contains("Start it again"))
    );
}

#[tokio::test]
async fn a_late_watcher_is_told_the_same_as_an_early_one() {
    let dir = tempfile::tempdir().unwrap();
    let fake = Fake::start(dir.path(), OLD_DOCKER);
    let (engine, _guard) = follow(&fake);
    let mut early = engine.watch();
    facts(&mut early).await;
    whole(&mut early).await;
    fake.set("c1", "web", "running", "start");
    upserted(&mut early).await;

    let mut late = engine.watch();
    facts(&mut late).await;
    assert_eq!(whole(&mut late).await.containers.len(), 1);
}

#[tokio::test]
async fn engines_are_recognized() {
    let dir = tempfile::tempdir().unwrap();
    let newest = Flavor {
        version: "99.0",
        api_version: "1.99",
        ..OLD_DOCKER
    };
    let desktop = Flavor {
        os: "Docker Desktop",
        ..newest
    };
    let desktops_machine = Flavor {
        kernel: "6.6.26-linuxkit",
        ..newest
    };
    let desktops_name = Flavor {
        name: "docker-desktop",
        ..newest
    };
    let podman = Flavor {
        component: "Podman Engine",
        version: "5.4.0",
        ..OLD_DOCKER
    };
    for (flavor, name, desktop) in [
        (newest, "docker", false),
        (desktop, "docker", true),
        (desktops_machine, "docker", true),
        (desktops_name, "docker", true),
        (podman, "podman", false),
    ] {
        let fake = Fake::start(dir.path(), flavor);
        let (engine, _guard) = follow(&fake);
        let facts = facts(&mut engine.watch()).await;
        assert_eq!((facts.flavor.as_str(), facts.docker_desktop), (name, desktop));
        assert_eq!(facts.version, flavor.version);
        assert_ne!(
            facts.api_version, "1.99",
            "both sides must know the version they agree on"
        );
    }
}

pub(crate) async fn eventually(mut condition: impl FnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    while !condition() {
        assert!(tokio::time::Instant::now() < deadline, "not within 10 s");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
