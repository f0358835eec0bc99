//! A control and an agent on loopback, each with a few routes.

use crate::{
    AgentLink, Caller, DialError, Dialed, Introduction, LinkEnd, Proxies, Target,
    capacity::{self, Capacity},
    dial::dial_within,
    listen,
    port::serve_tls_within,
    serve::serve_within,
    settings::Limits,
    upgrade::upgrade_within,
};
use axum::{
    Extension, Json, Router,
    body::{Body, Bytes},
    extract::{State, WebSocketUpgrade},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use flotilla_identity::{
    Clock, ControlTrust, FleetCa, LeafKey, LiveCertificate, VerifiedCsr, agent_config, control_config,
};
use flotilla_protocol::{Code, Timestamp, agent::LINK_PATH, endpoint::Endpoint, id::DeviceId};
use futures_util::{StreamExt, stream};
use rustls::ClientConfig;
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{Mutex, mpsc},
    task::JoinHandle,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

/// The limit for everything that should happen at once.
pub(super) const SOON: Duration = Duration::from_secs(20);

pub(super) fn introduction() -> Introduction {
    Introduction::new("machine", "nas")
}

/// Waits until something is true, and fails when it takes too long.
pub(super) async fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let wait = async {
        while !is_so() {
            sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(SOON, wait)
        .await
        .unwrap_or_else(|_| panic!("not in time: {what}"));
}

fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

pub(super) fn device_id() -> DeviceId {
    "01937c5e-7b1a-7c3e-8b9e-0123456789cd".parse().unwrap()
}

/// A control whose fleet port is open.
pub(super) struct Control {
    pub(super) ca: FleetCa,
    pub(super) address: SocketAddr,
    /// Requests that reached a route.
    pub(super) requests: Arc<AtomicUsize>,
    /// Whether links are answered with a refusal.
    pub(super) refuses: Arc<AtomicBool>,
    pub(super) stop: CancellationToken,
    pub(super) served: JoinHandle<()>,
    /// What control's own routes have seen.
    pub(super) seen: Seen,
    links: Mutex<mpsc::UnboundedReceiver<AgentLink>>,
}

#[derive(Clone)]
struct Port {
    links: mpsc::UnboundedSender<AgentLink>,
    requests: Arc<AtomicUsize>,
    refuses: Arc<AtomicBool>,
    seen: Seen,
    limits: Limits,
}

impl Control {
    pub(super) fn start(limits: Limits) -> Self {
        Self::start_in(Capacity::of_fleet_port(capacity::files()), limits)
    }

    pub(super) fn start_in(capacity: Capacity, limits: Limits) -> Self {
        let ca = FleetCa::create("01937c5e-7b1a-7c3e-8b9e-0123456789ab".parse().unwrap(), now()).unwrap();
        let key = LeafKey::generate().unwrap();
        let leaf = ca.issue_control(&key, now()).unwrap();
        let live = LiveCertificate::new(&key, &leaf.pem, ca.cert_pem()).unwrap();
        let tls = control_config(&ca, &live, Clock::new(now)).unwrap();
        let listener = listen(([127, 0, 0, 1], 0).into()).unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, links) = mpsc::unbounded_channel();
        let (requests, refuses, seen) = (Arc::default(), Arc::default(), Seen::default());
        let port = Port {
            links: sender,
            requests: Arc::clone(&requests),
            refuses: Arc::clone(&refuses),
            seen: seen.clone(),
            limits,
        };
        let router = Router::new()
            .route("/hello", get(hello))
            .route("/body", post(body))
            .route(
                "/flood",
                get(|State(port): State<Port>| async move { flood(&port.seen, block()) }),
            )
            .route(LINK_PATH, get(link))
            .route("/echo", get(super::messages::repeat))
            .route("/let-in", get(super::room::let_in))
            .with_state(port);
        let stop = CancellationToken::new();
        let served = tokio::spawn(serve_tls_within(
            listener,
            tls,
            router,
            stop.clone(),
            (limits, capacity),
        ));
        Self {
            ca,
            address,
            requests,
            refuses,
            stop,
            served,
            seen,
            links: Mutex::new(links),
        }
    }

    pub(super) fn endpoint(&self) -> Endpoint {
        Endpoint::from_ip(self.address.ip(), self.address.port())
    }

    /// The TLS configuration of an enrolled device.
    fn tls_of(&self, device: DeviceId) -> Arc<ClientConfig> {
        let key = LeafKey::generate().unwrap();
        let csr = VerifiedCsr::from_der(&key.csr_der().unwrap()).unwrap();
        let issued = self.ca.issue_device(&csr, device, now()).unwrap();
        let live = LiveCertificate::new(&key, &issued.pem, self.ca.cert_pem()).unwrap();
        agent_config(self.trust(), Some(&live), Clock::new(now)).unwrap()
    }

    pub(super) fn stranger_tls(&self) -> Arc<ClientConfig> {
        agent_config(self.trust(), None, Clock::new(now)).unwrap()
    }

    fn trust(&self) -> ControlTrust {
        ControlTrust {
            ca_pin: self.ca.pin(),
            fleet: Some(self.ca.fleet()),
        }
    }

    pub(super) fn target(&self, at: impl IntoIterator<Item = Endpoint>) -> Target {
        Target {
            endpoints: at.into_iter().collect(),
            last_good: None,
            tls: self.tls_of(device_id()),
            proxies: Proxies::default(),
        }
    }

    /// As [`Control::target`], for one of many devices.
    pub(super) fn target_of(&self, number: u32, at: impl IntoIterator<Item = Endpoint>) -> Target {
        let device = format!("01937c5e-7b1a-7c3e-8b9e-{number:012x}").parse().unwrap();
        Target {
            tls: self.tls_of(device),
            ..self.target(at)
        }
    }

    /// The next link that control accepts.
    pub(super) async fn next_link(&self) -> AgentLink {
        let mut links = self.links.lock().await;
        timeout(SOON, links.recv())
            .await
            .expect("a link in time")
            .unwrap()
    }
}

async fn hello(State(port): State<Port>, Extension(caller): Extension<Caller>) -> Json<Option<DeviceId>> {
    port.requests.fetch_add(1, Ordering::SeqCst);
    Json(caller.device())
}

async fn body(
    State(port): State<Port>,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Response {
    port.requests.fetch_add(1, Ordering::SeqCst);
    match body {
        Ok(body) => body.len().to_string().into_response(),
        Err(_) => StatusCode::REQUEST_TIMEOUT.into_response(),
    }
}

async fn link(
    State(port): State<Port>,
    Extension(caller): Extension<Caller>,
    socket: WebSocketUpgrade,
) -> Response {
    port.requests.fetch_add(1, Ordering::SeqCst);
    if port.refuses.load(Ordering::SeqCst) || caller.device().is_none() {
        let problem = Code::Revoked.because("This device was revoked.");
        return (StatusCode::FORBIDDEN, Json(problem)).into_response();
    }
    let links = port.links.clone();
    upgrade_within(
        socket,
        move |link| async move { links.send(link).unwrap() },
        port.limits,
    )
}

/// What an agent's routes have seen.
#[derive(Clone, Default)]
pub(super) struct Seen {
    /// Bodies and handlers that are alive.
    pub(super) alive: Arc<AtomicUsize>,
    pub(super) calls: Arc<AtomicUsize>,
}

impl Seen {
    pub(super) fn alive(&self) -> usize {
        self.alive.load(Ordering::SeqCst)
    }

    pub(super) fn guard(&self) -> Alive {
        self.alive.fetch_add(1, Ordering::SeqCst);
        Alive(Arc::clone(&self.alive))
    }
}

pub(super) struct Alive(Arc<AtomicUsize>);

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// An agent's API.
fn agent_router(seen: Seen) -> Router {
    Router::new()
        .route(
            "/hello",
            get(|State(seen): State<Seen>| async move {
                seen.calls.fetch_add(1, Ordering::SeqCst);
                Json("x".repeat(3_000))
            }),
        )
        .route("/echo", post(|body: Json<serde_json::Value>| async move { body }))
        .route(
            "/refuse",
            get(|| async {
                let problem = Code::EngineUnavailable.because("No engine.");
                (StatusCode::SERVICE_UNAVAILABLE, Json(problem))
            }),
        )
        .route(
            "/deceive",
            get(|| async {
                let message = format!("no\u{1b}[2J\nyes\u{202e}{}", "x".repeat(100_000));
                let problem = Code::Unauthenticated.because(message).with_field("token");
                (StatusCode::UNAUTHORIZED, Json(problem))
            }),
        )
        .route(
            "/garble",
            get(|| async { Json(format!("\u{1b}[2J{}", "x".repeat(100_000))) }),
        )
        .route(
            "/hang",
            get(|State(seen): State<Seen>| async move {
                let _alive = seen.guard();
                std::future::pending::<()>().await;
            }),
        )
        .route(
            "/flood",
            get(|State(seen): State<Seen>| async move { flood(&seen, block()) }),
        )
        .route(
            "/quiet",
            get(|State(seen): State<Seen>| async move { quiet(&seen) }),
        )
        .route(
            "/shell",
            post(|State(seen): State<Seen>, body: Body| async move { shell(&seen, body) }),
        )
        .merge(super::numbers::routes())
        .with_state(seen)
}

fn block() -> Bytes {
    Bytes::from_static(&[7; 16 * 1024])
}

/// Endless output.
fn flood(seen: &Seen, chunk: Bytes) -> Body {
    let alive = seen.guard();
    Body::from_stream(stream::repeat_with(move || {
        let _ = &alive;
        Ok::<_, std::io::Error>(chunk.clone())
    }))
}

/// One line, then silence.
fn quiet(seen: &Seen) -> Body {
    let alive = seen.guard();
    let line = stream::once(async { Ok::<_, std::io::Error>(Bytes::from_static(b"hello\n")) });
    Body::from_stream(line.chain(stream::pending().map(move |never: Bytes| {
        let _ = &alive;
        Ok(never)
    })))
}

/// A prompt, then the input echoed, with how it ended in the trailers.
fn shell(seen: &Seen, input: Body) -> Response {
    use http_body::Frame;
    use http_body_util::StreamBody;
    let alive = seen.guard();
    let (sender, receiver) = mpsc::channel::<Result<Frame<Bytes>, std::io::Error>>(4);
    tokio::spawn(async move {
        let _alive = alive;
        let _ = sender.send(Ok(Frame::data(Bytes::from_static(b"$ ")))).await;
        let mut input = input.into_data_stream();
        while let Some(Ok(data)) = input.next().await {
            let _ = sender.send(Ok(Frame::data(data))).await;
        }
        let trailers = http::HeaderMap::from_iter([(
            http::HeaderName::from_static("exit-status"),
            http::HeaderValue::from_static("42"),
        )]);
        let _ = sender.send(Ok(Frame::trailers(trailers))).await;
    });
    let frames = stream::unfold(receiver, |mut receiver| async move {
        Some((receiver.recv().await?, receiver))
    });
    Response::new(Body::new(StreamBody::new(frames)))
}

/// A linked agent.
pub(super) struct Agent {
    pub(super) link: AgentLink,
    pub(super) seen: Seen,
    pub(super) stop: CancellationToken,
    pub(super) end: JoinHandle<LinkEnd>,
}

/// Dials control at `endpoints` and serves, as an agent does.
pub(super) async fn linked_through(control: &Control, endpoints: Vec<Endpoint>, limits: Limits) -> Agent {
    let dialed = dial_within(&control.target(endpoints), &introduction(), limits)
        .await
        .unwrap();
    let link = control.next_link().await;
    serve_agent(dialed, link, limits)
}

pub(super) async fn linked(control: &Control) -> Agent {
    linked_through(control, vec![control.endpoint()], Limits::default()).await
}

fn serve_agent(dialed: Dialed, link: AgentLink, limits: Limits) -> Agent {
    let (seen, stop) = (Seen::default(), CancellationToken::new());
    let end = tokio::spawn(serve_within(
        dialed,
        agent_router(seen.clone()),
        stop.clone(),
        limits,
    ));
    Agent {
        link,
        seen,
        stop,
        end,
    }
}

pub(super) async fn dialed(target: &Target) -> Result<Dialed, DialError> {
    dial_within(target, &introduction(), Limits::default()).await
}
