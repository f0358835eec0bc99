//! Control dismisses this device, or refuses it for a while.

use super::control::{Answer, Control, agent_config, start, token};
use crate::{AgentConfig, EnrollmentSource, Exit};
use flotilla_identity::EnrollmentToken;
use flotilla_protocol::{Code, agent::REVOKED_PATH};
use std::{path::Path, time::Duration};

const LIMIT: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_device_that_is_told_it_was_revoked_answers_and_stops_for_good() {
    let (dir, token) = (tempfile::tempdir().unwrap(), token());
    let mut control = Control::start();
    let agent = control.agent(dir.path(), &token);
    let link = control.linked().await;
    link.post::<()>(REVOKED_PATH, &(), LIMIT).await.unwrap();
    assert_eq!(agent.ended().await, Exit::Revoked);
    assert_eq!(Exit::Revoked.code(), 77);
}

#[tokio::test]
async fn a_device_that_was_revoked_while_it_was_away_learns_it_when_it_dials() {
    for (code, exit) in [
        (Code::Revoked, Exit::Revoked),
        (Code::Superseded, Exit::Superseded),
    ] {
        let (dir, token) = (tempfile::tempdir().unwrap(), token());
        let control = Control::start();
        control.refuse_links(code);
        assert_eq!(control.agent(dir.path(), &token).ended().await, exit);
    }
}

#[tokio::test]
async fn a_quarantined_device_stays_and_waits_for_a_person() {
    let (dir, token) = (tempfile::tempdir().unwrap(), token());
    let control = Control::start();
    control.refuse_links(Code::Quarantined);
    let agent = control.agent(dir.path(), &token);
    super::joining::eventually(|| {
        crate::status(dir.path()).is_ok_and(|it| it.to_string().contains("quarantined"))
    })
    .await;
    assert_eq!(agent.stopped().await, Exit::Stopped);
}

fn write_config(path: &Path, control: &Control, token: &EnrollmentToken) {
    let (pin, endpoint, token) = (control.pin(), &control.endpoint, token.reveal());
    let text = format!(
        r#"version = 1
fleet_id = "01937c5e-7b1a-7c3e-8b9e-0123456789ab"
device_id = "01937c5e-7b1a-7c3e-8b9e-0123456789ac"
device_name = "nas"
endpoints = ["{endpoint}"]
ca_pin = "{pin}"
token = "{}"
token_expires = "2026-03-01T12:00:00Z"
mesh_ip = "100.64.1.2"
mesh_cidr = "100.64.0.0/16"
network_mode = "host"
relay = "auto"
agent_image = "flotilla/agent:dev"
ca_pem = ""
"#,
        *token
    );
    std::fs::write(path, text).unwrap();
}

#[tokio::test]
async fn in_a_container_a_revoked_agent_idles_until_it_is_given_another_token() {
    let (dir, files) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut control = Control::start();
    let path = files.path().join("nas.device.toml");
    write_config(&path, &control, &token());
    let agent = start(AgentConfig {
        idle_when_dismissed: Some(Duration::from_millis(20)),
        ..agent_config(dir.path(), EnrollmentSource::File(path.clone()))
    });
    let link = control.linked().await;
    link.post::<()>(REVOKED_PATH, &(), LIMIT).await.unwrap();
    link.closed().await;
    assert_eq!(control.requests().len(), 1);

    control.answer_enrollment([Answer::Problem(Code::TokenExpired)]);
    write_config(&path, &control, &token());
    super::joining::eventually(|| control.requests().len() == 2).await;
    write_config(&path, &control, &token());
    control.linked().await;
    assert_eq!(control.requests().len(), 3, "a refused token is asked about once");
    assert_eq!(agent.stopped().await, Exit::Stopped);
}
