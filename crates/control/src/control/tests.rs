//! A whole control on loopback, with an agent that dials it over real TLS.

mod certificate;
mod fake_agent;
mod identity;
mod job_news;
mod job_records;
mod jobs;
mod last_report;
mod links;
mod log_search;
mod mesh;
mod modes;
mod orders;
mod rogue;
mod sessions;
mod streams;

use super::*;
use crate::{config::Ui, testbed::Machine};
use axum::{
    Json, Router,
    body::Body,
    extract::Path,
    routing::{get, post},
};
use bytes::Bytes;
use flotilla_identity::{ControlTrust, LiveCertificate, agent_config};
use flotilla_link::{DialError, Introduction, LinkEnd, Target, call, dial};
use flotilla_protocol::{
    Code,
    agent::{CONTAINERS_PATH, Hello, PING_PATH, REVOKED_PATH, Report, SETTINGS_PATH, WATCH_PATH},
    api::{List, Row, Stage},
    device::Device,
    enroll::{ENROLL_PATH, EnrollChallenge, EnrollResponse},
    inventory::{Container, Inventory},
    mesh::{MAP_PATH, MapPush, PATHS_PATH},
};
use http::{Request, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};
use tokio::{sync::mpsc, task::JoinHandle, time::Instant};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

fn config(dir: &std::path::Path) -> ControlConfig {
    ControlConfig {
        data_dir: dir.to_owned(),
        fleet_addr: "127.0.0.1:0".parse().unwrap(),
        api_addr: "127.0.0.1:0".parse().unwrap(),
        advertise: vec![],
        agents_dir: None,
        relay_mbit_per_second: 100,
        ui: Ui::None,
    }
}

impl Control {
    async fn ask(&self, method: &str, path: &str, body: &str) -> Value {
        let file = std::fs::read_to_string(self.data_dir.file(API_FILE)).unwrap();
        let file: Value = serde_json::from_str(&file).unwrap();
        let request = Request::builder()
            .method(method)
            .uri(format!("/api/v1{path}"))
            .header(header::HOST, self.ready.api.strip_prefix("http://").unwrap())
            .header(
                header::AUTHORIZATION,
                format!("Bearer {}", file["token"].as_str().unwrap()),
            )
            .body(Body::from(body.to_owned()))
            .unwrap();
        let response = api::router(&self.core).oneshot(request).await.unwrap();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        serde_json::from_slice(&body).unwrap()
    }

    async fn device(&self, name: &str) -> Device {
        serde_json::from_value(self.ask("GET", &format!("/devices/{name}"), "").await).unwrap()
    }

    async fn eventually(&self, what: &str, name: &str, check: impl Fn(&Device) -> bool) -> Device {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let device = self.device(name).await;
            if check(&device) {
                return device;
            }
            assert!(Instant::now() < deadline, "not within 10 s: {what}: {device:?}");
            tokio::task::yield_now().await;
        }
    }
}

