//! From an attachment to requests to the engine: how the container is to be created, and what is done before it starts.

use super::{
    Attachment, DEFAULT, Dialect, MAC, NETWORK_ID, Networks, OF_CONFIG, OF_HOST, SYSCTLS, UnresolvedNetwork,
    networks::EngineNetwork,
};
use crate::pod::SHARED_PREFIX;
use serde_json::{Map, Value, json};

/// What is done to a created container before it starts.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Joins {
    /// Networks that it could not be created in, by id, and what is asked of each.
    pub(crate) join: Vec<(String, Value)>,
    /// Id of the network that its mode put it into, when it is to be on others only.
    pub(crate) leave: Option<String>,
    pub(crate) wanted: Vec<WantedAddress>,
}

/// An address that a container asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WantedAddress {
    /// Id of the network.
    pub(crate) network: String,
    pub(crate) address: String,
}

impl Attachment {
    /// Writes the attachment into the request that creates a container, in place of the one that is there.
    ///
    /// # Errors
    /// One of its networks does not exist.
    pub(crate) fn apply(
        mut self,
        body: &mut Value,
        networks: &Networks,
        dialect: &Dialect,
    ) -> Result<Joins, UnresolvedNetwork> {
        let main = self.main(networks)?;
        self.mode = self.spelled(main, networks);
        let mut joins = Joins::default();
        let mut all = Vec::new();
        for (name, mut endpoint) in std::mem::take(&mut self.endpoints) {
            let known = networks.resolve(&name, id_of(&endpoint))?;
            endpoint.remove(NETWORK_ID);
            joins.wanted.extend(addresses(&known.id, &endpoint));
            let is_main = main == Some(known);
            // Older engines take the MAC address beside the network.
            if is_main && dialect.speaks_of_endpoints() {
                endpoint.extend(self.config.remove_entry(MAC));
            }
            // Before the first start, an engine keeps only the name of a network that was not given by id.
            let is_unique = networks.is_unique(&known.name);
            let key = match (is_main && !self.is_default(), is_unique) {
                (true, _) => &self.mode,
                (false, true) => &known.name,
                (false, false) => &known.id,
            };
            all.push((is_unique, !is_main, key.clone(), &known.id, endpoint));
        }
        let at_once = if dialect.speaks_of_endpoints() {
            all.len()
        } else {
            1
        };
        // Networks without a unique name have to be given at creation; after these, the network of the mode.
        all.sort_by_key(|(is_unique, is_other, ..)| (*is_unique, *is_other));
        let late = all.split_off(at_once.min(all.len()));
        if let Some((false, _, name, ..)) = late.first() {
            return Err(UnresolvedNetwork::Ambiguous(name.clone()));
        }
        joins.join = late
            .into_iter()
            .map(|(.., id, endpoint)| (id.clone(), endpoint.into()))
            .collect();
        joins.leave = main.filter(|_| self.is_off).map(|main| main.id.clone());
        let at_once = all
            .into_iter()
            .map(|(_, _, key, _, endpoint)| (key, endpoint.into()));
        let at_once = at_once.collect();
        self.write(body, at_once);
        Ok(joins)
    }

    /// The network that the mode stands for, if it is one of the engine's networks.
    fn main<'a>(&self, networks: &'a Networks) -> Result<Option<&'a EngineNetwork>, UnresolvedNetwork> {
        if matches!(self.mode.as_str(), "host" | "none") || self.mode.starts_with(SHARED_PREFIX) {
            return Ok(None);
        }
        if self.is_default() {
            // Podman writes `bridge` for any network.
            let only = || self.endpoints.iter().next();
            let named = networks.resolve(DEFAULT, None).ok();
            let first = || only().and_then(|(name, endpoint)| networks.resolve(name, id_of(endpoint)).ok());
            return Ok(named.or_else(first));
        }
        let is_meant = |(name, endpoint): &(&String, &Map<String, Value>)| {
            **name == self.mode || id_of(endpoint).is_some_and(|id| id.starts_with(&self.mode))
        };
        match self.endpoints.iter().find(is_meant) {
            Some((name, endpoint)) => networks.resolve(name, id_of(endpoint)),
            None => networks.resolve(&self.mode, None),
        }
        .map(Some)
    }

    fn is_default(&self) -> bool {
        matches!(self.mode.as_str(), DEFAULT | "default")
    }

    /// The mode as it was written, where that still means the same network; else the network's id.
    fn spelled(&self, main: Option<&EngineNetwork>, networks: &Networks) -> String {
        match main {
            Some(main) if !self.is_default() => {
                let is_right =
                    main.is_id(&self.mode) || main.name == self.mode && networks.is_unique(&self.mode);
                if is_right {
                    self.mode.clone()
                } else {
                    main.id.clone()
                }
            }
            _ => self.mode.clone(),
        }
    }

    fn write(self, body: &mut Value, endpoints: Map<String, Value>) {
        if let Some(config) = body.as_object_mut() {
            config.retain(|key, _| !OF_CONFIG.contains(&key.as_str()));
            config.extend(self.config);
            config.remove("NetworkingConfig");
            if !endpoints.is_empty() {
                config.insert(
                    "NetworkingConfig".to_owned(),
                    json!({"EndpointsConfig": endpoints}),
                );
            }
        }
        if let Some(host) = body["HostConfig"].as_object_mut() {
            host.retain(|key, _| !OF_HOST.contains(&key.as_str()));
            host.extend(self.host);
            host.insert("NetworkMode".to_owned(), self.mode.into());
        }
        if !self.sysctls.is_empty() {
            let sysctls = &mut body["HostConfig"][SYSCTLS];
            if !sysctls.is_object() {
                *sysctls = json!({});
            }
            sysctls
                .as_object_mut()
                .into_iter()
                .for_each(|all| all.extend(self.sysctls.clone()));
        }
    }

    /// Takes the settings of its own network out of a container that is going to share another one's.
    pub(crate) fn withdraw(&self, body: &mut Value) {
        if let Some(all) = body["HostConfig"][SYSCTLS].as_object_mut() {
            all.retain(|key, _| !self.sysctls.contains_key(key));
        }
    }
}

fn id_of(endpoint: &Map<String, Value>) -> Option<&str> {
    endpoint.get(NETWORK_ID).and_then(Value::as_str)
}

fn addresses(network: &str, endpoint: &Map<String, Value>) -> Vec<WantedAddress> {
    let Some(asked) = endpoint.get("IPAMConfig") else {
        return Vec::new();
    };
    let texts = ["IPv4Address", "IPv6Address"].map(|field| asked[field].as_str());
    let texts = texts.into_iter().flatten().filter(|text| !text.is_empty());
    let wanted = texts.map(|text| WantedAddress {
        network: network.to_owned(),
        address: text.to_owned(),
    });
    wanted.collect()
}
