//! Report lines of a hostile device: a valid report of each kind, spoiled at every place in every way.
//!
//! The samples contain every field of the protocol's types, and each kind leads to the next by an exhaustive match. So
//! a new kind or field does not compile before it is added here, and is then spoiled like the others.

use super::super::*;
use crate::testbed::spoil;
use flotilla_protocol::{
    agent::ItemRef,
    device::{EndpointTrial, Facts, Usage},
    id::DeviceId,
    inventory::{
        Ailment, ContainerState, EngineFacts, EngineState, FoundAs, Health, Image, Item, Kind, Network,
        PodRole, Port, Stack, StackFolder, Volume,
    },
    mesh::{Candidate, CandidateKind, MeshReport, MeshState, MeshTrouble, Nat, Obstacle},
    path::{PathReason, PeerPath},
};

/// A valid report of each kind; `peer` is a device of the fleet.
pub(super) fn samples(peer: DeviceId) -> Vec<Report> {
    let first = Report::Hello(Hello {
        protocol: 1,
        agent_version: "0.1.0".into(),
        sent_at: moment(),
        facts: facts(),
    });
    std::iter::successors(Some(first), |report| after(report, peer)).collect()
}

/// The sample of the kind after that of `report`.
fn after(report: &Report, peer: DeviceId) -> Option<Report> {
    Some(match report {
        Report::Hello(_) => Report::Facts(facts()),
        Report::Facts(_) => Report::Engine(engine(None)),
        Report::Engine(EngineState::Running(_)) => Report::Inventory(inventory()),
        Report::Engine(state) => Report::Engine(engine(Some(state))),
        Report::Inventory(_) => Report::Upsert { items: items() },
        Report::Upsert { .. } => Report::Remove {
            items: vec![ItemRef {
                kind: Kind::Container,
                key: "4f1c".into(),
            }],
        },
        Report::Remove { .. } => Report::Usage(Usage {
            cpu_cores: 1.5,
            memory_bytes: 1 << 30,
            disk_bytes: 7,
        }),
        Report::Usage(_) => Report::Mesh(mesh(None)),
        Report::Mesh(MeshReport {
            state: MeshState::Starting,
            ..
        }) => Report::Paths {
            paths: vec![path(peer)],
        },
        Report::Mesh(report) => Report::Mesh(mesh(Some(&report.state))),
        Report::Paths { .. } => Report::Endpoints {
            trials: vec![trial()],
        },
        Report::Endpoints { .. } => Report::Unknown,
        Report::Unknown => return None,
    })
}

fn moment() -> flotilla_protocol::Timestamp {
    "2026-11-21T14:02:00Z".parse().unwrap()
}

fn facts() -> Facts {
    Facts {
        hostname: "rogue".into(),
        os: "Debian GNU/Linux 12 (bookworm)".into(),
        kernel: "6.1".into(),
        arch: "x86_64".into(),
        cpus: 4,
        memory_bytes: 1 << 33,
        disk_bytes: 1 << 40,
        containerized: true,
    }
}

/// The engine state that follows another one; the last is followed by the first.
fn engine(before: Option<&EngineState>) -> EngineState {
    let (reason, since) = ("no socket".to_owned(), Some(moment()));
    match before {
        None => EngineState::Absent { reason, since },
        Some(EngineState::Absent { .. }) => EngineState::Stopped { reason, since },
        Some(EngineState::Stopped { .. }) => EngineState::Denied { reason, since },
        Some(EngineState::Denied { .. }) => EngineState::Unfit { reason, since },
        Some(EngineState::Unfit { .. }) => EngineState::Unknown,
        Some(EngineState::Unknown | EngineState::Running(_)) => EngineState::Running(EngineFacts {
            flavor: "docker".into(),
            version: "28.1".into(),
            api_version: "1.41".into(),
            os: "Debian".into(),
            arch: "x86_64".into(),
            storage_driver: "overlay2".into(),
            rootless: true,
            docker_desktop: true,
            ailment: Some(Ailment {
                reason,
                since: moment(),
            }),
        }),
    }
}

fn mesh(before: Option<&MeshState>) -> MeshReport {
    let state = match before {
        None | Some(MeshState::Unknown) => MeshState::Up {
            interface: "flotilla0".into(),
            mtu: 1420,
            obstacle: Some(Obstacle {
                code: MeshTrouble::NoTun,
                reason: "a firewall drops what comes in".into(),
            }),
        },
        Some(MeshState::Up { .. }) => MeshState::Down {
            code: MeshTrouble::NoTun,
            reason: "no TUN here".into(),
        },
        Some(MeshState::Down { .. } | MeshState::Starting) => MeshState::Starting,
    };
    MeshReport {
        state,
        revision: 3,
        candidates: vec![Candidate {
            kind: CandidateKind::Local,
            address: "192.0.2.7:51820".parse().unwrap(),
        }],
        home_relay: Some("01937c5e-7b1a-7c3e-8b9e-0123456789ab".parse().unwrap()),
        nat: Nat::EndpointIndependent,
    }
}

