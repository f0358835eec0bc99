//! How a container is attached to networks: all the settings that it must give up to share another container's network,
//! kept so that it can get them back.
//!
//! What a person asked for is kept exactly, with `null`, `[]` and `""` apart. What the engine made up (addresses, MACs,
//! host names, aliases) is left out: a container that asks for these by value could collide with another one.

mod join;
mod networks;

pub(crate) use join::{Joins, WantedAddress};
pub(crate) use networks::{Networks, UnresolvedNetwork};

use crate::{
    id,
    pod::SHARED_PREFIX,
    ports::{self, PortNumber},
};
use bollard::models::ContainerInspectResponse;
use flotilla_protocol::text::shown;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Label of a container in a pod that holds, as JSON, how it was attached before.
pub(crate) const BEFORE_POD: &str = "io.flotilla.before-pod";

/// The longest label that is read. A container publishes some hundreds of ports at most, each in less than a hundred
/// bytes.
const LABEL_BYTES: usize = 256 * 1024;

/// Why a label does not tell how a container was attached.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LabelError {
    #[error("it is longer than {LABEL_BYTES} bytes")]
    TooLong,
    #[error("{}", shown(.0, 100))]
    NotJson(String),
    #[error("it names no network")]
    NoNetwork,
}

/// The engine's own network for containers that ask for none.
const DEFAULT: &str = "bridge";

/// Fields of a container's `Config` that an engine refuses, or that mean nothing, in a shared network.
const OF_CONFIG: [&str; 5] = [
    "Hostname",
    "Domainname",
    "ExposedPorts",
    "MacAddress",
    "NetworkDisabled",
];

/// Fields of a container's `HostConfig` of which the same is true.
const OF_HOST: [&str; 7] = [
    "PortBindings",
    "PublishAllPorts",
    "Dns",
    "DnsOptions",
    "DnsSearch",
    "ExtraHosts",
    "Links",
];

/// Kernel settings of a network namespace: in a shared one they would apply to every container in it.
const SYSCTLS: &str = "Sysctls";
const OF_NETWORK: &str = "net.";

/// Fields of an endpoint that a person asks for. All others are filled in by the engine.
const OF_ENDPOINT: [&str; 5] = ["IPAMConfig", "Links", "Aliases", "DriverOpts", "GwPriority"];
const NETWORK_ID: &str = "NetworkID";
const MAC: &str = "MacAddress";

/// The bit of a MAC address's first byte that marks an address which no manufacturer assigned (IEEE 802).
const LOCALLY_ADMINISTERED: u8 = 0b10;

/// The engine that describes a container, as far as its answers depend on it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Dialect {
    /// The API's version, as (1, 41).
    pub(crate) api: (usize, usize),
    /// Host name of the device; containers in the host's network have it, too.
    pub(crate) device: String,
}

impl Dialect {
    /// Whether a MAC address is part of one network's endpoint, and several networks may be joined at once.
    fn speaks_of_endpoints(&self) -> bool {
        self.api >= (1, 44)
    }

    /// Whether the engine may have made this MAC address up. Up to version 1.47 of the API, made-up ones begin with
    /// `02:42:`; later, with any byte that marks an address which no manufacturer assigned.
    fn makes_up(&self, mac: &str) -> bool {
        if self.api < (1, 48) {
            return mac.to_ascii_lowercase().starts_with("02:42:");
        }
        let first = mac
            .get(..2)
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        first.is_none_or(|first| first & LOCALLY_ADMINISTERED != 0)
    }
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Attachment {
    /// `default`, `bridge`, `host`, `none`, `container:ID`, or a network's name or id.
    mode: String,
    #[serde(skip_serializing_if = "Map::is_empty")]
    config: Map<String, Value>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    host: Map<String, Value>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    sysctls: Map<String, Value>,
    /// What it asked of each network that it is on, by the network's name. Networks may have the same name, and a name
    /// may be given again, so each network's id is kept, too.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    endpoints: BTreeMap<String, Map<String, Value>>,
    /// A person disconnected it from all networks, also from the one that its mode names.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    is_off: bool,
}

impl Attachment {
    /// In the network of another container, named by id.
    pub(crate) fn in_network_of(id: &str) -> Self {
        Self::named(&format!("{SHARED_PREFIX}{id}"))
    }

    /// In one of the engine's networks, without any further wish.
    pub(crate) fn named(mode: &str) -> Self {
        Self {
            mode: mode.to_owned(),
            ..Self::default()
        }
    }

    pub(crate) fn mode(&self) -> &str {
        &self.mode
    }

