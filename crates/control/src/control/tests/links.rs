//! Settings are sent until they are taken, and a link lives until a newer one takes its place.

use super::{mesh::added, modes::add_box, *};
use crate::hub::{self, Arrival};

#[tokio::test]
async fn settings_are_sent_until_they_are_taken() {
    let dir = tempfile::tempdir().unwrap();
    let control = Control::start(config(dir.path())).await.unwrap();
    let nas = added(&control, "nas").await;
    nas.refusals.store(2, Ordering::Relaxed);
    let agent = nas.dial("nas").await.unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    while agent.calls.lock().unwrap().is_empty() {
        assert!(
            Instant::now() < deadline,
            "it was refused twice, and never sent again"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(*agent.calls.lock().unwrap(), ["settings nas"]);
    assert_eq!(nas.refusals.load(Ordering::Relaxed), 0);
    control.shutdown().await;
}

#[tokio::test]
async fn a_link_lives_until_its_successor_is_admitted() {
    let dir = tempfile::tempdir().unwrap();
    let control = Control::start(config(dir.path())).await.unwrap();
    let (nas, vps) = (added(&control, "nas").await, added(&control, "vps").await);
    let agent = nas.dial("nas").await.unwrap();
    let other = vps.dial("vps").await.unwrap();
    let online = |device: &Device| device.status == DeviceStatus::Online;
    let device = control.eventually("nas is online", "nas", online).await;
    let vps = control.eventually("vps is online", "vps", online).await;
    // A link whose certificate was replaced after its route had let it in.
    let arrival = Arrival {
        device: device.id,
        number: control.core.links.next_number(),
        remote: "192.0.2.7:4000".parse().unwrap(),
        fingerprint: "superseded".to_owned(),
    };
    let link = control.core.links.lookup(vps.id).unwrap();
    hub::run(control.core.clone(), arrival, link).await;
    other.link.await.unwrap();
    assert!(!agent.link.is_finished());
    let link = control
        .core
        .links
        .lookup(device.id)
        .expect("the link that it has stays");
    assert_eq!(
        link.get::<Value>(PING_PATH, Duration::from_secs(5)).await,
        Ok(json!({}))
    );
    assert_eq!(control.device("nas").await.status, DeviceStatus::Online);
    control.shutdown().await;
}

#[tokio::test]
async fn a_revoked_and_removed_devices_key_is_barred_from_relays_after_a_restart_too() {
    let dir = tempfile::tempdir().unwrap();
    let control = Control::start(config(dir.path())).await.unwrap();
    let nas = added(&control, "nas").await;
    let agent = nas.dial("nas").await.unwrap();
    let key = nas.machine.wireguard.public().to_string();
    eventually("it has a ticket", async || nas.ticket().is_some()).await;
    control.ask("POST", "/devices/nas/revoke", "").await;
    agent.link.await.unwrap();
    control.ask("DELETE", "/devices/nas", "").await;
    control.shutdown().await;

    let control = Control::start(config(dir.path())).await.unwrap();
    let now = control.core.clock.now();
    let ended = control.core.cache.lock().ended_keys(now);
    assert_eq!(ended.iter().map(ToString::to_string).collect::<Vec<_>>(), [key]);
    let month = now + jiff::SignedDuration::from_hours(31 * 24);
    assert_eq!(control.core.cache.lock().ended_keys(month), ended);
    control.shutdown().await;
}

#[tokio::test]
async fn an_agent_of_another_protocol_is_refused_at_the_door_with_both_versions() {
    let dir = tempfile::tempdir().unwrap();
    let control = Control::start(config(dir.path())).await.unwrap();
    let nas = added(&control, "nas").await;
    let target = target(&nas.config, Some((&nas.machine, &nas.response)));
    let request = Request::get(flotilla_protocol::agent::LINK_PATH)
        .header(flotilla_protocol::agent::MACHINE_HEADER, "nas")
        .header(flotilla_protocol::agent::PROTOCOL_HEADER, "9")
        .body(Bytes::new())
        .unwrap();
    let refused = call(&target, request).await.unwrap_err();
    let DialError::Refused { problem, .. } = refused else {
        panic!("{refused}");
    };
    assert_eq!(problem.code, Code::UnsupportedProtocol);
    assert!(
        problem.message.contains("speaks protocol 1 ") && problem.message.contains("the agent speaks 9."),
        "{problem}"
    );
    assert!(nas.dial("nas").await.is_ok(), "this build's own is spoken");
    control.shutdown().await;
}

#[tokio::test]
async fn a_device_that_has_used_up_its_pace_waits_for_its_next_link() {
    let dir = tempfile::tempdir().unwrap();
    let control = Control::start(config(dir.path())).await.unwrap();
    let (agent, enrolled) = add_box(&control, "host").await;
    let device = control.device("box").await.id;
    let begun = Instant::now();
    let now = control.core.clock.now();
    control.core.cache.lock().pace(device, 80 << 20, now);
    let _next = enrolled.dial("box").await.unwrap();
    // The link that it has lives until then.
    agent.link.await.unwrap();
    let waited = begun.elapsed();
    assert!(waited >= Duration::from_millis(200), "only {waited:?}");
    control.shutdown().await;
}
