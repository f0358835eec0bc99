//! A control for tests: a store of its own, a clock that the test sets, secrets from a fixed seed, no ports.

mod reports;
pub(crate) mod spoil;

pub(crate) use reports::{mesh_at, path_to};

use crate::{
    access::Access,
    cache::{Cache, DeviceEntry, JobTable, OwnersSsh, StoredFleet},
    clock::{Clock, tests::ManualClock},
    config::Ui,
    core::Core,
    data_dir::DataDir,
    limit::Refusals,
    links::Links,
    provision::Builds,
    repeats::Repeats,
    store::{Credential, FleetRow, LastReport, Store},
    trust::Trust,
};
use axum::{Router, body::Body, response::Response};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use flotilla_identity::{EnrollmentToken, LeafKey, PeerCertificate, WireguardKey, WireguardPublicKey};
use flotilla_link::Caller;
use flotilla_protocol::{
    Problem,
    device::CertificateFacts,
    enroll::{EnrollRequest, EnrollResponse},
    key::PublicKey,
};
use http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use rand::{SeedableRng, rngs::StdRng};
use serde::de::DeserializeOwned;
use std::sync::Arc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

pub(crate) struct Testbed {
    pub(crate) core: Arc<Core>,
    pub(crate) clock: ManualClock,
    /// The API's token.
    pub(crate) token: String,
    _dir: tempfile::TempDir,
}

pub(crate) const API_PORT: u16 = 7440;

impl Testbed {
    pub(crate) async fn new() -> Self {
        Self::with(Ui::None, vec![]).await
    }

    pub(crate) async fn with(ui: Ui, rows: Vec<crate::cache::DeviceEntry>) -> Self {
        Self::build(ui, rows, OwnersSsh::new("/no/such/ssh", None)).await
    }

    pub(crate) async fn with_ssh(ssh: OwnersSsh) -> Self {
        Self::build(Ui::None, vec![], ssh).await
    }

    async fn build(ui: Ui, rows: Vec<crate::cache::DeviceEntry>, ssh: OwnersSsh) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let data_dir = DataDir::open(dir.path()).unwrap();
        let store = Store::open(&data_dir.file("flotilla.db")).await.unwrap();
        let (manual_clock, clock) = ManualClock::at("2026-11-21T14:02:00Z");
        let fleet = "01937c5e-7b1a-7c3e-8b9e-0123456789ab".parse().unwrap();
        let trust = Trust::open(&data_dir, None, fleet, &clock).unwrap();
        let row = FleetRow {
            id: fleet,
            name: None,
            mesh_cidr: "100.71.0.0/16".parse().unwrap(),
            starting_policy: None,
            created: clock.now(),
            added_endpoints: vec![],
        };
        for entry in &rows {
            store.save_device(&entry.row).await.unwrap();
        }
        let (access, token) = Access::new([7; 32]);
        let stored = StoredFleet {
            fleet: row,
            policy: None,
            entries: rows,
        };
        let cache = Cache::new(stored, clock.clone(), Instant::now().into_std());
        let timers_changed = cache.lock().timers_changed.clone();
        let core = Arc::new(Core {
            cache,
            links: Links::default(),
            jobs: JobTable::default(),
            access,
            refusals: Refusals::default(),
            repeats: Repeats::default(),
            trust,
            builds: Builds::new(None),
            ui,
            api_addr: ([127, 0, 0, 1], API_PORT).into(),
            write_lock: tokio::sync::Mutex::default(),
            timers_changed,
            stop: CancellationToken::new(),
            tasks: tokio_util::task::TaskTracker::new(),
            streams: crate::api::stream_budget(),
            random: parking_lot::Mutex::new(StdRng::from_seed([8; 32])),
            relay: parking_lot::Mutex::default(),
            endpoints: parking_lot::Mutex::new(vec!["192.0.2.1:7443".parse().unwrap()]),
            advertised: vec!["192.0.2.1:7443".parse().unwrap()],
            fleet_addr: "0.0.0.0:7443".parse().unwrap(),
            ssh,
            clock,
            store,
        });
        tokio::spawn(crate::jobs::run(core.clone()));
        Self {
            core,
            clock: manual_clock,
            token: token.reveal().to_owned(),
            _dir: dir,
        }
    }

    pub(crate) fn api(&self) -> Router {
        crate::api::router(&self.core)
    }

    /// Calls the API as the owner.
    pub(crate) async fn call(&self, method: Method, path: &str, body: &str) -> (StatusCode, String) {
        let request = Request::builder()
            .method(method)
            .uri(format!("/api/v1{path}"))
            .header(header::HOST, format!("127.0.0.1:{API_PORT}"))
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_owned()))
            .unwrap();
        read(self.api().oneshot(request).await.unwrap()).await
    }

    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> T {
        let (status, body) = self.call(Method::GET, path, "").await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        serde_json::from_str(&body).unwrap()
    }

    pub(crate) async fn post<T: DeserializeOwned>(&self, path: &str, body: &str) -> T {
        let (status, body) = self.call(Method::POST, path, body).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        serde_json::from_str(&body).unwrap()
    }

    pub(crate) async fn patch<T: DeserializeOwned>(&self, path: &str, body: &str) -> T {
        let (status, body) = self.call(Method::PATCH, path, body).await;
        assert!(status.is_success(), "{path}: {body}");
        serde_json::from_str(&body).unwrap()
    }

    pub(crate) async fn put<T: DeserializeOwned>(&self, path: &str, body: &str) -> T {
        let (status, body) = self.call(Method::PUT, path, body).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        serde_json::from_str(&body).unwrap()
    }

    pub(crate) async fn refused(&self, method: Method, path: &str, body: &str) -> Problem {
        let (status, body) = self.call(method, path, body).await;
        let problem: Problem = serde_json::from_str(&body).unwrap();
        assert_eq!(status.as_u16(), problem.code.status());
        problem
    }

    /// The token of a device that is added or rotated by this call.
    pub(crate) async fn offer(&self, path: &str, body: &str) -> String {
        let added: flotilla_protocol::api::DeviceAdded = self.post(path, body).await;
        let config: toml::Table = toml::from_str(&added.config.unwrap()).unwrap();
        config["token"].as_str().unwrap().to_owned()
    }

    /// Sends a request to the fleet port from `caller`.
    pub(crate) async fn fleet(&self, caller: &Caller, mut request: Request<Body>) -> (StatusCode, String) {
        request.extensions_mut().insert(caller.clone());
        read(
            crate::fleet_port::router(&self.core)
                .oneshot(request)
                .await
                .unwrap(),
        )
        .await
    }

    pub(crate) async fn enroll(&self, machine: &Machine, token: &str) -> Result<EnrollResponse, Problem> {
        let body = serde_json::to_string(&self.request(machine, token)).unwrap();
        self.enroll_with(token, body).await
    }

    /// The enrollment request of a machine.
    pub(crate) fn request(&self, machine: &Machine, token: &str) -> EnrollRequest {
        machine.request(&self.core.clock, token, &self.core.trust.proof_key.public())
    }

    pub(crate) async fn enroll_with(&self, token: &str, body: String) -> Result<EnrollResponse, Problem> {
        let request = Request::post(flotilla_protocol::enroll::ENROLL_PATH)
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .body(Body::from(body))
            .unwrap();
        let (status, body) = self.fleet(&stranger(), request).await;
        if status.is_success() {
            Ok(serde_json::from_str(&body).unwrap())
        } else {
            Err(serde_json::from_str(&body).unwrap())
        }
    }
}