/// Waits up to 10 s.
async fn eventually(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !is_so().await {
        assert!(
            begun.elapsed() < Duration::from_secs(10),
            "not within 10 s: {what}"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A fake agent's link.
struct Agent {
    reports: mpsc::Sender<Report>,
    calls: Arc<Mutex<Vec<String>>>,
    jobs: jobs::FakeJobs,
    link: JoinHandle<LinkEnd>,
}

struct EnrolledDevice {
    machine: Machine,
    response: EnrollResponse,
    config: ConfigFile,
    mapped: Arc<Mutex<mesh::AgentMap>>,
    jobs: jobs::FakeJobs,
    numbers: streams::FakeNumbers,
    logs: log_search::FakeLogs,
    /// How many more times the agent refuses its settings, as with a full disk.
    refusals: Arc<AtomicUsize>,
}

async fn enroll(config: ConfigFile, machine_id: &str) -> EnrolledDevice {
    let machine = Machine::new(machine_id);
    let target = target(&config, None);
    let challenge = call(&target, Request::get(ENROLL_PATH).body(Bytes::new()).unwrap());
    let challenge: EnrollChallenge = serde_json::from_slice(&challenge.await.unwrap().body).unwrap();
    let proof_key = challenge.proof_key.to_string().parse().unwrap();
    let request = machine.request(&crate::clock::Clock::system(), &config.token, &proof_key);
    let request = serde_json::to_vec(&request).unwrap();
    let request = Request::post(ENROLL_PATH)
        .header(header::AUTHORIZATION, format!("Bearer {}", config.token))
        .body(Bytes::from(request))
        .unwrap();
    let answer = call(&target, request).await.unwrap();
    EnrolledDevice {
        machine,
        response: serde_json::from_slice(&answer.body).unwrap(),
        config,
        mapped: Arc::default(),
        jobs: jobs::FakeJobs::default(),
        numbers: streams::FakeNumbers::default(),
        logs: log_search::FakeLogs::default(),
        refusals: Arc::default(),
    }
}

fn target(config: &ConfigFile, enrolled: Option<(&Machine, &EnrollResponse)>) -> Target {
    let clock = crate::clock::Clock::system();
    let trust = ControlTrust {
        ca_pin: config.ca_pin.clone(),
        fleet: Some(config.fleet_id),
    };
    let certificate = enrolled.map(|(machine, response)| {
        LiveCertificate::new(&machine.key, &response.chain, &response.ca).unwrap()
    });
    let tls = agent_config(
        trust,
        certificate.as_ref(),
        flotilla_identity::Clock::new(move || clock.now()),
    )
    .unwrap();
    Target {
        endpoints: config.endpoints.clone(),
        last_good: None,
        tls,
        proxies: flotilla_link::Proxies::default(),
    }
}

impl EnrolledDevice {
    async fn dial(&self, machine_id: &str) -> Result<Agent, DialError> {
        self.dial_as_run(machine_id, "run").await
    }

    /// Dials as one run of the agent, which names itself `run`.
    async fn dial_as_run(&self, machine_id: &str, run: &str) -> Result<Agent, DialError> {
        let target = target(&self.config, Some((&self.machine, &self.response)));
        let introduction = Introduction {
            run: run.into(),
            machine_id: machine_id.into(),
            hostname: format!("{machine_id}.lan"),
        };
        let dialed = dial(&target, &introduction).await?;
        let (reports, receiver) = mpsc::channel::<Report>(16);
        let calls = Arc::new(Mutex::new(vec![]));
        let router = self.routes(receiver, &calls);
        let link = tokio::spawn(flotilla_link::serve(dialed, router, CancellationToken::new()));
        let jobs = self.jobs.clone();
        Ok(Agent {
            reports,
            calls,
            jobs,
            link,
        })
    }
}

fn hello() -> Report {
    Report::Hello(Hello {
        protocol: 1,
        agent_version: "0.1.0".into(),
        sent_at: crate::clock::Clock::system().now(),
        facts: flotilla_protocol::device::Facts {
            hostname: "nas".into(),
            ..Default::default()
        },
    })
}

fn container(id: &str, name: &str) -> Container {
    serde_json::from_value(json!({
        "id": id, "name": name, "image": "postgres:17", "state": "running", "status": "Running", "health": "healthy",
        "ports": [], "created": "2026-01-02T03:04:05Z",
    }))
    .unwrap()
}

#[tokio::test]
async fn a_device_enrolls_reports_is_acted_on_and_is_revoked() {
    let dir = tempfile::tempdir().unwrap();
    let control = Control::start(config(dir.path())).await.unwrap();
    let offer = control.local_enrollment().await.unwrap().unwrap();
    let name = offer.device_name.to_string();
    let enrolled = enroll(offer, "nas").await;
    assert!(
        control.local_enrollment().await.unwrap().is_none(),
        "it has enrolled"
    );
    let agent = enrolled.dial("nas").await.unwrap();
    agent.reports.send(hello()).await.unwrap();
    let inventory = Inventory {
        containers: vec![container("4f1c", "postgres")],
        ..Default::default()
    };
    agent.reports.send(Report::Inventory(inventory)).await.unwrap();
    let device = control
        .eventually("its container", &name, |device| device.containers.total == 1)
        .await;
    assert_eq!(device.status, DeviceStatus::Online);
    assert!(device.this_computer && control.summary().online == 1);
    let rows: List<Row<Container>> =
        serde_json::from_value(control.ask("GET", "/containers", "").await).unwrap();
    assert_eq!((rows.items.len(), rows.unreachable_devices.len()), (1, 0));
    let stages = control
        .ask("GET", &format!("/devices/{name}/enrollment"), "")
        .await;
    assert_eq!(stages["stages"][3]["stage"], json!(Stage::Online));

    assert_eq!(
        control
            .ask(
                "POST",
                &format!("/devices/{name}/containers/postgres/restart"),
                ""
            )
            .await,
        json!({})
    );
    assert!(agent.calls.lock().unwrap().contains(&"restart 4f1c".to_owned()));

    let began = Instant::now();
    control.ask("POST", &format!("/devices/{name}/revoke"), "").await;
    agent.link.await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(2));
    assert!(agent.calls.lock().unwrap().contains(&"revoked".to_owned()));
    let refused = enrolled.dial("nas").await.err().unwrap();
    assert!(matches!(refused, DialError::Refused { problem, .. } if problem.code == Code::Revoked));
    control.shutdown().await;
}

#[tokio::test]
async fn the_newest_link_wins_a_copy_is_turned_away_and_rows_survive_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = config(dir.path());
    let control = Control::start(settings.clone()).await.unwrap();
    settings.fleet_addr = control
        .ready
        .fleet
        .strip_prefix("https://")
        .unwrap()
        .parse()
        .unwrap();
    let offer = control.local_enrollment().await.unwrap().unwrap();
    let name = offer.device_name.to_string();
    let enrolled = enroll(offer, "nas").await;
    let first = enrolled.dial("nas").await.unwrap();
    let second = enrolled.dial("nas").await.unwrap();
    first.link.await.unwrap();
    let copy = enrolled.dial("copy").await.err().unwrap();
    assert!(matches!(copy, DialError::Refused { problem, .. } if problem.code == Code::Quarantined));
    second.reports.send(hello()).await.unwrap();
    let inventory = Inventory {
        containers: vec![container("4f1c", "postgres")],
        ..Default::default()
    };
    second.reports.send(Report::Inventory(inventory)).await.unwrap();
    let device = control
        .eventually("its container", &name, |device| device.containers.total == 1)
        .await;
    assert_eq!(device.attention.len(), 1, "the copy is named");
    control.shutdown().await;
    second.link.await.unwrap();

    let control = Control::start(settings).await.unwrap();
    let device = control.device(&name).await;
    assert_eq!(
        (device.status, device.containers.total),
        (DeviceStatus::Reconnecting, 1)
    );
    let stop = control
        .ask("POST", &format!("/devices/{name}/containers/postgres/stop"), "")
        .await;
    assert_eq!(stop["code"], json!(Code::DeviceOffline));
    let message = stop["message"].as_str().unwrap();
    assert!(
        message.starts_with(&format!(
            "{name} is offline, so postgres can't be stopped. It was last seen at"
        )),
        "{message}"
    );
    let third = enrolled.dial("nas").await.unwrap();
    control
        .eventually("it is back", &name, |device| {
            device.status == DeviceStatus::Online
        })
        .await;
    drop(third);
    control.shutdown().await;
}

#[tokio::test]
async fn a_start_that_cannot_be_says_the_way_out() {
    let dir = tempfile::tempdir().unwrap();
    let control = Control::start(config(dir.path())).await.unwrap();
    let locked = Control::start(config(dir.path())).await.unwrap_err();
    assert!(matches!(locked, StartError::Locked { .. }), "{locked}");
    let other = tempfile::tempdir().unwrap();
    let taken: SocketAddr = control
        .ready
        .fleet
        .strip_prefix("https://")
        .unwrap()
        .parse()
        .unwrap();
    let fleet = Control::start(ControlConfig {
        fleet_addr: taken,
        ..config(other.path())
    })
    .await
    .unwrap_err();
    assert!(
        fleet.to_string().contains("--fleet-addr") && fleet.to_string().contains(&taken.port().to_string())
    );
    let taken: SocketAddr = control
        .ready
        .api
        .strip_prefix("http://")
        .unwrap()
        .parse()
        .unwrap();
    let api = Control::start(ControlConfig {
        api_addr: taken,
        ..config(other.path())
    })
    .await
    .unwrap_err();
    assert!(api.to_string().contains("--api-addr"), "{api}");
    let open = ControlConfig {
        api_addr: "0.0.0.0:0".parse().unwrap(),
        ..config(other.path())
    };
    assert!(matches!(
        Control::start(open).await.unwrap_err(),
        StartError::ApiNotLoopback { .. }
    ));
    control.shutdown().await;
    assert!(!dir.path().join(API_FILE).exists());
}
