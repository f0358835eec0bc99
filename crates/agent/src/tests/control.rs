//! A control server that does what each test needs, on a real fleet port.

use crate::{AgentConfig, EnrollmentSource, Environment, Exit, run};
use axum::{
    Extension, Json, Router,
    body::Body,
    extract::{State, ws::WebSocketUpgrade},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::get,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use flotilla_identity::{
    EnrollmentToken, FleetCa, IssuedCertificate, LeafKey, LiveCertificate, ProofKey, VerifiedCsr,
    control_config,
};
use flotilla_link::{AgentLink, Caller, listen, serve_tls, upgrade};
use flotilla_protocol::{
    Code, Timestamp,
    agent::LINK_PATH,
    endpoint::Endpoint,
    enroll::{ENROLL_PATH, EnrollChallenge, EnrollRequest, EnrollResponse, MeshAddress},
    id::{DeviceId, FleetId},
    key::PublicKey,
    pin::Pin,
};
use std::{
    collections::VecDeque,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{sync::mpsc, task::JoinHandle};
use tokio_util::sync::{CancellationToken, DropGuard};

/// How a request is answered.
pub(super) enum Answer {
    Enroll,
    /// The certificate is issued, and the connection breaks before it arrives.
    Lost,
    Problem(Code),
}

pub(super) struct Control {
    shared: Arc<Shared>,
    pub(super) endpoint: Endpoint,
    pub(super) links: mpsc::UnboundedReceiver<AgentLink>,
    _running: DropGuard,
}

struct Shared {
    ca: FleetCa,
    proof_key: ProofKey,
    device: DeviceId,
    enroll: Mutex<VecDeque<Answer>>,
    link: Mutex<Option<Code>>,
    /// Token and key of each enrollment request.
    requests: Mutex<Vec<(String, Pin)>>,
    /// The fingerprint of each link's certificate.
    presented: Mutex<Vec<String>>,
    linked: mpsc::UnboundedSender<AgentLink>,
}

impl Shared {
    fn issue(&self, csr: &VerifiedCsr) -> IssuedCertificate {
        let now = crate::machine::AgentClock::system();
        self.ca.issue_device(csr, self.device, now).unwrap()
    }
}

/// A running agent.
pub(super) struct Running {
    pub(super) shutdown: CancellationToken,
    task: JoinHandle<Exit>,
}

impl Control {
    pub(super) fn start() -> Self {
        let now = crate::machine::AgentClock::system();
        let ca = FleetCa::create(
            FleetId("01937c5e-7b1a-7c3e-8b9e-0123456789ab".parse().unwrap()),
            now,
        )
        .unwrap();
        let key = LeafKey::generate().unwrap();
        let leaf = ca.issue_control(&key, now).unwrap();
        let clock = flotilla_identity::Clock::new(crate::machine::AgentClock::system);
        let live = LiveCertificate::new(&key, &leaf.pem, ca.cert_pem()).unwrap();
        let tls = control_config(&ca, &live, clock).unwrap();
        let listener = listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.local_addr().unwrap();
        let (linked, links) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            ca,
            proof_key: ProofKey::of(&key),
            device: "01937c5e-7b1a-7c3e-8b9e-0123456789ac".parse().unwrap(),
            enroll: Mutex::default(),
            link: Mutex::default(),
            requests: Mutex::default(),
            presented: Mutex::default(),
            linked,
        });
        let router = Router::new()
            .route(ENROLL_PATH, get(challenge).post(enroll))
            .route(LINK_PATH, get(link))
            .with_state(shared.clone());
        let shutdown = CancellationToken::new();
        tokio::spawn(serve_tls(listener, tls, router, shutdown.clone()));
        Self {
            shared,
            endpoint: Endpoint::from_ip(address.ip(), address.port()),
            links,
            _running: shutdown.drop_guard(),
        }
    }

    pub(super) fn pin(&self) -> Pin {
        self.shared.ca.pin()
    }

    pub(super) fn answer_enrollment(&self, answers: impl IntoIterator<Item = Answer>) {
        self.shared.enroll.lock().unwrap().extend(answers);
    }

    pub(super) fn refuse_links(&self, code: Code) {
        *self.shared.link.lock().unwrap() = Some(code);
    }

    pub(super) fn requests(&self) -> Vec<(String, Pin)> {
        self.shared.requests.lock().unwrap().clone()
    }

    pub(super) fn presented(&self) -> Vec<String> {
        self.shared.presented.lock().unwrap().clone()
    }

    pub(super) fn issue(&self, key: &LeafKey) -> IssuedCertificate {
        let csr = VerifiedCsr::from_der(&key.csr_der().unwrap()).unwrap();
        self.shared.issue(&csr)
    }

    pub(super) fn environment(&self, token: &EnrollmentToken) -> Environment {
        Environment {
            url: Some(format!("https://{}", self.endpoint)),
            token: Some(token.reveal().to_string()),
            ca_pin: Some(self.pin().to_string()),
        }
    }

    pub(super) fn agent(&self, state_dir: &Path, token: &EnrollmentToken) -> Running {
        start(agent_config(
            state_dir,
            EnrollmentSource::Environment(self.environment(token)),
        ))
    }

    pub(super) async fn linked(&mut self) -> AgentLink {
        tokio::time::timeout(Duration::from_secs(10), self.links.recv())
            .await
            .expect("a link within 10 s")
            .unwrap()
    }
}

