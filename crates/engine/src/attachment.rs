//! How a container is attached to networks: all that it must give up to share another container's network, so that it
//! can be given back.

use crate::pod::SHARED;
use bollard::models::{
    ContainerCreateBody, ContainerInspectResponse, EndpointSettings, HostConfig, NetworkingConfig,
    PortBinding,
};
use flotilla_protocol::text::shown;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

use crate::ports::{self, PortNumber};

/// Label of a container in a pod that holds, as JSON, how it was attached before.
pub(crate) const BEFORE_POD: &str = "io.flotilla.before-pod";

/// A container publishes some hundreds of ports at most, each in less than a hundred bytes.
const LABEL_BYTES: usize = 256 * 1024;

/// Why a label does not say how a container was attached.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Garbled {
    #[error("it is longer than {LABEL_BYTES} bytes")]
    TooLong,
    #[error("{}", shown(.0, 100))]
    NotJson(String),
    #[error("it names no network")]
    NoNetwork,
}

/// The engine's own network for containers that ask for none.
const DEFAULT: &str = "bridge";

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Attachment {
    /// `bridge`, `host`, `container:ID` or a network's name.
    mode: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hostname: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    domainname: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    exposed_ports: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    port_bindings: BTreeMap<String, Option<Vec<PortBinding>>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    publish_all_ports: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    dns: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    dns_options: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    dns_search: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    extra_hosts: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    links: Vec<String>,
    /// What it asked of each network that it is on, by the network's name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    endpoints: BTreeMap<String, EndpointSettings>,
}

impl Attachment {
    /// The network of another container, named by id.
    pub(crate) fn shared(id: &str) -> Self {
        Self::named(&format!("{SHARED}{id}"))
    }

    /// One of the engine's networks, of which nothing particular is asked.
    pub(crate) fn named(mode: &str) -> Self {
        Self {
            mode: mode.to_owned(),
            ..Self::default()
        }
    }

    pub(crate) fn mode(&self) -> &str {
        &self.mode
    }

    /// How a container is attached now.
    pub(crate) fn of(answer: &ContainerInspectResponse) -> Self {
        let host = answer.host_config.clone().unwrap_or_default();
        let mode = host.network_mode.clone().unwrap_or_default();
        let mode = if matches!(mode.as_str(), "" | "default") {
            DEFAULT.to_owned()
        } else {
            mode
        };
        // What the engine shows of a shared network is the other container's.
        if mode.starts_with(SHARED) {
            return Self::named(&mode);
        }
        let id = answer.id.as_deref().unwrap_or_default();
        let config = answer.config.clone().unwrap_or_default();
        let given = |text: &String| !text.is_empty();
        let networks = answer.network_settings.clone().unwrap_or_default().networks;
        let has_endpoints = !matches!(mode.as_str(), "host" | "none");
        Self {
            // Without a name of its own, a container is called by its id.
            hostname: config
                .hostname
                .filter(|name| given(name) && !id.starts_with(name)),
            domainname: config.domainname.filter(given),
            exposed_ports: config.exposed_ports.unwrap_or_default(),
            port_bindings: host.port_bindings.into_iter().flatten().collect(),
            publish_all_ports: host.publish_all_ports.unwrap_or(false),
            dns: host.dns.unwrap_or_default(),
            dns_options: host.dns_options.unwrap_or_default(),
            dns_search: host.dns_search.unwrap_or_default(),
            extra_hosts: host.extra_hosts.unwrap_or_default(),
            links: host
                .links
                .iter()
                .flatten()
                .filter_map(|link| asked_link(link))
                .collect(),
            endpoints: networks
                .into_iter()
                .flatten()
                .filter(|_| has_endpoints)
                .map(|(name, endpoint)| (name, asked(endpoint, id)))
                .collect(),
            mode,
        }
    }

