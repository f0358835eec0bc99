//! An engine played in this process: HTTP on a Unix socket, the few routes that are used, answers as Docker gives
//! them. Its clock only moves when something happens.

use axum::{
    Json, Router,
    body::Body,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use bytes::Bytes;
use flotilla_engine::Sockets;
use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, HashMap},
    path::{Path as FilePath, PathBuf},
    sync::{Arc, Mutex},
};
use tokio::{
    net::UnixListener,
    sync::{Semaphore, broadcast},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

const EPOCH: u64 = 1_772_000_000;

/// What the engine says it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Flavor {
    pub(crate) version: &'static str,
    pub(crate) api_version: &'static str,
    pub(crate) component: &'static str,
    pub(crate) os: &'static str,
}

pub(crate) const OLD_DOCKER: Flavor = Flavor {
    version: "20.10.24",
    api_version: "1.41",
    component: "Engine",
    os: "Debian GNU/Linux 12 (bookworm)",
};

#[derive(Debug)]
struct World {
    flavor: Flavor,
    containers: BTreeMap<String, Value>,
    images: Vec<Value>,
    history: Vec<Value>,
    /// What starting this container is refused with.
    refusal: Option<String>,
    /// Every request, as `METHOD /path`.
    log: Vec<String>,
}

#[derive(Debug, Clone)]
struct Shared {
    world: Arc<Mutex<World>>,
    events: broadcast::Sender<Value>,
    /// Holds back subscriptions to events while it has no permits.
    gate: Arc<Semaphore>,
    /// Ends the event streams, which outlive the listener.
    stopped: CancellationToken,
}

#[derive(Debug)]
pub(crate) struct Fake {
    shared: Shared,
    socket: PathBuf,
    server: Option<JoinHandle<()>>,
}

impl Fake {
    pub(crate) fn start(dir: &FilePath, flavor: Flavor) -> Self {
        let mut fake = Self {
            shared: Shared {
                world: Arc::new(Mutex::new(World {
                    flavor,
                    containers: BTreeMap::new(),
                    images: vec![image("sha256:aa", "nginx:1")],
                    history: Vec::new(),
                    refusal: None,
                    log: Vec::new(),
                })),
                events: broadcast::channel(64).0,
                gate: Arc::new(Semaphore::new(100)),
                stopped: CancellationToken::new(),
            },
            socket: dir.join("docker.sock"),
            server: None,
        };
        fake.resume();
        fake
    }

    pub(crate) fn sockets(&self) -> Sockets {
        Sockets::at(&self.socket)
    }

    /// Ends the engine as a crash does: the socket stays and refuses.
    pub(crate) async fn stop(&mut self) {
        let server = self.server.take().unwrap();
        server.abort();
        let _ = server.await;
        self.shared.stopped.cancel();
    }

    /// Ends the engine as its service does: the socket is gone, too.
    pub(crate) async fn shut_down(&mut self) {
        self.stop().await;
        std::fs::remove_file(&self.socket).unwrap();
    }

    pub(crate) fn resume(&mut self) {
        let _ = std::fs::remove_file(&self.socket);
        let listener = UnixListener::bind(&self.socket).unwrap();
        self.shared.stopped = CancellationToken::new();
        let app = router(self.shared.clone());
        self.server = Some(tokio::spawn(
            async move { axum::serve(listener, app).await.unwrap() },
        ));
    }

    pub(crate) fn hold_events(&self) {
        self.shared.gate.forget_permits(100);
    }

    pub(crate) fn release_events(&self) {
        self.shared.gate.add_permits(100);
    }

    pub(crate) fn set(&self, id: &str, name: &str, status: &str, action: &str) {
        self.set_labeled(id, name, status, action, &json!({}));
    }

    pub(crate) fn set_labeled(&self, id: &str, name: &str, status: &str, action: &str, labels: &Value) {
        self.shared.put(id, name, status, labels.clone());
        self.shared.emit("container", action, id);
    }

    pub(crate) fn remove(&self, id: &str) {
        self.shared.world.lock().unwrap().containers.remove(id);
        self.shared.emit("container", "destroy", id);
    }

    pub(crate) fn emit(&self, typ: &str, action: &str, id: &str) {
        self.shared.emit(typ, action, id);
    }

    pub(crate) fn load_image(&self, id: &str, tag: &str) {
        self.shared.world.lock().unwrap().images.push(image(id, tag));
        self.shared.emit("image", "load", id);
    }

    pub(crate) fn refuse(&self, message: &str) {
        self.shared.world.lock().unwrap().refusal = Some(message.to_owned());
    }

    pub(crate) fn requests(&self, wanted: &str) -> usize {
        self.shared
            .world
            .lock()
            .unwrap()
            .log
            .iter()
            .filter(|line| line.contains(wanted))
            .count()
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        if let Some(server) = &self.server {
            server.abort();
        }
    }
}

impl Shared {
    fn put(&self, id: &str, name: &str, status: &str, labels: Value) {
        let container = json!({
            "Id": id, "Name": format!("/{name}"), "Image": "sha256:aa", "Created": "2026-03-01T12:00:00Z",
            "State": {"Status": status, "ExitCode": 0}, "Config": {"Image": "nginx:1", "Labels": labels},
        });
        self.world
            .lock()
            .unwrap()
            .containers
            .insert(id.to_owned(), container);
    }