pub(super) fn token() -> EnrollmentToken {
    EnrollmentToken::generate(Timestamp::UNIX_EPOCH)
}

pub(super) fn agent_config(state_dir: &Path, enrollment: EnrollmentSource) -> AgentConfig {
    AgentConfig {
        state_dir: state_dir.to_owned(),
        enrollment,
        tun_name: crate::TUN_NAME.to_owned(),
        docker_host: Some(format!("unix://{}/docker.sock", state_dir.display())),
        proxies: flotilla_link::Proxies::default(),
        idle_when_dismissed: None,
    }
}

pub(super) fn start(config: AgentConfig) -> Running {
    let shutdown = CancellationToken::new();
    Running {
        task: tokio::spawn(run(config, shutdown.clone())),
        shutdown,
    }
}

impl Running {
    pub(super) async fn ended(self) -> Exit {
        tokio::time::timeout(Duration::from_secs(10), self.task)
            .await
            .expect("an end within 10 s")
            .unwrap()
    }

    pub(super) async fn stopped(self) -> Exit {
        self.shutdown.cancel();
        self.ended().await
    }
}

fn problem(code: Code) -> Response {
    let status = StatusCode::from_u16(code.status()).unwrap();
    (status, Json(code.because(format!("control says {code}")))).into_response()
}

async fn challenge(State(shared): State<Arc<Shared>>) -> Json<EnrollChallenge> {
    Json(EnrollChallenge {
        proof_key: PublicKey::from_bytes(*shared.proof_key.public().as_bytes()),
    })
}

async fn enroll(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Json(request): Json<EnrollRequest>,
) -> Response {
    let token = headers["authorization"]
        .to_str()
        .unwrap()
        .trim_start_matches("Bearer ")
        .to_owned();
    let csr = VerifiedCsr::from_der(&STANDARD.decode(&request.csr_der).unwrap()).unwrap();
    let device = request.wireguard_public_key.parse().unwrap();
    let shown = EnrollmentToken::parse(&token).unwrap().id();
    let proved = shared
        .proof_key
        .check(&request.key_proof, &device, shown, &csr.pin());
    assert_eq!(proved, Ok(()));
    shared.requests.lock().unwrap().push((token, csr.pin()));
    let answer = shared
        .enroll
        .lock()
        .unwrap()
        .pop_front()
        .unwrap_or(Answer::Enroll);
    let issued = shared.issue(&csr);
    match answer {
        Answer::Problem(code) => problem(code),
        Answer::Lost => Response::new(Body::from_stream(futures_util::stream::iter([Err::<
            bytes::Bytes,
            std::io::Error,
        >(
            std::io::ErrorKind::ConnectionReset.into(),
        )]))),
        Answer::Enroll => Json(EnrollResponse {
            fleet_id: shared.ca.fleet(),
            device_id: shared.device,
            device_name: "nas".parse().unwrap(),
            chain: issued.pem,
            ca: shared.ca.cert_pem().to_owned(),
            endpoints: vec![],
            mesh: MeshAddress {
                address: "100.64.1.2".parse().unwrap(),
                prefix: 16,
            },
        })
        .into_response(),
    }
}

async fn link(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    socket: WebSocketUpgrade,
) -> Response {
    if let Some(code) = *shared.link.lock().unwrap() {
        return problem(code);
    }
    if caller.device() != Some(shared.device) {
        return problem(Code::Unauthenticated);
    }
    let fingerprint = caller.certificate.map(|certificate| certificate.fingerprint);
    shared.presented.lock().unwrap().extend(fingerprint);
    upgrade(socket, async move |link| {
        let closed = link.clone();
        let _ = shared.linked.send(link);
        closed.closed().await;
    })
}
