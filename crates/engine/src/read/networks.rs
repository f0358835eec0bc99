//! On which networks a container is, and by which names others find it there.

use crate::id;
use bollard::models::EndpointSettings;
use std::collections::{BTreeMap, BTreeSet};

/// One of the engine's networks on which a container is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AttachedNetwork {
    pub(crate) network: String,
    /// The network's id; empty while it is attached for its next start only.
    pub(crate) id: String,
    /// The names by which others find the container there, its own name among them.
    pub(crate) names: BTreeSet<String>,
}

/// The networks of the container with this id and name.
pub(super) fn attached_networks(
    endpoints: &BTreeMap<String, EndpointSettings>,
    (id, name): (&str, &str),
) -> Vec<AttachedNetwork> {
    let short = id::short(id);
    let of = |(network, endpoint): (&String, &EndpointSettings)| AttachedNetwork {
        network: network.clone(),
        id: endpoint.network_id.clone().unwrap_or_default(),
        names: endpoint
            .aliases
            .iter()
            .flatten()
            .filter(|alias| *alias != short)
            .cloned()
            .chain([name.to_owned()])
            .collect(),
    };
    endpoints.iter().map(of).collect()
}
