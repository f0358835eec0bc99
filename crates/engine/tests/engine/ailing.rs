//! A broken part affects only itself: rows, lists and streams that fail, hang or end, and engines that can't be used.

use crate::{
    fake::{Fake, Fault, Flavor, OLD_DOCKER},
    watching::{eventually, facts, inventory, next, run, whole},
};
use flotilla_engine::{Engine, OwnContainer, Patience, Watch};
use flotilla_protocol::{
    agent::Report,
    inventory::{Container, ContainerState, EngineState},
};
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::time::timeout;
use tokio_util::sync::DropGuard;

/// Limits in tenths of a second, since each test runs into some. The list is not read again by itself, except in tests
/// of that.
const HASTY: Patience = Patience {
    read: Duration::from_secs(1),
    show: Duration::from_millis(300),
    look: Duration::from_secs(600),
    first_pause: Duration::from_millis(300),
    longest_pause: Duration::from_secs(1),
};

const LIST: &str = "/containers/json";

fn follow(fake: &Fake, patience: Patience) -> (Engine, DropGuard) {
    run(Engine::with_patience(
        fake.sockets(),
        OwnContainer::default(),
        patience,
    ))
}

fn two(dir: &tempfile::TempDir) -> Fake {
    let fake = Fake::start(dir.path(), OLD_DOCKER);
    fake.set("c1", "one", "running", "start");
    fake.set("c2", "two", "running", "start");
    fake
}