    fn emit(&self, typ: &str, action: &str, id: &str) {
        let mut world = self.world.lock().unwrap();
        let at = world.now() + 1_000_000;
        let event =
            json!({"Type": typ, "Action": action, "Actor": {"ID": id, "Attributes": {}}, "timeNano": at});
        world.history.push(event.clone());
        let _ = self.events.send(event);
    }
}

impl World {
    /// Nanoseconds; a millisecond for each thing that happened.
    fn now(&self) -> u64 {
        EPOCH * 1_000_000_000 + self.history.len() as u64 * 1_000_000
    }
}

fn image(id: &str, tag: &str) -> Value {
    json!({"Id": id, "ParentId": "", "RepoTags": [tag], "RepoDigests": null, "Created": EPOCH, "Size": 7,
           "SharedSize": -1, "VirtualSize": 7, "Labels": null, "Containers": -1})
}

fn router(shared: Shared) -> Router {
    let log = shared.clone();
    Router::new()
        .route("/version", get(version))
        .route("/info", get(info))
        .route("/events", get(events))
        .route("/containers/json", get(list))
        .route("/containers/{id}/json", get(inspect))
        .route("/containers/{id}/{action}", post(act))
        .route(
            "/images/json",
            get(async |State(s): State<Shared>| Json(s.world.lock().unwrap().images.clone())),
        )
        .route(
            "/volumes",
            get(async || Json(json!({"Volumes": null, "Warnings": null}))),
        )
        .route(
            "/networks",
            get(async || Json(json!([{"Name": "bridge", "Id": "n1", "Driver": "bridge"}]))),
        )
        .layer(axum::middleware::from_fn(
            move |request: axum::extract::Request, next: axum::middleware::Next| {
                log.world
                    .lock()
                    .unwrap()
                    .log
                    .push(format!("{} {}", request.method(), request.uri().path()));
                next.run(request)
            },
        ))
        .with_state(shared)
}

async fn version(State(shared): State<Shared>) -> Json<Value> {
    let flavor = shared.world.lock().unwrap().flavor;
    Json(
        json!({"Version": flavor.version, "ApiVersion": flavor.api_version, "MinAPIVersion": "1.12",
        "Components": [{"Name": flavor.component, "Version": flavor.version}]}),
    )
}

async fn info(State(shared): State<Shared>) -> Json<Value> {
    let world = shared.world.lock().unwrap();
    let now = jiff::Timestamp::from_nanosecond(world.now().into()).unwrap();
    Json(
        json!({"OperatingSystem": world.flavor.os, "Architecture": "x86_64", "Driver": "overlay2",
        "SystemTime": now.to_string(), "SecurityOptions": ["name=seccomp,profile=default"]}),
    )
}

async fn events(State(shared): State<Shared>, Query(query): Query<HashMap<String, String>>) -> Response {
    let _permit = shared.gate.acquire().await.unwrap();
    let live = shared.events.subscribe();
    let since: u64 = query["since"].replace('.', "").parse().unwrap();
    let missed: Vec<Value> = {
        let world = shared.world.lock().unwrap();
        world
            .history
            .iter()
            .filter(|event| event["timeNano"].as_u64().unwrap() > since)
            .cloned()
            .collect()
    };
    let live = stream::unfold(live, async |mut live| {
        live.recv().await.ok().map(|event| (event, live))
    });
    let lines = stream::iter(missed)
        .chain(live)
        .take_until(shared.stopped.clone().cancelled_owned())
        .map(|event| Ok::<_, std::convert::Infallible>(Bytes::from(format!("{event}\n"))));
    Response::new(Body::from_stream(lines))
}

async fn list(State(shared): State<Shared>) -> Json<Value> {
    let world = shared.world.lock().unwrap();
    Json(world.containers.keys().map(|id| json!({"Id": id})).collect())
}

async fn inspect(State(shared): State<Shared>, Path(id): Path<String>) -> Response {
    match shared.world.lock().unwrap().containers.get(&id) {
        Some(container) => Json(container.clone()).into_response(),
        None => missing(&id),
    }
}

async fn act(State(shared): State<Shared>, Path((id, action)): Path<(String, String)>) -> Response {
    let (name, refusal) = {
        let world = shared.world.lock().unwrap();
        let name = world
            .containers
            .get(&id)
            .map(|container| container["Name"].as_str().unwrap().to_owned());
        (name, world.refusal.clone())
    };
    let Some(name) = name else { return missing(&id) };
    if let Some(message) = refusal {
        return (
            StatusCode::INTERNAL_SERVER_ERROR,
            Json(json!({"message": message})),
        )
            .into_response();
    }
    let status = if action == "stop" { "exited" } else { "running" };
    shared.put(&id, name.trim_start_matches('/'), status, json!({}));
    shared.emit("container", &action, &id);
    StatusCode::NO_CONTENT.into_response()
}

fn missing(id: &str) -> Response {
    let message = format!("No such container: {id}");
    (StatusCode::NOT_FOUND, Json(json!({"message": message}))).into_response()
}
