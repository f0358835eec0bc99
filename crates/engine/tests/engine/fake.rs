//! An engine played in this process: HTTP on a Unix socket, the few routes that are used, answers as Docker gives them.
//! Its clock only moves when something happens.

mod faults;
mod routes;

pub(crate) use faults::Fault;

use bytes::Bytes;
use flotilla_engine::Sockets;
use flotilla_protocol::Timestamp;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    path::{Path as FilePath, PathBuf},
    sync::{Arc, Mutex},
};
use tokio::{
    net::UnixListener,
    sync::{Semaphore, broadcast},
    task::JoinHandle,
    time::Instant,
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
    pub(crate) name: &'static str,
    pub(crate) kernel: &'static str,
}

pub(crate) const OLD_DOCKER: Flavor = Flavor {
    version: "20.10.24",
    api_version: "1.41",
    component: "Engine",
    os: "Debian GNU/Linux 12 (bookworm)",
    name: "nas",
    kernel: "6.1.0-18-amd64",
};

/// When the engine leaves a request that changes something without an answer; requests are counted from 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Hang {
    Never,
    /// The request is not carried out.
    Before(usize),
    After(usize),
    /// It has left a request without an answer.
    Hung,
}

#[derive(Debug)]
struct World {
    flavor: Flavor,
    containers: BTreeMap<String, Value>,
    images: Vec<Value>,
    networks: Vec<Value>,
    history: Vec<Value>,
    /// When the engine's clock showed `EPOCH`.
    started: Instant,
    /// The error with which it refuses to start and stop containers.
    refusal: Option<String>,
    /// The error of the next start of the container with this name.
    next_start: Option<(String, String)>,
    /// The next container with this name that starts ends at once with this code.
    next_end: Option<(String, i64)>,
    made: usize,
    /// The next container with this name that starts is not healthy.
    next_check: Option<String>,
    hang: Hang,
    /// Requests that changed something since `hang` was set.
    changes: usize,
    /// What is wrong with answers, by path.
    faults: BTreeMap<String, Fault>,
    /// Subscriptions to events get no headers before there is an event.
    quiet: bool,
    /// Every request, as `METHOD /path`.
    log: Vec<String>,
    /// What the engine kept of containers, by id: messages with their times, each of which it sends by itself.
    logs: BTreeMap<String, Vec<(Timestamp, Bytes)>>,
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
                    networks: vec![json!({"Name": "bridge", "Id": "n1", "Driver": "bridge"})],
                    history: Vec::new(),
                    started: Instant::now(),
                    refusal: None,
                    next_start: None,
                    next_end: None,
                    made: 0,
                    next_check: None,
                    hang: Hang::Never,
                    changes: 0,
                    faults: BTreeMap::new(),
                    quiet: false,
                    log: Vec::new(),
                    logs: BTreeMap::new(),
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
        let app = routes::router(self.shared.clone());
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

    /// Loads an image with these labels.
    pub(crate) fn load_labeled_image(&self, id: &str, tag: &str, labels: &Value) {
        let mut image = image(id, tag);
        image["Labels"] = labels.clone();
        self.shared.world.lock().unwrap().images.push(image);
        self.shared.emit("image", "load", id);
    }

    pub(crate) fn remove_image(&self, id: &str) {
        let mut world = self.shared.world.lock().unwrap();
        world.images.retain(|image| image["Id"] != id);
        drop(world);
        self.shared.emit("image", "delete", id);
    }

    /// A network with the containers that run on it, as the engine describes them.
    pub(crate) fn put_network(&self, id: &str, name: &str, containers: &Value) {
        let network = json!({"Name": name, "Id": id, "Driver": "bridge", "Containers": containers});
        self.shared.world.lock().unwrap().networks.push(network);
        self.shared.emit("network", "create", id);
    }

    pub(crate) fn refuse(&self, message: &str) {
        self.shared.world.lock().unwrap().refusal = Some(message.to_owned());
    }

    /// Makes the next start of a container fail.
    pub(crate) fn refuse_start(&self, name: &str, message: &str) {
        self.shared.world.lock().unwrap().next_start = Some((name.to_owned(), message.to_owned()));
    }

    /// Makes the next start of a container end at once.
    pub(crate) fn end_at_once(&self, name: &str, code: i64) {
        self.shared.world.lock().unwrap().next_end = Some((name.to_owned(), code));
    }

