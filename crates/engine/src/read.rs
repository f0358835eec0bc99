//! The engine's answers in our words. Engines leave fields out and differ in spelling; nothing here fails.

use crate::{AGENT_LABEL, own::OwnContainer};
use bollard::models::{
    ContainerInspectResponse, ContainerStateStatusEnum as Status, HealthStatusEnum, ImageSummary, PortMap,
};
use flotilla_protocol::{
    Timestamp,
    inventory::{Container, ContainerState, Health, Image, Network, Port, Volume},
};
use std::collections::{BTreeMap, HashMap};

/// Labels by which Compose marks what it made.
const PROJECT: &str = "com.docker.compose.project";
const SERVICE: &str = "com.docker.compose.service";
const CONFIG_FILES: &str = "com.docker.compose.project.config_files";
const WORKING_DIR: &str = "com.docker.compose.project.working_dir";
const ONE_OFF: &str = "com.docker.compose.oneoff";

/// A container, and what only its stack needs to know.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Observed {
    pub(crate) container: Container,
    /// Absolute paths of the Compose files that its project was started from.
    pub(crate) config_files: Vec<String>,
    /// Made by `docker compose run`: it belongs to the project, but is no instance of the service.
    pub(crate) one_off: bool,
}

pub(crate) fn container(answer: ContainerInspectResponse, own: &OwnContainer) -> Observed {
    let id = answer.id.unwrap_or_default();
    let config = answer.config.unwrap_or_default();
    let labels = config.labels.unwrap_or_default();
    let networking = answer.network_settings.unwrap_or_default();
    let life = answer.state.unwrap_or_default();
    let state = state(life.status);
    let exit_code = life.exit_code.filter(|_| {
        use ContainerState::{Dead, Exited, Restarting};
        matches!(state, Exited | Dead | Restarting)
    });
    let mut networks: Vec<String> = networking.networks.unwrap_or_default().into_keys().collect();
    networks.sort();
    let mut volumes: Vec<String> = answer
        .mounts
        .unwrap_or_default()
        .into_iter()
        .filter(|mount| mount.typ.as_deref() == Some("volume"))
        .filter_map(|mount| mount.name)
        .collect();
    volumes.sort();
    let container = Container {
        name: answer.name.unwrap_or_default().trim_start_matches('/').to_owned(),
        image: config.image.unwrap_or_default(),
        image_id: answer.image.unwrap_or_default(),
        state,
        status: status_words(life.status, exit_code),
        health: health(life.health.and_then(|health| health.status)),
        stack: labels.get(PROJECT).cloned(),
        service: labels.get(SERVICE).cloned(),
        ports: ports(networking.ports.unwrap_or_default()),
        created: answer
            .created
            .as_deref()
            .and_then(moment)
            .unwrap_or(Timestamp::UNIX_EPOCH),
        started: life.started_at.as_deref().and_then(moment),
        finished: life.finished_at.as_deref().and_then(moment),
        exit_code,
        restarts: answer
            .restart_count
            .and_then(|count| count.try_into().ok())
            .unwrap_or(0),
        network_mode: answer
            .host_config
            .and_then(|host| host.network_mode)
            .unwrap_or_default(),
        volumes,
        networks,
        is_agent: own.is(&id) || labels.get(AGENT_LABEL).is_some_and(|value| value == "true"),
        pod: None,
        id,
    };
    Observed {
        container,
        config_files: config_files(&labels),
        one_off: labels
            .get(ONE_OFF)
            .is_some_and(|value| value.eq_ignore_ascii_case("true")),
    }
}

fn state(status: Option<Status>) -> ContainerState {
    match status {
        Some(Status::CREATED) => ContainerState::Created,
        Some(Status::RUNNING | Status::STOPPING) => ContainerState::Running,
        Some(Status::PAUSED) => ContainerState::Paused,
        Some(Status::RESTARTING) => ContainerState::Restarting,
        Some(Status::REMOVING) => ContainerState::Removing,
        Some(Status::EXITED) => ContainerState::Exited,
        Some(Status::DEAD) => ContainerState::Dead,
        Some(Status::EMPTY) | None => ContainerState::Unknown,
    }
}

