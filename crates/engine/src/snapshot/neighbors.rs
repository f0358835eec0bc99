//! Which containers are on which network, and by which names they find each other.

use super::is_up;
use crate::read::{AttachedNetwork, ObservedContainer};
use flotilla_protocol::inventory::{Container, FoundAs, Network};
use std::collections::{BTreeMap, BTreeSet};

/// Networks where containers do not find each other by name.
const NAMELESS: [&str; 4] = ["bridge", "host", "none", "podman"];

/// How many neighbors are named: as many as a person reads.
const NEIGHBORS: usize = 20;

/// The containers that are attached to a network, in the order of their names.
#[derive(Debug)]
pub(super) struct Members<'a>(Vec<(&'a Container, &'a AttachedNetwork)>);

impl Members<'_> {
    /// Names of the members that run.
    pub(super) fn names(&self) -> impl Iterator<Item = String> {
        self.others("").map(|other| other.name.clone())
    }

    fn others(&self, own: &str) -> impl Iterator<Item = &Container> {
        let all = self.0.iter().map(|(container, _)| *container);
        all.filter(move |other| other.id != own && is_up(other))
    }
}

/// Members by the id of the network, since old engines let two networks have one name. Where an engine tells no known
/// id, the name decides.
pub(super) fn by_network<'a>(
    networks: &'a [Network],
    containers: &'a BTreeMap<String, ObservedContainer>,
) -> BTreeMap<&'a str, Members<'a>> {
    let ids: BTreeSet<&str> = networks.iter().map(|network| network.id.as_str()).collect();
    let members = |network: &Network| {
        let is_here = |attached: &&AttachedNetwork| {
            let by_name = !ids.contains(attached.id.as_str()) && attached.network == network.name;
            attached.id == network.id || by_name
        };
        let here = containers.values();
        let here = here.filter_map(|seen| Some((&seen.container, seen.attached.iter().find(is_here)?)));
        let mut here: Vec<_> = here.collect();
        here.sort_by(|(a, _), (b, _)| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
        Members(here)
    };
    networks
        .iter()
        .map(|network| (network.id.as_str(), members(network)))
        .collect()
}

/// The names by which the container with the id `own` is found, network by network.
pub(super) fn found_as(
    own: &str,
    networks: &[Network],
    members: &BTreeMap<&str, Members<'_>>,
) -> Vec<FoundAs> {
    let named = networks
        .iter()
        .filter(|network| !NAMELESS.contains(&network.name.as_str()));
    let found = named.filter_map(|network| {
        let here = members.get(network.id.as_str())?;
        let (_, attached) = here.0.iter().find(|(container, _)| container.id == own)?;
        Some(FoundAs {
            network: network.name.clone(),
            names: attached.names.iter().cloned().collect(),
            neighbors: here
                .others(own)
                .take(NEIGHBORS)
                .map(|other| other.name.clone())
                .collect(),
        })
    });
    let mut found: Vec<_> = found.collect();
    found.sort_by(|a, b| a.network.cmp(&b.network));
    found
}