    /// Makes the next start of a container lead to a failing health check.
    pub(crate) fn fail_check(&self, name: &str) {
        self.shared.world.lock().unwrap().next_check = Some(name.to_owned());
    }

    pub(crate) fn hang(&self, hang: Hang) {
        let mut world = self.shared.world.lock().unwrap();
        world.hang = hang;
        world.changes = 0;
    }

    pub(crate) fn hangs(&self) -> bool {
        self.shared.world.lock().unwrap().hang == Hang::Hung
    }

    /// Adds a container as the engine will describe it, running.
    pub(crate) fn put(&self, description: &Value) {
        let mut container = json!({
            "Image": "sha256:aa", "Created": "2026-03-01T12:00:00Z", "Config": {"Image": "nginx:1"},
            "State": {"Status": "running", "ExitCode": 0},
        });
        for (key, value) in description.as_object().unwrap() {
            container[key] = value.clone();
        }
        let id = container["Id"].as_str().unwrap().to_owned();
        let mut world = self.shared.world.lock().unwrap();
        world.containers.insert(id.clone(), container);
        drop(world);
        self.shared.emit("container", "start", &id);
    }

    /// Keeps messages of a container, of the standard output (1), the standard error (2) or of the engine itself (3).
    pub(crate) fn keep_log(&self, id: &str, messages: impl Iterator<Item = (u8, Timestamp, String)>) {
        let message = |(source, at, text): (u8, Timestamp, String)| {
            let text = if source == 3 { text } else { format!("{at} {text}") };
            let length = u32::try_from(text.len()).unwrap().to_be_bytes();
            let message = [&[source, 0, 0, 0], &length[..], text.as_bytes()].concat();
            (at, Bytes::from(message))
        };
        let messages = messages.map(message).collect();
        self.shared
            .world
            .lock()
            .unwrap()
            .logs
            .insert(id.to_owned(), messages);
    }

    /// Answers this path with a fault from now on.
    pub(crate) fn break_down(&self, path: &str, fault: Fault) {
        let mut world = self.shared.world.lock().unwrap();
        world.faults.insert(path.to_owned(), fault);
    }

    pub(crate) fn heal(&self, path: &str) {
        self.shared.world.lock().unwrap().faults.remove(path);
    }

    /// Changes a container without an event.
    pub(crate) fn set_unheard(&self, id: &str, name: &str, status: &str) {
        self.shared.put(id, name, status, json!({}));
    }

    pub(crate) fn be_quiet(&self) {
        self.shared.world.lock().unwrap().quiet = true;
    }

    /// Ends all streams of events, and those that are opened later at once.
    pub(crate) fn end_events(&self) {
        self.shared.stopped.cancel();
    }

    /// How the engine describes the container with this name.
    pub(crate) fn named(&self, name: &str) -> Option<Value> {
        let world = self.shared.world.lock().unwrap();
        world.lookup(name).map(|id| world.containers[&id].clone())
    }

    /// `name status` of every container, in the order of the names.
    pub(crate) fn containers(&self) -> Vec<String> {
        let world = self.shared.world.lock().unwrap();
        let shown = world.containers.values().map(|container| {
            let word = |value: &Value| value.as_str().unwrap().trim_start_matches('/').to_owned();
            format!(
                "{} {}",
                word(&container["Name"]),
                word(&container["State"]["Status"])
            )
        });
        let mut shown: Vec<_> = shown.collect();
        shown.sort();
        shown
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
    /// Id of the container with this id or name.
    fn lookup(&self, name: &str) -> Option<String> {
        let mut all = self.containers.iter();
        let found = all.find(|(id, container)| *id == name || container["Name"] == format!("/{name}"));
        found.map(|(id, _)| id.clone())
    }

    fn image(&self, name: &str) -> Option<&Value> {
        let mut images = self.images.iter();
        images.find(|image| image["Id"] == name || image["RepoTags"][0] == name)
    }

    /// The engine's clock in nanoseconds. It goes as the test's does, and a millisecond more with each event.
    fn now(&self) -> u64 {
        let elapsed = u64::try_from(self.started.elapsed().as_nanos()).unwrap();
        EPOCH * 1_000_000_000 + elapsed + self.history.len() as u64 * 1_000_000
    }
}

fn image(id: &str, tag: &str) -> Value {
    json!({"Id": id, "ParentId": "", "RepoTags": [tag], "RepoDigests": null, "Created": EPOCH, "Size": 7,
           "SharedSize": -1, "VirtualSize": 7, "Labels": null, "Containers": -1})
}
