//! The engine's answers in our words. Engines leave fields out and differ in spelling; nothing here fails.

use crate::{
    AGENT_LABEL,
    attachment::Attachment,
    pod::SHARED,
    ports::{self, PortNumber},
};
use bollard::models::{
    ContainerInspectResponse, ContainerStateStatusEnum as Status, EndpointSettings, HealthStatusEnum,
    ImageSummary, MountPoint, PortMap, RestartPolicyNameEnum,
};
use flotilla_protocol::{
    Timestamp,
    inventory::{Container, ContainerState, Health, Image, Network, Port, Volume},
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::IpAddr,
};

/// Labels by which Compose marks what it made.
const PROJECT: &str = "com.docker.compose.project";
const SERVICE: &str = "com.docker.compose.service";
const CONFIG_FILES: &str = "com.docker.compose.project.config_files";
const WORKING_DIR: &str = "com.docker.compose.project.working_dir";
const ONE_OFF: &str = "com.docker.compose.oneoff";

/// A container, and what only its stack or its pod needs to know.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Observed {
    pub(crate) container: Container,
    /// Absolute paths of the Compose files that its project was started from.
    pub(crate) config_files: Vec<String>,
    /// Made by `docker compose run`: it belongs to the project, but is no instance of the service.
    pub(crate) one_off: bool,
    /// Names of its volumes, and where they are mounted.
    pub(crate) mounted: Vec<(String, String)>,
    /// Ports that it says it listens on, as far as the engine tells.
    pub(crate) declared: BTreeSet<PortNumber>,
    /// Its addresses on the engine's networks.
    pub(crate) addresses: Vec<IpAddr>,
    /// The engine starts it again when it ends with an error.
    pub(crate) returns: bool,
    /// It does not run because the engine could not start it.
    pub(crate) failed_to_start: bool,
}

impl Observed {
    /// Id or name of the container whose network this one shares.
    pub(crate) fn network_of(&self) -> Option<&str> {
        self.container.network_mode.strip_prefix(SHARED)
    }

    /// People may name a container by its name, by its id, and by the id's beginning.
    pub(crate) fn is_called(&self, text: &str) -> bool {
        let Container { id, name, .. } = &self.container;
        id == text || name == text || (text.len() >= 12 && id.starts_with(text))
    }
}

pub(crate) fn container(answer: ContainerInspectResponse) -> Observed {
    let (declared, returns) = (declared(&answer), returns(&answer));
    let id = answer.id.unwrap_or_default();
    let config = answer.config.unwrap_or_default();
    let labels = config.labels.unwrap_or_default();
    let networking = answer.network_settings.unwrap_or_default();
    let life = answer.state.unwrap_or_default();
    let state = state(life.status);
    let failed_to_start =
        state != ContainerState::Running && life.error.is_some_and(|error| !error.is_empty());
    let exit_code = life.exit_code.filter(|_| {
        use ContainerState::{Dead, Exited, Restarting};
        matches!(state, Exited | Dead | Restarting)
    });
    let host = answer.host_config.unwrap_or_default();
    let endpoints: BTreeMap<_, _> = networking.networks.unwrap_or_default().into_iter().collect();
    let mounted = mounted(answer.mounts.unwrap_or_default());
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
        created: date(answer.created.as_deref()).unwrap_or(Timestamp::UNIX_EPOCH),
        started: date(life.started_at.as_deref()),
        finished: date(life.finished_at.as_deref()),
        exit_code,
        oom_killed: life.oom_killed.unwrap_or(false),
        restarts: answer
            .restart_count
            .map_or(0, |count| count.try_into().unwrap_or(0)),
        network_mode: host.network_mode.unwrap_or_default(),
        volumes: mounted.iter().map(|(name, _)| name.clone()).collect(),
        networks: endpoints.keys().cloned().collect(),
        is_agent: labels.get(AGENT_LABEL).is_some_and(|value| value == "true"),
        pod: None,
        id,
    };
    Observed {
        container,
        config_files: config_files(&labels),
        one_off: labels
            .get(ONE_OFF)
            .is_some_and(|value| value.eq_ignore_ascii_case("true")),
        mounted,
        declared,
        addresses: endpoints.values().flat_map(addresses).collect(),
        returns,
        failed_to_start,
    }
}

/// What it exposes, what it publishes, and what it did of both before it came into a pod.
fn declared(answer: &ContainerInspectResponse) -> BTreeSet<PortNumber> {
    let exposed = answer
        .config
        .as_ref()
        .and_then(|config| config.exposed_ports.as_ref());
    let published = answer
        .host_config
        .as_ref()
        .and_then(|host| host.port_bindings.as_ref());
    let published = published.into_iter().flat_map(HashMap::keys);
    let mut declared = ports::parse_all(exposed.into_iter().flatten().chain(published));
    declared.extend(
        Attachment::remembered(answer)
            .ok()
            .flatten()
            .into_iter()
            .flat_map(|before| before.ports()),
    );
    declared
}

fn returns(answer: &ContainerInspectResponse) -> bool {
    use RestartPolicyNameEnum::{ALWAYS, ON_FAILURE, UNLESS_STOPPED};
    let policy = answer
        .host_config
        .as_ref()
        .and_then(|host| host.restart_policy.as_ref());
    let name = policy.and_then(|policy| policy.name);
    matches!(name, Some(ALWAYS | ON_FAILURE | UNLESS_STOPPED))
}

/// In the order of the volumes' names.
fn mounted(mounts: Vec<MountPoint>) -> Vec<(String, String)> {
    let volumes = mounts
        .into_iter()
        .filter(|mount| mount.typ.as_deref() == Some("volume"));
    let mut mounted: Vec<_> = volumes
        .filter_map(|mount| Some((mount.name?, mount.destination.unwrap_or_default())))
        .collect();
    mounted.sort();
    mounted
}

fn addresses(endpoint: &EndpointSettings) -> impl Iterator<Item = IpAddr> + use<> {
    let written = [
        endpoint.ip_address.as_deref(),
        endpoint.global_ipv6_address.as_deref(),
    ];
    written.map(|text| text?.parse().ok()).into_iter().flatten()
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
        created: date(volume.created_at.as_deref()),
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
fn date(text: Option<&str>) -> Option<Timestamp> {
    text?.parse().ok().filter(|date| *date > Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
#[path = "read/tests.rs"]
mod tests;
