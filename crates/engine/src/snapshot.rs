//! What was last read from the engine, and the inventory that follows from it.
//!
//! Which containers use an image, mount a volume, join a network or form a stack is not asked of the engine:
//! it follows from the containers, so it can never disagree with them.

mod neighbors;

use crate::{
    pod::Pod,
    ports::PortNumber,
    read::{ObservedContainer, RowFingerprint},
    users,
};
use flotilla_protocol::inventory::{
    Container, ContainerState, Image, Inventory, Network, PodRole, Stack, StackFolder, Trouble, Volume,
    collapsed,
};
use std::collections::{BTreeMap, BTreeSet};

/// What is said of a container of which only the list's row is known.
const NOT_YET: &str = "the engine has not described it yet";

#[derive(Debug, Default)]
pub(crate) struct Snapshot {
    /// Containers by id.
    pub(crate) containers: BTreeMap<String, ObservedContainer>,
    /// The last list's row of each container, by id, reduced to what changes with it; empty until there was a list.
    pub(crate) fingerprints: BTreeMap<String, RowFingerprint>,
    pub(crate) images: Vec<Image>,
    pub(crate) volumes: Vec<Volume>,
    pub(crate) networks: Vec<Network>,
}

impl Snapshot {
    /// Takes a list of all containers; new ones are shown as listed until they are described. Returns the ids of those
    /// to describe: new ones, changed ones, and those that may be gone.
    pub(crate) fn take_list(&mut self, rows: Vec<(ObservedContainer, RowFingerprint)>) -> Vec<String> {
        let is_first = self.fingerprints.is_empty();
        let mut fingerprints = BTreeMap::new();
        let mut stale = Vec::new();
        for (mut listed, fingerprint) in rows {
            let id = listed.container.id.clone();
            let is_same = self
                .fingerprints
                .get(&id)
                .is_none_or(|before| *before == fingerprint);
            if is_first || !is_same || !self.containers.contains_key(&id) {
                stale.push(id.clone());
            }
            listed.container.unread = Some(NOT_YET.to_owned());
            self.containers.entry(id.clone()).or_insert(listed);
            fingerprints.insert(id, fingerprint);
        }
        stale.extend(
            self.containers
                .keys()
                .filter(|id| !fingerprints.contains_key(*id))
                .cloned(),
        );
        self.fingerprints = fingerprints;
        stale
    }

    /// Notes that the engine was not followed for a while, so that the next list marks every container as changed.
    pub(crate) fn forget_list(&mut self) {
        self.fingerprints.clear();
    }

    /// Takes a container that the engine can't describe: it stays as it is listed, or as it was known.
    pub(crate) fn take_unread(&mut self, id: &str, listed: Option<ObservedContainer>, reason: &str) {
        self.containers
            .extend(listed.map(|listed| (id.to_owned(), listed)));
        if let Some(known) = self.containers.get_mut(id) {
            known.container.unread = Some(reason.to_owned());
        }
    }

    /// Ids of images that containers run and that are not listed.
    pub(crate) fn missing_images(&self) -> BTreeSet<String> {
        let listed: BTreeSet<_> = self.images.iter().map(|image| image.id.as_str()).collect();
        let run = self.containers.values().map(|seen| &seen.container.image_id);
        run.filter(|id| !listed.contains(id.as_str())).cloned().collect()
    }

    /// Builds the inventory. `own` is the id of the agent's own container, and `pod` that container's pod.
    pub(crate) fn assemble(&self, own: Option<&str>, pod: Option<&Pod>) -> Inventory {
        let attached = neighbors::by_network(&self.networks, &self.containers);
        let placed = |seen: &ObservedContainer| {
            let mut container = seen.container.clone();
            container.is_agent |= own == Some(&container.id);
            container.pod = pod.and_then(|pod| pod.role(&container.id));
            if container.pod == Some(PodRole::Member) {
                // Engines tell no ports of a container in another one's network; its own can be reached all the same.
                container.ports = collapsed(seen.declared.iter().map(PortNumber::unpublished).collect());
            } else if pod.is_some() && container.pod.is_none() {
                container.found_as = neighbors::found_as(&seen.container.id, &self.networks, &attached);
            }
            container
        };
        let mut containers: Vec<Container> = self.containers.values().map(placed).collect();
        containers.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
        let names = |wanted: &dyn Fn(&Container) -> bool| -> Vec<String> {
            containers
                .iter()
                .filter(|container| wanted(container))
                .map(|container| container.name.clone())
                .collect()
        };

        let mut images = self.images.clone();
        users::count(&mut images, &containers);
        images.sort_by(|a, b| (&a.tags, &a.id).cmp(&(&b.tags, &b.id)));
        let mut volumes = self.volumes.clone();
        for volume in &mut volumes {
            volume.used_by = names(&|container| container.volumes.contains(&volume.name));
        }
        volumes.sort_by(|a, b| a.name.cmp(&b.name));
        let mut networks = self.networks.clone();
        for network in &mut networks {
            let here = attached.get(network.id.as_str());
            network.containers = here.iter().flat_map(|here| here.names()).collect();
        }
        networks.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));

        Inventory {
            stacks: self.stacks(),
            containers,
            images,
            volumes,
            networks,
        }
    }

    fn stacks(&self) -> Vec<Stack> {
        let mut stacks: BTreeMap<&str, Stack> = BTreeMap::new();
        let mut folders: BTreeMap<&str, BTreeMap<&str, StackFolder>> = BTreeMap::new();
        for ObservedContainer {
            container,
            config_files,
            folder,
            ..
        } in self.containers.values().filter(|observed| !observed.one_off)
        {
            let Some(name) = container.stack.as_deref() else {
                continue;
            };
            let stack = stacks.entry(name).or_insert_with(|| Stack {
                name: name.to_owned(),
                services: Vec::new(),
                running: 0,
                total: 0,
                unhealthy: 0,
                config_files: Vec::new(),
                folders: Vec::new(),
            });
            stack.services.extend(container.service.clone());
            stack.total += 1;
            stack.running += u32::from(container.state == ContainerState::Running);
            stack.unhealthy += u32::from(container.trouble() == Some(Trouble::Unhealthy));
            add(&mut stack.config_files, config_files);
            if let Some(path) = folder {
                let folder = folders.entry(name).or_default().entry(path);
                let folder = folder.or_insert_with(|| StackFolder {
                    path: path.clone(),
                    services: Vec::new(),
                    config_files: Vec::new(),
                });
                add(&mut folder.services, container.service.as_slice());
                add(&mut folder.config_files, config_files);
            }
        }
        for (name, stack) in &mut stacks {
            stack.services.sort();
            stack.services.dedup();
            let several = folders.remove(name).filter(|folders| folders.len() > 1);
            stack.folders = several.unwrap_or_default().into_values().collect();
        }
        stacks.into_values().collect()
    }
}

/// Adds each value that is new, in order.
fn add(all: &mut Vec<String>, some: &[String]) {
    for one in some {
        if !all.contains(one) {
            all.push(one.clone());
        }
    }
}

/// Whether a container is up: only then it holds its place on a network. Engines say the same.
fn is_up(container: &Container) -> bool {
    use ContainerState::{Paused, Restarting, Running};
    matches!(container.state, Running | Paused | Restarting)
}

#[cfg(test)]
mod tests;