async fn read(response: Response) -> (StatusCode, String) {
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

pub(crate) fn stranger() -> Caller {
    Caller {
        remote: "198.51.100.7:40000".parse().unwrap(),
        certificate: None,
    }
}

/// A program for tests: a shell script in a folder.
pub(crate) fn program(dir: &std::path::Path, name: &str, body: &str) -> std::path::PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let path = dir.join(name);
    std::fs::write(&path, format!("#!/bin/bash\n{body}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// A caller with the certificate of an enrollment.
pub(crate) fn device(response: &EnrollResponse) -> Caller {
    let pem = response.chain.split("-----").nth(2).unwrap().replace('\n', "");
    let certificate = PeerCertificate::from_der(&STANDARD.decode(pem.trim()).unwrap()).unwrap();
    Caller {
        certificate: Some(certificate),
        ..stranger()
    }
}

/// A machine that wants to enroll.
pub(crate) struct Machine {
    pub(crate) key: LeafKey,
    pub(crate) wireguard: WireguardKey,
    id: String,
}

impl Machine {
    pub(crate) fn new(id: &str) -> Self {
        Self {
            key: LeafKey::generate().unwrap(),
            wireguard: WireguardKey::generate(),
            id: id.to_owned(),
        }
    }

    /// `proof_key` is control's.
    pub(crate) fn request(
        &self,
        clock: &Clock,
        token: &str,
        proof_key: &WireguardPublicKey,
    ) -> EnrollRequest {
        // A text that is no token is refused before the proof is checked, so none is made.
        let token = EnrollmentToken::parse(token).map(|token| token.id());
        let prove = |token| self.wireguard.prove(proof_key, token, &self.key.pin()).unwrap();
        EnrollRequest {
            protocol: flotilla_protocol::PROTOCOL,
            agent_version: "0.1.0".into(),
            csr_der: STANDARD.encode(self.key.csr_der().unwrap()),
            wireguard_public_key: self.wireguard.public().to_string(),
            key_proof: token.map(prove).unwrap_or_default(),
            machine_id: self.id.clone(),
            facts: flotilla_protocol::device::Facts {
                hostname: self.id.clone(),
                ..Default::default()
            },
            routes: vec![],
            sent_at: clock.now(),
        }
    }
}

/// An enrolled device, which is on the mesh.
pub(crate) fn peer(name: &str, nth: u8) -> DeviceEntry {
    let mut row = crate::store::tests::device(name, nth);
    row.tags = vec![];
    row.enrolled = Some(row.created);
    row.credential = Some(Credential {
        certificate: CertificateFacts {
            issued: row.created,
            expires: row.created,
            fingerprint: "f".into(),
        },
        machine_id: name.to_owned(),
        wireguard_key: PublicKey::from_bytes([nth; 32]).to_string(),
    });
    DeviceEntry::new(row, None, LastReport::default())
}