    /// How a container was attached before it came into a pod; `None` when nothing says so.
    pub(crate) fn remembered(answer: &ContainerInspectResponse) -> Result<Option<Self>, Garbled> {
        let labels = answer.config.as_ref().and_then(|config| config.labels.as_ref());
        let label = labels.and_then(|labels| labels.get(BEFORE_POD));
        label.map(|label| Self::from_label(label)).transpose()
    }

    fn from_label(label: &str) -> Result<Self, Garbled> {
        if label.len() > LABEL_BYTES {
            return Err(Garbled::TooLong);
        }
        let read: Self = serde_json::from_str(label).map_err(|error| Garbled::NotJson(error.to_string()))?;
        let is_word = |c: char| c.is_ascii_graphic();
        if read.mode.is_empty() || !read.mode.chars().all(is_word) {
            return Err(Garbled::NoNetwork);
        }
        Ok(read)
    }

    /// As the value of the label.
    pub(crate) fn to_label(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Ports that it says it listens on.
    pub(crate) fn ports(&self) -> BTreeSet<PortNumber> {
        ports::parse_all(self.exposed_ports.iter().chain(self.port_bindings.keys()))
    }

    /// Replaces the attachment of a container to be made. Answers the networks that it has to be connected to before
    /// it starts: older engines take only one when they make it.
    pub(crate) fn apply(mut self, body: &mut ContainerCreateBody) -> BTreeMap<String, EndpointSettings> {
        let listed = |list: Vec<String>| Some(list).filter(|list| !list.is_empty());
        let host = body.host_config.get_or_insert_with(HostConfig::default);
        host.port_bindings = Some(self.port_bindings.into_iter().collect());
        host.publish_all_ports = Some(self.publish_all_ports);
        host.dns = listed(self.dns);
        host.dns_options = listed(self.dns_options);
        host.dns_search = listed(self.dns_search);
        host.extra_hosts = listed(self.extra_hosts);
        host.links = listed(self.links);
        body.hostname = self.hostname;
        body.domainname = self.domainname;
        body.exposed_ports = listed(self.exposed_ports);
        let first = self.endpoints.remove_entry(&self.mode);
        body.networking_config = first.map(|first| NetworkingConfig {
            endpoints_config: Some([first].into()),
        });
        host.network_mode = Some(self.mode);
        self.endpoints
    }
}

/// What a person asked of a network, without what the engine answered.
fn asked(endpoint: EndpointSettings, id: &str) -> EndpointSettings {
    let aliases = endpoint.aliases.unwrap_or_default();
    let aliases: Vec<_> = aliases
        .into_iter()
        .filter(|alias| !id.starts_with(alias))
        .collect();
    EndpointSettings {
        ipam_config: endpoint.ipam_config,
        links: endpoint.links,
        mac_address: endpoint.mac_address.filter(|address| !address.is_empty()),
        aliases: Some(aliases).filter(|aliases| !aliases.is_empty()),
        driver_opts: endpoint.driver_opts,
        gw_priority: endpoint.gw_priority,
        ..EndpointSettings::default()
    }
}

/// Engines show `/db:/web/alias` for what was asked as `db:alias`.
fn asked_link(shown: &str) -> Option<String> {
    let (target, alias) = shown.split_once(':')?;
    let alias = alias.rsplit('/').next()?;
    Some(format!("{}:{alias}", target.trim_start_matches('/')))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn attached(answer: serde_json::Value) -> Attachment {
        Attachment::of(&serde_json::from_value(answer).unwrap())
    }

    fn rich() -> Attachment {
        attached(json!({
            "Id": "4f1c0d1e2f3a", "Config": {"Hostname": "web", "ExposedPorts": {"80/tcp": {}}},
            "HostConfig": {"NetworkMode": "media", "PortBindings": {"80/tcp": [{"HostIp": "", "HostPort": "8080"}]},
                "Dns": ["192.0.2.53"], "ExtraHosts": ["db:192.0.2.1"], "Links": ["/db:/web/database"]},
            "NetworkSettings": {"Networks": {
                "media": {"Aliases": ["web", "4f1c0d1e2f3a"], "IPAddress": "10.0.0.2", "IPAMConfig": {"IPv4Address": "10.0.0.2"}},
                "proxy": {"Aliases": null, "NetworkID": "n1"}}},
        }))
    }

    #[test]
    fn what_a_shared_network_forbids_is_remembered_whole() {
        let before = rich();
        let label = [(BEFORE_POD.to_owned(), before.to_label())];
        let answer = json!({"Config": {"Labels": std::collections::HashMap::from(label)}});
        let answer = serde_json::from_value(answer).unwrap();
        assert_eq!(Attachment::remembered(&answer), Ok(Some(before)));
    }

    #[test]
    fn a_label_that_says_nothing_sensible_is_refused_whatever_it_costs_to_read() {
        let deep = "[".repeat(100_000);
        let long = format!(r#"{{"mode":"bridge","dns":["{}"]}}"#, "x".repeat(LABEL_BYTES));
        for label in [
            "",
            "{}",
            "null",
            "[1]",
            r#"{"mode":""}"#,
            r#"{"mode":"br\u001bidge"}"#,
            r#"{"mode":{"mode":"host"}}"#,
            r#"{"mode":"bridge","endpoints":{"a":[]}}"#,
            &deep,
            &format!(r#"{{"mode":"a","endpoints":{deep}"#),
            &long,
        ] {
            let reason = Attachment::from_label(label).unwrap_err().to_string();
            assert!(
                reason.chars().count() < 120 && !reason.contains('\u{1b}'),
                "{reason}"
            );
        }
    }

    proptest! {
        #[test]
        fn any_label_is_answered(label in r#".{0,60}|\{"mode":.{0,20},"endpoints":.{0,30}\}"#) {
            if let Ok(read) = Attachment::from_label(&label) {
                prop_assert_eq!(Attachment::from_label(&read.to_label()), Ok(read));
            }
        }
    }

    #[test]
    fn a_container_asks_again_for_what_it_had_asked_for() {
        let mut body = ContainerCreateBody::default();
        let later = rich().apply(&mut body);
        let host = body.host_config.unwrap();
        let first = body.networking_config.unwrap().endpoints_config.unwrap();
        assert_eq!(first["media"].aliases, Some(vec!["web".to_owned()]));
        assert_eq!(first["media"].ip_address, None, "given by the engine");
        assert_eq!(later.into_keys().collect::<Vec<_>>(), ["proxy"]);
        assert_eq!(
            (body.hostname.as_deref(), host.network_mode.as_deref()),
            (Some("web"), Some("media"))
        );
        assert_eq!(host.links, Some(vec!["db:database".to_owned()]));
        assert_eq!(host.extra_hosts.map(|hosts| hosts.len()), Some(1));
    }

    #[test]
    fn in_a_shared_network_nothing_is_asked_for() {
        let mut body = ContainerCreateBody {
            hostname: Some("web".to_owned()),
            exposed_ports: Some(vec!["80/tcp".to_owned()]),
            ..ContainerCreateBody::default()
        };
        assert!(Attachment::shared("p1").apply(&mut body).is_empty());
        assert_eq!(
            (body.hostname, body.exposed_ports, body.networking_config),
            (None, None, None)
        );
        let host = body.host_config.unwrap();
        assert_eq!(host.network_mode.as_deref(), Some("container:p1"));
        assert_eq!(host.port_bindings.map(|ports| ports.len()), Some(0));
    }

    #[test]
    fn a_name_that_is_the_id_is_none_and_the_pause_containers_name_is_not_ones_own() {
        let by_id = json!({"Id": "4f1c0d1e2f3a4b", "Config": {"Hostname": "4f1c0d1e2f3a"}});
        assert_eq!(attached(by_id), Attachment::named("bridge"));
        let in_pod = json!({"Id": "4f1c", "Config": {"Hostname": "pause"}, "HostConfig": {"NetworkMode": "container:p1"}});
        assert_eq!(attached(in_pod), Attachment::shared("p1"));
    }
}