fn path(peer: DeviceId) -> PeerPath {
    PeerPath {
        peer,
        why: PathReason::DirectLan,
        relay: Some("01937c5e-7b1a-7c3e-8b9e-0123456789ab".parse().unwrap()),
        remote: Some("192.0.2.7:51820".parse().unwrap()),
        cause: Some(peer),
        rtt_ms: Some(1.5),
        since: moment(),
        last_handshake: Some(moment()),
        received_bytes: 1,
        sent_bytes: 2,
        mtu: 1420,
    }
}

fn trial() -> EndpointTrial {
    EndpointTrial {
        endpoint: "192.0.2.1:7443".parse().unwrap(),
        reached: false,
        reason: Some("no answer".into()),
        at: moment(),
    }
}

fn inventory() -> Inventory {
    let mut all = Inventory {
        containers: vec![],
        images: vec![],
        volumes: vec![],
        networks: vec![],
        stacks: vec![],
    };
    for item in items() {
        match item {
            Item::Container(item) => all.containers.push(item),
            Item::Image(item) => all.images.push(item),
            Item::Volume(item) => all.volumes.push(item),
            Item::Network(item) => all.networks.push(item),
            Item::Stack(item) => all.stacks.push(item),
            Item::Unknown => {}
        }
    }
    all
}

fn container() -> Container {
    Container {
        id: "4f1c".into(),
        name: "web".into(),
        image: "nginx:1.29".into(),
        image_id: "sha256:01".into(),
        state: ContainerState::Running,
        status: "Running".into(),
        health: Health::Healthy,
        stack: Some("shop".into()),
        service: Some("web".into()),
        ports: vec![Port {
            private: 80,
            private_last: Some(81),
            protocol: "tcp".into(),
            public: Some(8080),
            address: Some("0.0.0.0".into()),
        }],
        created: Some(moment()),
        started: Some(moment()),
        finished: Some(moment()),
        exit_code: Some(1),
        failure: Some("port is already allocated".into()),
        unread: Some("layer does not exist".into()),
        oom_killed: true,
        restarts: 2,
        network_mode: "bridge".into(),
        volumes: vec!["data".into()],
        networks: vec!["shop_default".into()],
        is_agent: true,
        pod: Some(PodRole::Member),
        found_as: vec![FoundAs {
            network: "shop_default".into(),
            names: vec!["web".into()],
            neighbors: vec!["db".into()],
        }],
    }
}

fn items() -> Vec<Item> {
    let image = Image {
        id: "sha256:01".into(),
        tags: vec!["nginx:1.29".into()],
        digests: vec!["nginx@sha256:02".into()],
        size_bytes: 5,
        created: Some(moment()),
        used_by: Some(1),
    };
    let volume = Volume {
        name: "data".into(),
        driver: "local".into(),
        mountpoint: "/var/lib/docker/volumes/data/_data".into(),
        created: Some(moment()),
        used_by: vec!["web".into()],
        stack: Some("shop".into()),
        labels: [("key".into(), "value".into())].into(),
    };
    let network = Network {
        id: "7a".into(),
        name: "shop_default".into(),
        driver: "bridge".into(),
        subnets: vec!["172.18.0.0/16".into()],
        containers: vec!["web".into()],
        stack: Some("shop".into()),
        internal: true,
        attachable: true,
    };
    let stack = Stack {
        name: "shop".into(),
        services: vec!["web".into()],
        running: 1,
        total: 1,
        unhealthy: 1,
        config_files: vec!["/srv/shop/compose.yaml".into()],
        folders: vec![StackFolder {
            path: "/srv/shop".into(),
            services: vec!["web".into()],
            config_files: vec!["/srv/shop/compose.yaml".into()],
        }],
    };
    vec![
        Item::Container(container()),
        Item::Image(image),
        Item::Volume(volume),
        Item::Network(network),
        Item::Stack(stack),
    ]
}

/// Every sample, spoiled at each place in each way, and lines that are not reports.
pub(super) fn spoiled(peer: DeviceId) -> Vec<String> {
    let mut lines = vec![];
    for report in samples(peer) {
        let good = serde_json::to_value(&report).unwrap();
        let line = good.to_string();
        lines.extend(spoil::all(&good).iter().map(Value::to_string));
        lines.push(line[..line.len() / 2].to_owned());
        lines.push(line.replace("1.5", "1e400"));
        lines.push(line);
    }
    for line in [
        "",
        "null",
        "[]",
        "{}",
        r#"{"report":"tides","high":[1,2]}"#,
        r#"{"report":7}"#,
    ] {
        lines.push(line.to_owned());
    }
    lines.push("[".repeat(100_000));
    lines
}