/// The row of a container as soon as it satisfies `is`.
async fn row(engine: &Engine, name: &str, is: impl Fn(&Container) -> bool) -> Container {
    let mut last = None;
    let found = timeout(Duration::from_secs(10), async {
        loop {
            let rows = inventory(engine).await.containers;
            let row = rows.into_iter().find(|container| container.name == name);
            if let Some(row) = row.clone().filter(|row| is(row)) {
                return row;
            }
            last = row;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    found.await.unwrap_or_else(|_| panic!("it stays {last:?}"))
}

/// The state of an engine that can't be used.
async fn unfit(watch: &mut Watch) -> EngineState {
    match next(watch).await {
        Report::Engine(state @ EngineState::Unfit { .. }) => state,
        other => panic!("expected an engine of no use, not {other:?}"),
    }
}

/// Asserts that nothing more is reported for so long.
async fn is_steady(watch: &mut Watch, seconds: f64) {
    let more = timeout(Duration::from_secs_f64(seconds), watch.next()).await;
    assert!(more.is_err(), "then came {more:?}");
}

#[tokio::test]
async fn a_container_that_cannot_be_described_costs_its_own_row_alone() {
    let dir = tempfile::tempdir().unwrap();
    let fake = two(&dir);
    fake.break_down("/containers/c2/json", Fault::Error("layer does not exist"));
    let (engine, _guard) = follow(&fake, HASTY);
    let mut watch = engine.watch();
    assert_eq!(facts(&mut watch).await.ailment, None, "the engine is well");
    let rows = whole(&mut watch).await.containers;
    let [one, two] = &rows[..] else { panic!("{rows:?}") };
    assert_eq!((one.name.as_str(), one.unread.as_deref()), ("one", None));
    assert_eq!((two.name.as_str(), two.state), ("two", ContainerState::Running));
    assert_eq!(two.unread.as_deref(), Some("error 500: layer does not exist"));

    // Both are live: one by its description, the other by the list.
    fake.set("c1", "one", "paused", "pause");
    row(&engine, "one", |row| row.state == ContainerState::Paused).await;
    fake.set("c2", "two", "exited", "die");
    let two = row(&engine, "two", |row| row.state == ContainerState::Exited).await;
    assert!(two.unread.is_some());
    fake.heal("/containers/c2/json");
    row(&engine, "two", |row| row.unread.is_none()).await;
    fake.remove("c2");
    eventually(|| fake.requests("/containers/c2/json") > 3).await;
}

#[tokio::test]
async fn a_container_whose_description_hangs_keeps_no_other_waiting() {
    let dir = tempfile::tempdir().unwrap();
    let fake = two(&dir);
    fake.break_down("/containers/c2/json", Fault::Hangs);
    let patient = Patience {
        read: Duration::from_secs(600),
        ..HASTY
    };
    let (engine, _guard) = follow(&fake, patient);
    let two = row(&engine, "two", |_| true).await;
    assert_eq!(two.unread.as_deref(), Some("the engine has not described it yet"));
    fake.set("c1", "one", "exited", "die");
    row(&engine, "one", |row| row.state == ContainerState::Exited).await;
}

#[tokio::test]
async fn a_question_that_breaks_the_connection_off_is_not_the_end_of_the_engine() {
    let dir = tempfile::tempdir().unwrap();
    let fake = two(&dir);
    fake.break_down("/containers/c2/json", Fault::Breaks);
    fake.break_down("/volumes", Fault::Breaks);
    let (engine, _guard) = follow(&fake, HASTY);
    let two = row(&engine, "two", |row| row.unread.is_some()).await;
    assert_eq!(two.state, ContainerState::Running);
    assert_eq!(fake.requests("GET /info"), 1, "one connection is enough");
}

#[tokio::test]
async fn states_and_names_that_are_new_to_us_are_shown_as_the_engine_has_them() {
    let dir = tempfile::tempdir().unwrap();
    let fake = two(&dir);
    fake.set("0123456789abcdef", "", "dead", "die");
    fake.set("c2", "two", "hibernating", "hibernate");
    let (engine, _guard) = follow(&fake, HASTY);
    let nameless = row(&engine, "0123456789ab", |_| true).await;
    assert_eq!(nameless.state, ContainerState::Dead);
    let two = row(&engine, "two", |_| true).await;
    assert_eq!(
        (two.state, two.status.as_str()),
        (ContainerState::Unknown, "Hibernating")
    );
}

#[tokio::test]
async fn an_engine_that_lists_nothing_is_one_state_with_a_reason_and_a_beginning() {
    for fault in [Fault::Hangs, Fault::Error("lock"), Fault::Breaks] {
        let dir = tempfile::tempdir().unwrap();
        let fake = two(&dir);
        fake.break_down(LIST, fault);
        let (engine, _guard) = follow(&fake, HASTY);
        let mut watch = engine.watch();
        let state = unfit(&mut watch).await;
        assert!(
            state.reason().unwrap().contains("does not list its containers"),
            "{state:?}"
        );
        assert!(state.since().is_some());
        is_steady(&mut watch, 2.5).await;
        assert!(fake.requests(LIST) > 1, "it is asked again");
        fake.heal(LIST);
        facts(&mut watch).await;
        assert_eq!(whole(&mut watch).await.containers.len(), 2);
    }
}

#[tokio::test]
async fn an_engine_whose_list_begins_to_hang_is_told_once_and_events_still_count() {
    let dir = tempfile::tempdir().unwrap();
    let fake = two(&dir);
    let looks = Patience {
        look: Duration::from_secs(2),
        ..HASTY
    };
    let (engine, _guard) = follow(&fake, looks);
    let mut watch = engine.watch();
    facts(&mut watch).await;
    whole(&mut watch).await;
    fake.break_down(LIST, Fault::Hangs);
    let state = unfit(&mut watch).await;
    fake.set("c1", "one", "exited", "die");
    assert!(matches!(next(&mut watch).await, Report::Upsert { .. }));
    is_steady(&mut watch, 3.0).await;
    assert_eq!(engine.state(), Some(state));
}

#[tokio::test]
async fn an_engine_that_does_not_say_what_it_is_is_one_state_too() {
    let dir = tempfile::tempdir().unwrap();
    let fake = two(&dir);
    fake.break_down("/info", Fault::Hangs);
    let (engine, _guard) = follow(&fake, HASTY);
    let mut watch = engine.watch();
    let state = unfit(&mut watch).await;
    assert!(
        state.reason().unwrap().contains("no answer within 1 s"),
        "{state:?}"
    );
    is_steady(&mut watch, 3.0).await;
    fake.heal("/info");
    facts(&mut watch).await;
}

#[tokio::test]
async fn a_list_that_fails_is_an_ailment_and_the_containers_are_live() {
    let dir = tempfile::tempdir().unwrap();
    let fake = two(&dir);
    fake.break_down("/images/json", Fault::Error("metadata is corrupt"));
    fake.break_down("/networks", Fault::Says(json!("none")));
    let (engine, _guard) = follow(&fake, HASTY);
    let mut watch = engine.watch();
    let ailment = facts(&mut watch).await.ailment.unwrap();
    assert!(
        ailment
            .reason
            .contains("does not list its images (error 500: metadata is corrupt)"),
        "{ailment:?}"
    );
    assert_eq!(whole(&mut watch).await.containers.len(), 2);
    is_steady(&mut watch, 2.0).await;
    fake.heal("/images/json");
    assert_eq!(facts(&mut watch).await.ailment, None);
}

#[tokio::test]
async fn a_stream_of_events_that_does_not_begin_costs_no_more_surveys() {
    let dir = tempfile::tempdir().unwrap();
    let fake = two(&dir);
    fake.be_quiet();
    let (engine, _guard) = follow(&fake, HASTY);
    let mut watch = engine.watch();
    facts(&mut watch).await;
    whole(&mut watch).await;
    // Far longer than an answer may take.
    is_steady(&mut watch, 3.0).await;
    assert_eq!(
        (fake.requests("/containers/c1/json"), fake.requests(LIST)),
        (1, 1)
    );
    assert_eq!((fake.requests("/info"), fake.requests("/events")), (1, 1));
    fake.set("c1", "one", "exited", "die");
    row(&engine, "one", |row| row.state == ContainerState::Exited).await;
}

#[tokio::test]
async fn a_stream_of_events_that_ends_each_time_costs_lists_and_no_surveys() {
    let dir = tempfile::tempdir().unwrap();
    let fake = two(&dir);
    fake.end_events();
    let (engine, _guard) = follow(&fake, HASTY);
    inventory(&engine).await;
    eventually(|| fake.requests("/events") > 4).await;
    assert_eq!(
        (fake.requests("/containers/c1/json"), fake.requests("/info")),
        (1, 1)
    );
    fake.set_unheard("c1", "one", "exited");
    row(&engine, "one", |row| row.state == ContainerState::Exited).await;
    assert_eq!(
        fake.requests("/containers/c2/json"),
        1,
        "only what changed is read"
    );
}

#[tokio::test]
async fn what_no_event_tells_is_found_by_a_look_at_the_list() {
    let dir = tempfile::tempdir().unwrap();
    let fake = two(&dir);
    let looks = Patience {
        look: Duration::from_millis(100),
        ..HASTY
    };
    let (engine, _guard) = follow(&fake, looks);
    inventory(&engine).await;
    fake.set_unheard("c3", "three", "running");
    fake.set_unheard("c2", "two", "paused");
    row(&engine, "three", |row| row.unread.is_none()).await;
    row(&engine, "two", |row| row.state == ContainerState::Paused).await;
    assert_eq!(fake.requests("/containers/c1/json"), 1);
}

#[tokio::test]
async fn health_checks_that_change_nothing_are_not_read() {
    let dir = tempfile::tempdir().unwrap();
    let fake = two(&dir);
    let state = json!({"Status": "running", "ExitCode": 0, "Health": {"Status": "healthy"}});
    fake.put(&json!({"Id": "c1", "Name": "/one", "State": state}));
    let (engine, _guard) = follow(&fake, HASTY);
    row(&engine, "one", |row| row.unread.is_none()).await;
    eventually(|| fake.requests("/events") == 1).await;
    let (read, begun) = (fake.requests("/containers/c1/json"), Instant::now());
    for _ in 0..20 {
        fake.emit("container", "health_status: healthy", "c1");
        fake.emit("container", "health_status", "c1");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // Shown last, so that all events before it were taken.
    fake.set("c2", "two", "paused", "pause");
    row(&engine, "two", |row| row.state == ContainerState::Paused).await;
    // Once every two seconds at most, however long this took.
    let paced = 2 + usize::try_from(begun.elapsed().as_secs() / 2).unwrap();
    assert!(
        fake.requests("/containers/c1/json") <= read + paced,
        "a check that does not say what it found has its pace"
    );
}

#[tokio::test]
async fn an_engine_that_is_too_old_is_told_once_by_number_and_a_new_one_is_used() {
    let dir = tempfile::tempdir().unwrap();
    let old = Flavor {
        version: "19.03.15",
        api_version: "1.40",
        ..OLD_DOCKER
    };
    let fake = Fake::start(dir.path(), old);
    let (engine, _guard) = follow(&fake, HASTY);
    let mut watch = engine.watch();
    let state = unfit(&mut watch).await;
    let reason = state.reason().unwrap();
    for number in ["19.03.15", "1.40", "1.41", "20.10"] {
        assert!(reason.contains(number), "{reason}");
    }
    is_steady(&mut watch, 1.0).await;

    let new = Flavor {
        version: "35.0.0",
        api_version: "1.60",
        ..OLD_DOCKER
    };
    let dir = tempfile::tempdir().unwrap();
    let fake = Fake::start(dir.path(), new);
    fake.set("c1", "one", "running", "start");
    let (engine, _guard) = follow(&fake, HASTY);
    row(&engine, "one", |row| row.unread.is_none()).await;
    assert_eq!(
        fake.requests("/v1."),
        0,
        "a version in a path may be one that the engine does not speak"
    );
}