/// A few words that stay true as long as nothing happens.
fn status_words(status: Option<Status>, exit_code: Option<i64>) -> String {
    let word = match status {
        Some(Status::CREATED) => "Created",
        Some(Status::RUNNING) => "Running",
        Some(Status::STOPPING) => "Stopping",
        Some(Status::PAUSED) => "Paused",
        Some(Status::RESTARTING) => "Restarting",
        Some(Status::REMOVING) => "Removing",
        Some(Status::EXITED) => "Exited",
        Some(Status::DEAD) => "Dead",
        Some(Status::EMPTY) | None => "Unknown",
    };
    match exit_code {
        Some(code) => format!("{word} ({code})"),
        None => word.to_owned(),
    }
}

fn health(status: Option<HealthStatusEnum>) -> Health {
    match status {
        None | Some(HealthStatusEnum::EMPTY | HealthStatusEnum::NONE) => Health::None,
        Some(HealthStatusEnum::STARTING) => Health::Starting,
        Some(HealthStatusEnum::HEALTHY) => Health::Healthy,
        Some(HealthStatusEnum::UNHEALTHY) => Health::Unhealthy,
    }
}

/// Keys look like `80/tcp`; a key without bindings is exposed but not published.
fn ports(map: PortMap) -> Vec<Port> {
    let mut ports = Vec::new();
    for (key, bindings) in map.into_iter().collect::<BTreeMap<_, _>>() {
        let (number, protocol) = key.split_once('/').unwrap_or((&key, "tcp"));
        let Ok(private) = number.parse() else { continue };
        let port = |public, address| Port {
            private,
            protocol: protocol.to_owned(),
            public,
            address,
        };
        let bindings = bindings.unwrap_or_default();
        if bindings.is_empty() {
            ports.push(port(None, None));
        }
        ports.extend(bindings.into_iter().map(|binding| {
            let public = binding.host_port.and_then(|text| text.parse().ok());
            port(public, binding.host_ip.filter(|address| !address.is_empty()))
        }));
    }
    ports.sort();
    ports.dedup();
    ports
}

/// Older Compose wrote paths relative to the project's folder.
fn config_files(labels: &HashMap<String, String>) -> Vec<String> {
    let folder = labels.get(WORKING_DIR).map_or("", String::as_str);
    let files = labels.get(CONFIG_FILES).map_or("", String::as_str);
    files
        .split(',')
        .filter(|file| !file.is_empty())
        .map(|file| {
            std::path::Path::new(folder)
                .join(file)
                .to_string_lossy()
                .into_owned()
        })
        .collect()
}

pub(crate) fn image(summary: ImageSummary) -> Image {
    let named = |text: &String| !text.contains("<none>");
    Image {
        id: summary.id,
        tags: summary.repo_tags.into_iter().filter(named).collect(),
        digests: summary.repo_digests.into_iter().filter(named).collect(),
        size_bytes: summary.size.try_into().unwrap_or(0),
        created: Timestamp::from_second(summary.created).unwrap_or(Timestamp::UNIX_EPOCH),
        used_by: 0,
    }
}

pub(crate) fn volume(volume: bollard::models::Volume) -> Volume {
    Volume {
        stack: volume.labels.get(PROJECT).cloned(),
        name: volume.name,
        driver: volume.driver,
        mountpoint: volume.mountpoint,
        created: volume.created_at.as_deref().and_then(moment),
        used_by: Vec::new(),
        labels: volume.labels.into_iter().collect(),
    }
}

pub(crate) fn network(network: bollard::models::Network) -> Network {
    let pools = network.ipam.and_then(|ipam| ipam.config).unwrap_or_default();
    Network {
        id: network.id.unwrap_or_default(),
        name: network.name.unwrap_or_default(),
        driver: network.driver.unwrap_or_default(),
        subnets: pools.into_iter().filter_map(|pool| pool.subnet).collect(),
        containers: Vec::new(),
        stack: network.labels.unwrap_or_default().remove(PROJECT),
        internal: network.internal.unwrap_or(false),
        attachable: network.attachable.unwrap_or(false),
    }
}

/// Engines write a date in the year 1 for "never".
fn moment(text: &str) -> Option<Timestamp> {
    text.parse().ok().filter(|moment| *moment > Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
#[path = "read/tests.rs"]
mod tests;
