//! The engine's answers in our words. Engines leave fields out and differ in spelling, so no field is required here.

mod compose;
mod listed;
mod networks;
mod state;
mod things;

pub(crate) use listed::{RowFingerprint, listed};
pub(crate) use networks::AttachedNetwork;
pub(crate) use state::{health, name};
pub(crate) use things::{image, network, rows, volume};

use crate::{
    AGENT_LABEL,
    attachment::Attachment,
    engine_errors, id, labels,
    pod::SHARED_PREFIX,
    ports::{self, PortNumber},
};
use bollard::models::{
    ContainerInspectResponse, EndpointSettings, MountPoint, PortMap, RestartPolicyNameEnum,
};
use compose::{PROJECT, SERVICE};
use flotilla_protocol::inventory::{Container, ContainerState, Port, collapsed};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::IpAddr,
};

/// A container, with what only its stack or its pod needs to know.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ObservedContainer {
    pub(crate) container: Container,
    /// Absolute paths of the Compose files that its project was started from.
    pub(crate) config_files: Vec<String>,
    /// The folder of its Compose project.
    pub(crate) folder: Option<String>,
    /// Whether `docker compose run` made it: then it belongs to the project, but is no instance of the service.
    pub(crate) one_off: bool,
    /// Names of its volumes, and where they are mounted.
    pub(crate) mounted: Vec<(String, String)>,
    /// Ports on which it says that it listens, as far as the engine tells.
    pub(crate) declared: BTreeSet<PortNumber>,
    /// Its addresses on the engine's networks.
    pub(crate) addresses: Vec<IpAddr>,
    /// The networks to which it is attached.
    pub(crate) attached: Vec<AttachedNetwork>,
    /// The swarm service of which it is a task.
    pub(crate) swarm_service: Option<String>,
    /// Whether the engine starts it again when it ends with an error.
    pub(crate) returns: bool,
    /// Whether it does not run because the engine could not start it.
    pub(crate) failed_to_start: bool,
}

impl ObservedContainer {
    /// Id or name of the container whose network this one shares.
    pub(crate) fn network_of(&self) -> Option<&str> {
        self.container.network_mode.strip_prefix(SHARED_PREFIX)
    }

    /// Whether a text names this container, as people do: by its name, by its id, or by the id's beginning.
    pub(crate) fn is_called(&self, text: &str) -> bool {
        let Container { id, name, .. } = &self.container;
        name == text || id::is_meant(id, text)
    }
}

pub(crate) fn container(answer: ContainerInspectResponse) -> ObservedContainer {
    let (declared, returns) = (declared(&answer), returns(&answer));
    let id = answer.id.unwrap_or_default();
    let config = answer.config.unwrap_or_default();
    let labels = config.labels.unwrap_or_default();
    let networking = answer.network_settings.unwrap_or_default();
    let life = answer.state.unwrap_or_default();
    let word = life.status.map(|status| status.to_string()).unwrap_or_default();
    let state = state::state(&word);
    let failure = life.error.filter(|error| !error.is_empty());
    let failure = failure.filter(|_| state != ContainerState::Running);
    let exit_code = life.exit_code.filter(|_| state::has_ended(state));
    let health = life.health.and_then(|health| health.status);
    let health = health.map(|word| word.to_string()).unwrap_or_default();
    let host = answer.host_config.unwrap_or_default();
    let endpoints: BTreeMap<_, _> = networking.networks.unwrap_or_default().into_iter().collect();
    let mounted = mounted(answer.mounts.unwrap_or_default());
    let container = Container {
        name: state::name(answer.name.as_deref(), &id),
        image: config.image.unwrap_or_default(),
        image_id: answer.image.unwrap_or_default(),
        state,
        status: state::status(&word, exit_code),
        health: state::health(&health),
        stack: labels.get(PROJECT).cloned(),
        service: labels.get(SERVICE).cloned(),
        ports: ports(networking.ports.unwrap_or_default()),
        created: state::date(answer.created.as_deref()),
        started: state::date(life.started_at.as_deref()),
        finished: state::date(life.finished_at.as_deref()),
        exit_code,
        failure: failure.as_deref().map(engine_errors::one_line),
        unread: None,
        oom_killed: life.oom_killed.unwrap_or(false),
        restarts: answer
            .restart_count
            .map_or(0, |count| count.try_into().unwrap_or(0)),
        network_mode: host.network_mode.unwrap_or_default(),
        volumes: mounted.iter().map(|(name, _)| name.clone()).collect(),
        networks: endpoints.keys().cloned().collect(),
        is_agent: labels.get(AGENT_LABEL).is_some_and(|value| value == "true"),
        pod: None,
        found_as: Vec::new(),
        id,
    };
    ObservedContainer {
        attached: networks::attached_networks(&endpoints, (&container.id, &container.name)),
        container,
        config_files: compose::config_files(&labels),
        folder: compose::folder(&labels),
        one_off: compose::is_one_off(&labels),
        mounted,
        declared,
        addresses: endpoints.values().flat_map(addresses).collect(),
        swarm_service: labels.get(labels::SWARM_SERVICE).cloned(),
        returns,
        failed_to_start: failure.is_some(),
    }
}

/// The ports that it exposes, those that it publishes, and those that it exposed or published before it came into a
/// pod.
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
        Attachment::before_pod(answer)
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

/// Names of the volumes, in order, and where they are mounted.
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

/// Ports from keys such as `80/tcp`; a key without bindings is exposed but not published.
fn ports(map: PortMap) -> Vec<Port> {
    let mut ports = Vec::new();
    for (key, bindings) in map.into_iter().collect::<BTreeMap<_, _>>() {
        let (number, protocol) = key.split_once('/').unwrap_or((&key, "tcp"));
        let Ok(private) = number.parse() else { continue };
        let port = |public, address| Port {
            private,
            private_last: None,
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
    collapsed(ports)
}

#[cfg(test)]
mod tests;
