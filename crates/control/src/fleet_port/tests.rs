//! Enrollment and admission as a device on the network meets them.

mod floods;
mod keys;
mod machines;

use crate::testbed::{Machine, Testbed, device, stranger};
use axum::body::Body;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use flotilla_protocol::{
    Code, Problem,
    activity::{Action, Activity, Actor},
    agent::{HOSTNAME_HEADER, LINK_PATH, MACHINE_HEADER},
    api::{Enrollment, EnrollmentState, List, Stage},
    device::{Attention, Device, DeviceStatus},
    enroll::EnrollResponse,
};
use http::{Method, Request, header};

/// Asks for a link without a WebSocket upgrade: an admitted caller is then told to upgrade.
async fn ask_link(bed: &Testbed, caller: &flotilla_link::Caller, machine: &str) -> Code {
    let request = Request::get(LINK_PATH)
        .header(MACHINE_HEADER, machine)
        .header(HOSTNAME_HEADER, format!("{machine}.lan"))
        .body(Body::empty())
        .unwrap();
    let (_, body) = bed.fleet(caller, request).await;
    serde_json::from_str::<Problem>(&body).unwrap().code
}

/// The answer that an admitted caller of [`ask_link`] gets.
const LET_IN: Code = Code::InvalidInput;

async fn enrolled(bed: &Testbed) -> (Machine, EnrollResponse) {
    let token = bed.offer("/devices", r#"{"name":"nas"}"#).await;
    let machine = Machine::new("nas");
    let response = bed.enroll(&machine, &token).await.unwrap();
    (machine, response)
}

#[tokio::test]
async fn a_device_enrolls_once_and_its_stages_are_shown() {
    let bed = Testbed::new().await;
    let token = bed.offer("/devices", r#"{"name":"nas","tags":["prod"]}"#).await;
    let waiting: Enrollment = bed.get("/devices/nas/enrollment").await;
    assert_eq!(
        (waiting.state, waiting.stages.len()),
        (EnrollmentState::Waiting, 0)
    );
    let machine = Machine::new("nas");
    let response = bed.enroll(&machine, &token).await.unwrap();
    assert_eq!(
        (response.mesh.address.to_string(), response.mesh.prefix),
        ("100.71.0.1".into(), 16)
    );
    assert_eq!(device(&response).device(), Some(response.device_id));
    let done: Enrollment = bed.get("/devices/nas/enrollment").await;
    let stages: Vec<_> = done.stages.iter().map(|reached| reached.stage).collect();
    assert_eq!(done.state, EnrollmentState::Done);
    assert_eq!(
        stages,
        [Stage::Reached, Stage::IdentityChecked, Stage::CertificateIssued]
    );
    assert_eq!(done.stages[0].from.as_deref(), Some("198.51.100.7"));
    let other = bed.enroll(&Machine::new("other"), &token).await.unwrap_err();
    assert_eq!(other.code, Code::TokenUsed);
    let device: Device = bed.get("/devices/nas").await;
    assert_eq!(
        device.status,
        DeviceStatus::Reconnecting,
        "its link should follow"
    );
    assert!(device.token_expires.is_none() && device.certificate.is_some());
}

#[tokio::test]
async fn a_lost_answer_is_given_again_to_the_same_key_for_ten_minutes() {
    let bed = Testbed::new().await;
    let token = bed.offer("/devices", r#"{"name":"nas"}"#).await;
    let machine = Machine::new("nas");
    let first = bed.enroll(&machine, &token).await.unwrap();
    bed.clock.advance(600);
    assert_eq!(bed.enroll(&machine, &token).await.unwrap().chain, first.chain);
    bed.clock.advance(1);
    assert_eq!(
        bed.enroll(&machine, &token).await.unwrap_err().code,
        Code::TokenUsed
    );
}

#[tokio::test]
async fn of_two_agents_with_one_token_exactly_one_wins() {
    let bed = Testbed::new().await;
    let token = bed.offer("/devices", r#"{"name":"nas"}"#).await;
    let (a, b) = (Machine::new("a"), Machine::new("b"));
    let (a, b) = tokio::join!(bed.enroll(&a, &token), bed.enroll(&b, &token));
    assert!(a.is_ok() ^ b.is_ok());
    assert_eq!(a.err().or(b.err()).unwrap().code, Code::TokenUsed);
}

#[tokio::test]
async fn every_refusal_says_why_and_is_recorded_with_its_address() {
    let bed = Testbed::new().await;
    let machine = Machine::new("nas");
    let old = bed.offer("/devices", r#"{"name":"nas"}"#).await;
    let new = bed.offer("/devices/nas/rotate", "{}").await;
    assert_eq!(
        bed.enroll(&machine, &old).await.unwrap_err().code,
        Code::TokenRevoked
    );
    assert_eq!(
        bed.enroll(&machine, "nonsense").await.unwrap_err().code,
        Code::TokenUnknown
    );
    let mut request = bed.request(&machine, &new);
    request.csr_der = STANDARD.encode("nothing");
    let body = serde_json::to_string(&request).unwrap();
    assert_eq!(
        bed.enroll_with(&new, body).await.unwrap_err().field.as_deref(),
        Some("csr_der")
    );
    assert_eq!(
        bed.enroll_with(&new, "{".into()).await.unwrap_err().code,
        Code::InvalidInput
    );
    bed.clock.advance(3_600);
    assert_eq!(
        bed.enroll(&machine, &new).await.unwrap_err().code,
        Code::TokenExpired
    );
    let enrollment: Enrollment = bed.get("/devices/nas/enrollment").await;
    assert_eq!(enrollment.failure.unwrap().code, Code::TokenExpired);
    let log: List<Activity> = bed.get("/activity").await;
    let refused: Vec<_> = log
        .items
        .iter()
        .filter(|entry| entry.action == Action::EnrollmentRefused)
        .collect();
    assert_eq!(refused.len(), 5);
    let stranger = Actor::Stranger {
        address: "198.51.100.7".into(),
    };
    assert!(
        refused
            .iter()
            .all(|entry| entry.actor == stranger && !entry.succeeded)
    );
}

#[tokio::test]
async fn a_wrong_secret_is_shown_where_the_person_waits_and_soon_attempts_are_not_looked_at() {
    let bed = Testbed::new().await;
    let token = bed.offer("/devices", r#"{"name":"nas"}"#).await;
    let (id, _) = token.split_once('.').unwrap();
    let forged = format!("{id}.{}", "A".repeat(43));
    let machine = Machine::new("nas");
    for _ in 0..10 {
        assert_eq!(
            bed.enroll(&machine, &forged).await.unwrap_err().code,
            Code::TokenUnknown
        );
    }
    let failure = bed
        .get::<Enrollment>("/devices/nas/enrollment")
        .await
        .failure
        .unwrap();
    assert!(
        failure.message.contains("couldn't prove it holds this command"),
        "{}",
        failure.message
    );
    assert_eq!(
        bed.enroll(&machine, &token).await.unwrap_err().code,
        Code::RateLimited
    );
    bed.clock.advance(60);
    assert!(bed.enroll(&machine, &token).await.is_ok());
}

#[tokio::test]
async fn only_a_device_of_the_fleet_on_its_own_machine_gets_a_link() {
    let bed = Testbed::new().await;
    let (_, response) = enrolled(&bed).await;
    let nas = device(&response);
    assert_eq!(ask_link(&bed, &stranger(), "nas").await, Code::Unauthenticated);
    assert_eq!(ask_link(&bed, &nas, "nas").await, LET_IN);
    assert_eq!(ask_link(&bed, &nas, "copy").await, Code::Quarantined);
    let shown: Device = bed.get("/devices/nas").await;
    assert!(
        matches!(&shown.attention[..], [Attention::Cloned { hostname, .. }] if hostname == "copy.lan"),
        "{:?}",
        shown.attention
    );
    ask_link(&bed, &nas, "copy").await;
    let log: List<Activity> = bed.get("/activity").await;
    let quarantined = log
        .items
        .iter()
        .filter(|entry| entry.action == Action::DeviceQuarantined);
    assert_eq!(
        quarantined.count(),
        1,
        "a copy that keeps trying is recorded once"
    );
    bed.clock.advance(91 * 86_400);
    assert_eq!(ask_link(&bed, &nas, "nas").await, Code::Expired);
}

#[tokio::test]
async fn a_revoked_device_stays_out_until_it_enrolls_again_and_its_old_certificate_stays_dead() {
    let bed = Testbed::new().await;
    let (_, response) = enrolled(&bed).await;
    let old = device(&response);
    let revoked: Device = bed.post("/devices/nas/revoke", "{}").await;
    assert_eq!(revoked.status, DeviceStatus::Revoked);
    assert_eq!(ask_link(&bed, &old, "nas").await, Code::Revoked);
    assert_eq!(
        bed.refused(Method::POST, "/devices/nas/revoke", "{}").await.code,
        Code::Conflict
    );
    let token = bed.offer("/devices/nas/rotate", "{}").await;
    let again = bed.enroll(&Machine::new("nas"), &token).await.unwrap();
    assert_eq!(again.device_id, response.device_id);
    assert_eq!(ask_link(&bed, &device(&again), "nas").await, LET_IN);
    assert_eq!(ask_link(&bed, &old, "nas").await, Code::Superseded);
}

#[tokio::test]
async fn the_certificate_of_a_removed_device_is_worth_nothing() {
    let bed = Testbed::new().await;
    let (_, response) = enrolled(&bed).await;
    assert_eq!(
        bed.refused(Method::DELETE, "/devices/nas", "").await.code,
        Code::Conflict
    );
    bed.post::<Device>("/devices/nas/revoke", "{}").await;
    assert!(bed.call(Method::DELETE, "/devices/nas", "").await.0.is_success());
    assert_eq!(ask_link(&bed, &device(&response), "nas").await, Code::Revoked);
    assert_eq!(
        bed.refused(Method::GET, "/devices/nas", "").await.code,
        Code::NotFound
    );
}

#[tokio::test]
async fn installers_are_for_bearers_of_a_token_and_consume_nothing() {
    let bed = Testbed::new().await;
    let token = bed.offer("/devices", r#"{"name":"nas"}"#).await;
    let get = |path: &str, token: &str| {
        let request = Request::get(path).header(header::HOST, "nas.lan:7443");
        request
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .body(Body::empty())
            .unwrap()
    };
    let (status, script) = bed.fleet(&stranger(), get("/install/agent.sh", &token)).await;
    assert!(
        status.is_success() && script.contains("nas.lan:7443") && script.contains(&token),
        "{script}"
    );
    let (_, body) = bed
        .fleet(&stranger(), get("/install/agent/x86_64-linux", &token))
        .await;
    assert_eq!(
        serde_json::from_str::<Problem>(&body).unwrap().code,
        Code::NoBinaryForArch
    );
    for path in [
        "/install/agent.sh",
        "/install/agent/x86_64-linux",
        "/install/agent-image/amd64.tar",
    ] {
        let (_, body) = bed.fleet(&stranger(), get(path, "x")).await;
        assert_eq!(
            serde_json::from_str::<Problem>(&body).unwrap().code,
            Code::TokenUnknown,
            "{path}"
        );
    }
    assert!(bed.enroll(&Machine::new("nas"), &token).await.is_ok());
}

#[tokio::test]
async fn nothing_else_is_served_to_the_network() {
    let bed = Testbed::new().await;
    for path in ["/", "/healthz", "/api/v1/devices", "/install", "/agent/v1"] {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let (_, body) = bed.fleet(&stranger(), request).await;
        assert_eq!(
            serde_json::from_str::<Problem>(&body).unwrap().code,
            Code::NotFound,
            "{path}"
        );
    }
}

/// A log writer that keeps what is written.
#[derive(Clone, Default)]
struct Captured(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_token_is_ever_logged_or_recorded() {
    let captured = Captured::default();
    let writer = captured.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    // With a second subscriber, each log line asks both whether it is wanted. With one, the first thread's answer would
    // be kept for all threads.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    let bed = Testbed::new().await;
    let token = bed.offer("/devices", r#"{"name":"nas"}"#).await;
    let machine = Machine::new("nas");
    let (id, secret) = token.split_once('.').unwrap();
    let forged = format!("{id}.{}", "A".repeat(43));
    bed.enroll(&machine, &forged).await.unwrap_err();
    bed.enroll(&machine, &token).await.unwrap();
    bed.enroll(&Machine::new("other"), &token).await.unwrap_err();
    bed.enroll(&machine, &format!("{token}x")).await.unwrap_err();
    let log = String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("enrollment refused"), "the capture works: {log}");
    let (_, recorded) = bed.call(Method::GET, "/activity", "").await;
    for text in [log, recorded] {
        assert!(
            !text.contains(secret) && !text.contains(&"A".repeat(43)),
            "{text}"
        );
    }
}
