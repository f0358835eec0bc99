//! Start, stop and restart, and the ways in which they are refused.

use crate::{
    fake::{Fake, OLD_DOCKER},
    watching::{follow, inventory},
};
use flotilla_engine::{ActionError, Engine, OwnContainer, Sockets};
use flotilla_protocol::{
    Code, Problem,
    inventory::ContainerAction::{Restart, Start, Stop},
};
use serde_json::json;
use tokio_util::sync::DropGuard;

async fn ready(fake: &Fake) -> (Engine, DropGuard) {
    let (engine, guard) = follow(fake);
    inventory(&engine).await;
    (engine, guard)
}

#[tokio::test]
async fn actions_reach_the_engine() {
    let dir = tempfile::tempdir().unwrap();
    let fake = Fake::start(dir.path(), OLD_DOCKER);
    fake.set("c1", "web", "running", "start");
    let (engine, _guard) = ready(&fake).await;
    for (action, word) in [(Stop, "stop"), (Start, "start"), (Restart, "restart")] {
        engine.act("c1", action).await.unwrap();
        assert_eq!(fake.requests(&format!("POST /containers/c1/{word}")), 1);
    }
}

#[tokio::test]
async fn a_missing_container_and_a_refusal_are_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let fake = Fake::start(dir.path(), OLD_DOCKER);
    fake.set("c1", "web", "exited", "die");
    let (engine, _guard) = ready(&fake).await;
    for id in ["nothing", "../images/json", "a b", ""] {
        assert!(
            matches!(engine.act(id, Start).await, Err(ActionError::NotFound(_))),
            "{id}"
        );
    }
    fake.refuse("driver failed programming external connectivity: port is already allocated");
    let problem = Problem::from(engine.act("c1", Start).await.unwrap_err());
    assert_eq!(problem.code, Code::EngineRefused);
    assert!(problem.message.contains("port is already allocated"));
}

#[tokio::test]
async fn the_agent_never_stops_itself() {
    let dir = tempfile::tempdir().unwrap();
    let fake = Fake::start(dir.path(), OLD_DOCKER);
    fake.set_labeled(
        "c1",
        "flotilla-agent",
        "running",
        "start",
        &json!({"app.flotilla.agent": "true"}),
    );
    let (engine, _guard) = ready(&fake).await;
    for action in [Stop, Restart] {
        assert_eq!(engine.act("c1", action).await, Err(ActionError::OwnContainer));
    }
    assert_eq!(fake.requests("POST"), 0);
}

#[tokio::test]
async fn what_only_its_image_calls_an_agent_is_stopped_like_any_other() {
    let dir = tempfile::tempdir().unwrap();
    let fake = Fake::start(dir.path(), OLD_DOCKER);
    let labels = json!({"app.flotilla.agent": "true"});
    fake.load_labeled_image("sha256:bad", "evil:1", &labels);
    let config = json!({"Image": "evil:1", "Labels": labels});
    fake.put(&json!({"Id": "c1", "Name": "/evil", "Image": "sha256:bad", "Config": config}));
    fake.put(&json!({"Id": "c2", "Name": "/gone", "Image": "sha256:none", "Config": config}));
    let (engine, _guard) = ready(&fake).await;
    for id in ["c1", "c2"] {
        engine.act(id, Stop).await.unwrap();
    }
    assert!(inventory(&engine).await.containers.iter().all(|it| !it.is_agent));
}

#[tokio::test]
async fn an_engines_long_words_become_one_bounded_line() {
    let dir = tempfile::tempdir().unwrap();
    let fake = Fake::start(dir.path(), OLD_DOCKER);
    fake.set("c1", "web", "exited", "die");
    let (engine, _guard) = ready(&fake).await;
    fake.refuse(&format!("failed:\n  \u{1b}[2J\u{202e}{}", "x".repeat(100_000)));
    let problem = Problem::from(engine.act("c1", Start).await.unwrap_err());
    assert!(
        problem.message.contains(r"failed: \u{1b}[2J\u{202e}xx"),
        "{problem}"
    );
    assert!(problem.message.chars().count() < 900, "{problem}");
}

#[tokio::test]
async fn without_an_engine_the_reason_is_the_answer() {
    let dir = tempfile::tempdir().unwrap();
    let engine = Engine::new(
        Sockets::at(dir.path().join("docker.sock")),
        OwnContainer::default(),
    );
    let problem = Problem::from(engine.act("c1", Stop).await.unwrap_err());
    assert_eq!(problem.code, Code::EngineUnavailable);
}
