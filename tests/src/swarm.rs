//! Many agents in one process. Each is enrolled, has a link of its own over TLS, and dials again after the same pauses
//! as a real one. They answer control's calls, report made-up containers or no engine, and are on no mesh. What has changed
//! since they report when they are told to.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::routing::{get, post};
use flotilla_client::Client;
use flotilla_link::{Backoff, dial, serve};
use flotilla_protocol::PROTOCOL;
use flotilla_protocol::agent::{Hello, ItemRef, PING_PATH, Report, SETTINGS_PATH, WATCH_PATH};
use flotilla_protocol::api::{AddDevice, Empty};
use flotilla_protocol::device::{Facts, Usage};
use flotilla_protocol::enroll::ConfigFile;
use flotilla_protocol::inventory::{
    Container, ContainerState, EngineFacts, EngineState, Health, Inventory, Item, Kind,
};
use flotilla_protocol::mesh::{MAP_PATH, MapPush, MapTaken};
use futures_util::{Stream, StreamExt, stream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::eventually::eventually;
use crate::scripted_agent::{EnrolledAgent, ScriptedAgent};

/// How many agents enroll at the same time.
const AT_ONCE: usize = 16;

/// Devices that are enrolled and have no links.
#[derive(Debug)]
pub struct Swarm {
    members: Vec<EnrolledAgent>,
}

impl Swarm {
    /// Adds and enrolls `count` devices, `d0001` and so on.
    pub async fn enroll(client: &Client, count: usize) -> Result<Self> {
        let members = stream::iter(1..=count)
            .map(|number| enroll(client, number))
            .buffer_unordered(AT_ONCE);
        let members: Vec<_> = members.collect().await;
        Ok(Self {
            members: members.into_iter().collect::<Result<_>>()?,
        })
    }

    /// Opens a link for each device. The links stay until the returned value is dropped.
    #[must_use]
    pub fn link(&self) -> Links {
        self.link_with(0)
    }

    /// The same, each device with this many containers; with 0 it has no engine.
    #[must_use]
    pub fn link_with(&self, containers: usize) -> Links {
        let up = Arc::new(AtomicUsize::new(0));
        let (round, rounds) = watch::channel(0);
        let mut tasks = JoinSet::new();
        for member in &self.members {
            let (member, up, rounds) = (member.clone(), up.clone(), rounds.clone());
            tasks.spawn(keep_linked(member, up, containers, rounds));
        }
        Links {
            up,
            wanted: self.members.len(),
            round,
            _tasks: tasks,
        }
    }
}

/// Links that are opened again whenever they end. Dropping the value ends them.
#[derive(Debug)]
pub struct Links {
    up: Arc<AtomicUsize>,
    wanted: usize,
    round: watch::Sender<u32>,
    _tasks: JoinSet<()>,
}

impl Links {
    /// How many links are up.
    #[must_use]
    pub fn up(&self) -> usize {
        self.up.load(Ordering::Relaxed)
    }

    /// Lets every device report what has changed: its usage, two of its containers, which say in how many rounds they
    /// have been restarted, and a third that goes or comes back.
    pub fn next_round(&self) {
        self.round.send_modify(|round| *round += 1);
    }

    /// How many rounds there were.
    #[must_use]
    pub fn round(&self) -> u32 {
        *self.round.borrow()
    }

    /// Waits until all links are up; returns how long that took.
    pub async fn all_up(&self, within: Duration) -> Result<Duration> {
        let begun = Instant::now();
        eventually("all links are up", within, async || {
            ensure!(self.up() == self.wanted, "{} of {}", self.up(), self.wanted);
            Ok(())
        })
        .await?;
        Ok(begun.elapsed())
    }
}

async fn enroll(client: &Client, number: usize) -> Result<EnrolledAgent> {
    let name = Some(format!("d{number:04}"));
    let added = client
        .send(&AddDevice {
            name,
            ..AddDevice::default()
        })
        .await?;
    let config: ConfigFile = toml::from_str(added.config.as_deref().context("no config file")?)?;
    Ok(ScriptedAgent::new(&format!("machine-{number}"))?
        .enroll(&config)
        .await?)
}

async fn keep_linked(
    member: EnrolledAgent,
    up: Arc<AtomicUsize>,
    containers: usize,
    rounds: watch::Receiver<u32>,
) {
    let mut backoff = Backoff::default();
    loop {
        if let Ok(link) = dial(&member.target, &member.introduction).await {
            backoff.handle_up(Instant::now());
            // Counted from control's first call on: the upgrade alone does not make a device online.
            let counted = CountedLink {
                up: up.clone(),
                called: AtomicUsize::new(0),
                containers,
                rounds: rounds.clone(),
            };
            serve(link, router(Arc::new(counted)), CancellationToken::new()).await;
        }
        let pause = backoff.handle_down(Instant::now(), &mut rand::rng());
        tokio::time::sleep(pause).await;
    }
}

/// Counts a link from control's first call to its end.
#[derive(Debug)]
struct CountedLink {
    up: Arc<AtomicUsize>,
    called: AtomicUsize,
    containers: usize,
    rounds: watch::Receiver<u32>,
}

impl CountedLink {
    fn call(&self) {
        if self.called.fetch_max(1, Ordering::Relaxed) == 0 {
            self.up.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Drop for CountedLink {
    fn drop(&mut self) {
        self.up
            .fetch_sub(self.called.load(Ordering::Relaxed), Ordering::Relaxed);
    }
}

fn router(up: Arc<CountedLink>) -> Router {
    Router::new()
        .route(WATCH_PATH, get(watch))
        .route(SETTINGS_PATH, post(async || axum::Json(Empty {})))
        .route(PING_PATH, get(async || axum::Json(Empty {})))
        .route(MAP_PATH, post(accept_map))
        .with_state(up)
}

/// Confirms a map that is put to no use, since a member is on no mesh.
async fn accept_map(axum::Json(push): axum::Json<MapPush>) -> axum::Json<MapTaken> {
    let revision = match push {
        MapPush::Whole(map) => map.revision,
        MapPush::Change(change) => change.to,
        MapPush::Unknown => 0,
    };
    axum::Json(MapTaken { revision })
}

/// The first reports of a device, and then those of each round.
async fn watch(State(up): State<Arc<CountedLink>>) -> Body {
    up.call();
    let facts = Facts {
        hostname: "swarm".to_owned(),
        cpus: 1,
        ..Facts::default()
    };
    let hello = Hello {
        protocol: PROTOCOL,
        agent_version: env!("CARGO_PKG_VERSION").to_owned(),
        sent_at: clock::now(),
        facts,
    };
    let mut reports = vec![Report::Hello(hello)];
    reports.extend(engine_reports(up.containers));
    let later = round_reports(up.containers, up.rounds.clone());
    let lines = stream::iter(reports).chain(later).map(|report| {
        let line = serde_json::to_string(&report).unwrap_or_default();
        Ok::<_, std::convert::Infallible>(line + "\n")
    });
    Body::from_stream(lines)
}

/// The reports of each round that begins from now on.
fn round_reports(containers: usize, mut rounds: watch::Receiver<u32>) -> impl Stream<Item = Report> {
    rounds.mark_unchanged();
    let each = stream::unfold(rounds, async |mut rounds: watch::Receiver<u32>| {
        rounds.changed().await.ok()?;
        let round = *rounds.borrow_and_update();
        Some((round, rounds))
    });
    each.flat_map(move |round| stream::iter(changes(containers, round)))
}

fn changes(containers: usize, round: u32) -> Vec<Report> {
    let usage = Usage {
        cpu_cores: if round.is_multiple_of(2) { 0.3 } else { 0.7 },
        memory_bytes: u64::from(1 + round % 8) << 26,
        disk_bytes: 1 << 30,
    };
    let mut reports = vec![Report::Usage(usage)];
    if containers > 0 {
        // The second is among the first rows of a table in its own order, so a page shows that it changes.
        let changed = [2, 1 + round as usize % containers].map(|number| {
            Item::Container(Container {
                restarts: round,
                ..container(number)
            })
        });
        reports.push(Report::Upsert {
            items: changed.into(),
        });
        let last = container(containers);
        reports.push(if round.is_multiple_of(2) {
            Report::Upsert {
                items: vec![Item::Container(last)],
            }
        } else {
            Report::Remove {
                items: vec![ItemRef {
                    kind: Kind::Container,
                    key: last.id,
                }],
            }
        });
    }
    reports
}

/// The reports of an engine with this many containers.
fn engine_reports(containers: usize) -> Vec<Report> {
    if containers == 0 {
        let reason = "There is no engine in a swarm.".to_owned();
        return vec![Report::Engine(EngineState::Absent { reason, since: None })];
    }
    let inventory = Inventory {
        containers: (1..=containers).map(container).collect(),
        ..Inventory::default()
    };
    vec![
        Report::Engine(EngineState::Running(EngineFacts::default())),
        Report::Inventory(inventory),
    ]
}

/// A made-up container. One of ten has ended; names and images are of the kind that people filter by.
fn container(number: usize) -> Container {
    let (name, image) = [
        ("web", "nginx:1.29"),
        ("db", "postgres:17"),
        ("cache", "valkey:8"),
        ("jobs", "ghcr.io/home/jobs:2026.11"),
    ][number % 4];
    let (state, status) = if number.is_multiple_of(10) {
        (ContainerState::Exited, "Exited (0)")
    } else {
        (ContainerState::Running, "Running")
    };
    Container {
        id: format!("{number:064x}"),
        name: format!("{name}-{number:02}"),
        image: image.to_owned(),
        image_id: String::new(),
        state,
        status: status.to_owned(),
        health: Health::None,
        stack: Some(format!("shop-{}", number / 4)),
        service: Some(name.to_owned()),
        ports: Vec::new(),
        created: Some(clock::now()),
        started: None,
        finished: None,
        exit_code: None,
        failure: None,
        unread: None,
        oom_killed: false,
        restarts: 0,
        network_mode: "bridge".to_owned(),
        volumes: Vec::new(),
        networks: Vec::new(),
        is_agent: false,
        pod: None,
        found_as: Vec::new(),
    }
}
