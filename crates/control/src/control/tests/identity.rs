//! One identity on two machines with the same machine id, and the owner's decision.

use super::*;
use flotilla_protocol::device::{Attention, DeviceStatus};

fn is_contested(dialed: Result<Agent, DialError>) {
    match dialed.err().expect("a refusal") {
        DialError::Refused { problem, .. } => assert_eq!(problem.code, Code::Quarantined),
        error => panic!("{error}"),
    }
}

/// Two agents on machines of one id take the link in turns, the second with a container.
async fn take_turns(control: &Control, name: &str, enrolled: &EnrolledDevice) {
    let first = enrolled.dial_as_run("same", "first").await.unwrap();
    let second = enrolled.dial_as_run("same", "second").await.unwrap();
    first.link.await.unwrap();
    second.reports.send(hello()).await.unwrap();
    let inventory = Inventory {
        containers: vec![container("4f1c", "postgres")],
        ..Default::default()
    };
    second.reports.send(Report::Inventory(inventory)).await.unwrap();
    control
        .eventually("its container", name, |device| device.containers.total == 1)
        .await;
    is_contested(enrolled.dial_as_run("same", "first").await);
    second.link.await.unwrap();
    is_contested(enrolled.dial_as_run("same", "second").await);
}

#[tokio::test]
async fn two_that_take_turns_are_both_named_and_wait_for_the_owners_word() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = config(dir.path());
    let control = Control::start(settings.clone()).await.unwrap();
    let address = control.ready.fleet.strip_prefix("https://").unwrap();
    settings.fleet_addr = address.parse().unwrap();
    let offer = control.local_enrollment().await.unwrap().unwrap();
    let name = offer.device_name.to_string();
    let enrolled = enroll(offer, "same").await;
    take_turns(&control, &name, &enrolled).await;
    let device = control
        .eventually("it is held", &name, |device| {
            device.status == DeviceStatus::Quarantined
        })
        .await;
    assert!(
        matches!(&device.attention[0], Attention::Cloned { hostname, contests: Some(other), .. }
            if hostname == "same.lan" && other.starts_with("same.lan at 127.0.0.1")),
        "{:?}",
        device.attention
    );
    let path = format!("/devices/{name}/containers/postgres/stop");
    let stop = control.ask("POST", &path, "").await;
    assert_eq!(
        stop["code"],
        json!(Code::DeviceOffline),
        "nothing is done on either"
    );

    // The quarantine survives a restart of control, and ends with the owner's decision.
    control.shutdown().await;
    let control = Control::start(settings).await.unwrap();
    is_contested(enrolled.dial_as_run("same", "first").await);
    let path = format!("/devices/{name}");
    let vouched = control.ask("PATCH", &path, r#"{"vouched":true}"#).await;
    assert_eq!(vouched["vouched"], json!(true));
    let back = enrolled.dial_as_run("another-boot", "third").await.unwrap();
    let device = control
        .eventually("it is back", &name, |device| {
            device.status == DeviceStatus::Online
        })
        .await;
    assert!(device.attention.is_empty(), "{:?}", device.attention);

    // The owner vouched for one machine whose id changes, which does not cover two machines.
    let other = enrolled.dial_as_run("same", "first").await.unwrap();
    back.link.await.unwrap();
    is_contested(enrolled.dial_as_run("another-boot", "third").await);
    other.link.await.unwrap();
    control.shutdown().await;
}

#[tokio::test]
async fn a_copy_that_dials_after_the_right_machine_enrolled_again_does_not_hold_it_up() {
    let dir = tempfile::tempdir().unwrap();
    let control = Control::start(config(dir.path())).await.unwrap();
    let offer = control.local_enrollment().await.unwrap().unwrap();
    let name = offer.device_name.to_string();
    let enrolled = enroll(offer, "same").await;
    take_turns(&control, &name, &enrolled).await;

    let rotated = control
        .ask("POST", &format!("/devices/{name}/rotate"), "{}")
        .await;
    let text = rotated["config"].as_str().unwrap();
    let token = text.lines().find_map(|line| line.strip_prefix("token = \""));
    let config = ConfigFile {
        token: token.unwrap().trim_end_matches('"').to_owned(),
        ..enrolled.config.clone()
    };
    let again = enroll(config, "same").await;
    // The old certificate is valid until the first link with the new one.
    let copy = enrolled.dial_as_run("same", "second").await.unwrap();
    let _right = again.dial_as_run("same", "third").await.unwrap();
    copy.link.await.unwrap();
    control
        .eventually("it is back", &name, |device| {
            device.status == DeviceStatus::Online
        })
        .await;
    control.shutdown().await;
}
