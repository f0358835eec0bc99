//! From a token to a link.

use super::control::{Answer, Control, agent_config, start, token};
use crate::{EnrollmentSource, Environment, Exit, state, status};
use flotilla_protocol::{
    Code, PROTOCOL,
    agent::{Report, SETTINGS_PATH, Settings, WATCH_PATH},
    inventory::EngineState,
};
use futures_util::StreamExt as _;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_device_enrolls_links_and_tells_who_it_is() {
    let (dir, token) = (tempfile::tempdir().unwrap(), token());
    let mut control = Control::start();
    let agent = control.agent(dir.path(), &token);
    let link = control.linked().await;

    let mut lines = link.stream(WATCH_PATH, LIMIT).await.unwrap();
    let mut reports = Vec::new();
    while reports.len() < 2 {
        let chunk = lines.next().await.unwrap().unwrap();
        for line in chunk.split(|c| *c == b'\n').filter(|line| !line.is_empty()) {
            reports.push(serde_json::from_slice::<Report>(line).unwrap());
        }
    }
    assert!(
        matches!(&reports[0], Report::Hello(hello) if hello.protocol == PROTOCOL && hello.facts.cpus > 0)
    );
    assert!(matches!(&reports[1], Report::Engine(EngineState::Absent { .. })));

    let status = status(dir.path()).unwrap();
    assert!(
        status.running && status.to_string().contains("link     up since"),
        "{status}"
    );
    assert_eq!(agent.stopped().await, Exit::Stopped);
    // The watch ends with the agent.
    tokio::time::timeout(LIMIT, async { while let Some(Ok(_)) = lines.next().await {} })
        .await
        .unwrap();
}

#[tokio::test]
async fn the_secret_is_sent_once_and_stored_nowhere() {
    let (dir, token) = (tempfile::tempdir().unwrap(), token());
    let mut control = Control::start();
    let agent = control.agent(dir.path(), &token);
    control.linked().await;
    agent.stopped().await;
    assert_eq!(control.requests()[0].0, *token.reveal());
    let secret = token.reveal().split_once('.').unwrap().1.to_owned();
    for file in std::fs::read_dir(dir.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains(&secret));
    }

    // The token is used up, so the certificate is what counts.
    let again = control.agent(dir.path(), &token);
    control.linked().await;
    again.stopped().await;
    assert_eq!(control.requests().len(), 1);
}

#[tokio::test]
async fn a_server_with_another_pin_is_told_nothing() {
    let (dir, token) = (tempfile::tempdir().unwrap(), token());
    let (impostor, expected) = (Control::start(), Control::start());
    let environment = Environment {
        ca_pin: Some(expected.pin().to_string()),
        ..impostor.environment(&token)
    };
    let agent = start(agent_config(
        dir.path(),
        EnrollmentSource::Environment(environment),
    ));
    eventually(|| status(dir.path()).is_ok_and(|it| it.to_string().contains("compare the pin"))).await;
    assert_eq!(agent.stopped().await, Exit::Stopped);
    assert!(impostor.requests().is_empty());
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_with_the_same_key() {
    let (dir, token) = (tempfile::tempdir().unwrap(), token());
    let mut control = Control::start();
    control.answer_enrollment([Answer::Lost, Answer::Problem(Code::Unavailable), Answer::Enroll]);
    let agent = control.agent(dir.path(), &token);
    control.linked().await;
    agent.stopped().await;
    let keys: Vec<_> = control.requests().into_iter().map(|(_, key)| key).collect();
    assert!(keys.len() == 3 && keys.iter().all(|key| *key == keys[0]));
}

#[tokio::test]
async fn an_agent_that_died_before_the_answer_asks_with_the_same_key_after_its_restart() {
    let (dir, token) = (tempfile::tempdir().unwrap(), token());
    let first = Control::start();
    first.answer_enrollment((0..100).map(|_| Answer::Lost));
    let agent = first.agent(dir.path(), &token);
    eventually(|| !first.requests().is_empty()).await;
    agent.stopped().await;

    let mut second = Control::start();
    let agent = second.agent(dir.path(), &token);
    second.linked().await;
    agent.stopped().await;
    assert_eq!(second.requests()[0].1, first.requests()[0].1);
}

#[tokio::test]
async fn a_refused_token_ends_the_agent_with_controls_own_words() {
    for code in [
        Code::TokenUsed,
        Code::TokenExpired,
        Code::TokenRevoked,
        Code::TokenUnknown,
    ] {
        let (dir, token) = (tempfile::tempdir().unwrap(), token());
        let control = Control::start();
        control.answer_enrollment([Answer::Problem(code)]);
        let exit = control.agent(dir.path(), &token).ended().await;
        assert_eq!(exit.code(), 78);
        assert!(exit.to_string().contains(&format!("control says {code}")));
    }
}

#[tokio::test]
async fn another_token_enrolls_anew_with_new_keys() {
    let dir = tempfile::tempdir().unwrap();
    let mut control = Control::start();
    for token in [token(), token()] {
        let agent = control.agent(dir.path(), &token);
        control.linked().await;
        agent.stopped().await;
    }
    let requests = control.requests();
    assert_eq!(requests.len(), 2);
    assert_ne!(requests[0].1, requests[1].1);
}

#[tokio::test]
async fn another_token_that_is_refused_leaves_the_device_what_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let mut control = Control::start();
    let agent = control.agent(dir.path(), &token());
    control.linked().await;
    agent.stopped().await;
    control.answer_enrollment([Answer::Problem(Code::TokenExpired)]);
    let agent = control.agent(dir.path(), &token());
    control.linked().await;
    assert_eq!(agent.stopped().await, Exit::Stopped);
}

#[tokio::test]
async fn settings_are_on_disk_when_they_are_answered() {
    let (dir, token) = (tempfile::tempdir().unwrap(), token());
    let mut control = Control::start();
    let agent = control.agent(dir.path(), &token);
    let link = control.linked().await;
    let settings = Settings {
        device_name: "attic".parse().unwrap(),
        endpoints: vec!["192.0.2.9".parse().unwrap()],
        sent_at: "2031-01-01T00:00:00Z".parse().unwrap(),
        relay: None,
    };
    link.post::<()>(SETTINGS_PATH, &settings, LIMIT).await.unwrap();
    let stored = state::load(dir.path()).unwrap().unwrap();
    assert_eq!(stored.heard, Some(settings.sent_at));
    let identity = stored.identity.unwrap();
    assert_eq!(
        (identity.device_name, identity.endpoints),
        (settings.device_name, settings.endpoints)
    );
    agent.stopped().await;
}

#[tokio::test]
async fn without_a_token_and_without_an_identity_it_says_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let exit = start(agent_config(dir.path(), EnrollmentSource::None))
        .ended()
        .await;
    assert!(exit.code() == 78 && exit.to_string().contains("Add Device"));
}

pub(super) async fn eventually(mut condition: impl FnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + LIMIT;
    while !condition() {
        assert!(tokio::time::Instant::now() < deadline, "not within {LIMIT:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