    /// How a container is attached, by its whole description.
    pub(crate) fn of(answer: &Value, dialect: &Dialect) -> Self {
        let (config, host) = (&answer["Config"], &answer["HostConfig"]);
        let mode = host["NetworkMode"].as_str().filter(|mode| !mode.is_empty());
        let mode = mode.unwrap_or(DEFAULT);
        // The engine shows the other container's settings for a shared network, except for what was asked for beside
        // it.
        if mode.starts_with(SHARED_PREFIX) {
            return Self {
                config: asked_fields(config, &["NetworkDisabled"]),
                host: asked_fields(host, &OF_HOST),
                ..Self::named(mode)
            };
        }
        let id = answer["Id"].as_str().unwrap_or_default();
        let mut config = asked_fields(config, &OF_CONFIG);
        let is_made_up = |name: &Value| {
            let is_devices = || mode == "host" && name.as_str() == Some(&dialect.device);
            is_short_id(name, id) || is_devices()
        };
        let hostname = answer["Config"]["Hostname"].as_str().unwrap_or_default();
        if config.get("Hostname").is_some_and(is_made_up) {
            config.remove("Hostname");
        }
        let mut host = asked_fields(host, &OF_HOST);
        for link in host
            .get_mut("Links")
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            *link = link.as_str().and_then(asked_link).unwrap_or(Value::Null);
        }
        let sysctls = answer["HostConfig"][SYSCTLS].as_object();
        let sysctls = sysctls.into_iter().flatten();
        let networks = answer["NetworkSettings"]["Networks"].as_object();
        let has_endpoints = !matches!(mode, "host" | "none");
        let is_new = answer["State"]["Status"] == "created";
        let is_off =
            has_endpoints && networks.is_some_and(Map::is_empty) && config.get("NetworkDisabled").is_none();
        Self {
            mode: mode.to_owned(),
            config,
            host,
            is_off,
            sysctls: sysctls
                .filter(|(key, _)| key.starts_with(OF_NETWORK))
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect(),
            endpoints: networks
                .into_iter()
                .flatten()
                .filter(|(name, _)| has_endpoints || *name != mode)
                .map(|(name, endpoint)| (name.clone(), asked_of(endpoint, (id, hostname), is_new, dialect)))
                .collect(),
        }
    }

    /// How a container was attached before it came into a pod; `None` when no label tells.
    pub(crate) fn before_pod(answer: &ContainerInspectResponse) -> Result<Option<Self>, LabelError> {
        let labels = answer.config.as_ref().and_then(|config| config.labels.as_ref());
        let label = labels.and_then(|labels| labels.get(BEFORE_POD));
        label.map(|label| Self::from_label(label)).transpose()
    }

    pub(crate) fn from_label(label: &str) -> Result<Self, LabelError> {
        if label.len() > LABEL_BYTES {
            return Err(LabelError::TooLong);
        }
        let mut read: Self =
            serde_json::from_str(label).map_err(|error| LabelError::NotJson(error.to_string()))?;
        let is_word = |c: char| c.is_ascii_graphic();
        if read.mode.is_empty() || !read.mode.chars().all(is_word) {
            return Err(LabelError::NoNetwork);
        }
        // Anyone who makes a container can write this label, so it may decide settings of the network and no others.
        read.config.retain(|key, _| OF_CONFIG.contains(&key.as_str()));
        read.host.retain(|key, _| OF_HOST.contains(&key.as_str()));
        read.sysctls.retain(|key, _| key.starts_with(OF_NETWORK));
        let is_endpoints = |key: &str| OF_ENDPOINT.contains(&key) || [NETWORK_ID, MAC].contains(&key);
        for endpoint in read.endpoints.values_mut() {
            endpoint.retain(|key, _| is_endpoints(key));
        }
        Ok(read)
    }

    /// The attachment as the value of the label.
    pub(crate) fn to_label(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The ports on which the container says that it listens.
    pub(crate) fn ports(&self) -> BTreeSet<PortNumber> {
        let keys = |value: Option<&Value>| value.and_then(Value::as_object).cloned().unwrap_or_default();
        let (exposed, published) = (
            keys(self.config.get("ExposedPorts")),
            keys(self.host.get("PortBindings")),
        );
        ports::parse_all(exposed.keys().chain(published.keys()))
    }
}

/// The fields that are present and ask for something. An empty list does so, too.
fn asked_fields(whole: &Value, fields: &[&str]) -> Map<String, Value> {
    let says = |value: &&Value| !matches!(value, Value::Null | Value::Bool(false)) && **value != "";
    let given = fields
        .iter()
        .filter_map(|field| Some(((*field).to_owned(), whole.get(field).filter(says)?.clone())));
    given.collect()
}

/// What a person asked of a network, without what the engine filled in.
fn asked_of(
    endpoint: &Value,
    (id, hostname): (&str, &str),
    is_new: bool,
    dialect: &Dialect,
) -> Map<String, Value> {
    let mut given = asked_fields(endpoint, &OF_ENDPOINT);
    given.extend(asked_fields(endpoint, &[NETWORK_ID]));
    if let Some(aliases) = given.get_mut("Aliases").and_then(Value::as_array_mut) {
        // Older engines list the host name among the aliases.
        let is_hostname = |alias: &Value| !dialect.speaks_of_endpoints() && alias == hostname;
        aliases.retain(|alias| !is_short_id(alias, id) && !is_hostname(alias));
        if aliases.is_empty() {
            given.remove("Aliases");
        }
    }
    // Before a container's first start, an engine has made up no address.
    let mac = asked_fields(endpoint, &[MAC]);
    given.extend(mac.into_iter().filter(|(_, mac)| {
        let mac = mac.as_str().unwrap_or_default();
        dialect.speaks_of_endpoints() && (is_new || !dialect.makes_up(mac))
    }));
    given
}

fn is_short_id(name: &Value, id: &str) -> bool {
    name.as_str() == Some(id::short(id))
}

/// Engines show `/db:/web/alias` for what was asked as `db:alias`.
fn asked_link(shown: &str) -> Option<Value> {
    let (target, alias) = shown.split_once(':')?;
    let alias = alias.rsplit('/').next()?;
    Some(format!("{}:{alias}", target.trim_start_matches('/')).into())
}

#[cfg(test)]
mod tests;
