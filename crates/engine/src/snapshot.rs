//! What was last read from the engine, and the inventory that follows from it.
//!
//! Which containers use an image, mount a volume, join a network or form a stack is not asked of the engine:
//! it follows from the containers, so it can never disagree with them.

use crate::{pod::Pod, ports::PortNumber, read::Observed};
use flotilla_protocol::inventory::{
    Container, ContainerState, Image, Inventory, Network, PodRole, Stack, Trouble, Volume,
};
use std::collections::BTreeMap;

#[derive(Debug, Default)]
pub(crate) struct Snapshot {
    /// By id.
    pub(crate) containers: BTreeMap<String, Observed>,
    pub(crate) images: Vec<Image>,
    pub(crate) volumes: Vec<Volume>,
    pub(crate) networks: Vec<Network>,
}

impl Snapshot {
    /// This container runs an image that is not listed, so the list of images is out of date.
    pub(crate) fn misses_image_of(&self, container: &Container) -> bool {
        !self.images.iter().any(|image| image.id == container.image_id)
    }

    /// `own` is the id of the agent's own container, and `pod` the one that it is in.
    pub(crate) fn assemble(&self, own: Option<&str>, pod: Option<&Pod>) -> Inventory {
        let placed = |seen: &Observed| {
            let mut container = seen.container.clone();
            container.is_agent |= own == Some(&container.id);
            container.pod = pod.and_then(|pod| pod.role(&container.id));
            if container.pod == Some(PodRole::Member) {
                // Engines tell no ports of what shares another container's network; its own are reached all the same.
                container.ports = seen.declared.iter().map(PortNumber::unpublished).collect();
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
        for image in &mut images {
            let users = containers
                .iter()
                .filter(|container| container.image_id == image.id)
                .count();
            image.used_by = users.try_into().unwrap_or(u32::MAX);
        }
        images.sort_by(|a, b| (&a.tags, &a.id).cmp(&(&b.tags, &b.id)));
        let mut volumes = self.volumes.clone();
        for volume in &mut volumes {
            volume.used_by = names(&|container| container.volumes.contains(&volume.name));
        }
        volumes.sort_by(|a, b| a.name.cmp(&b.name));
        let mut networks = self.networks.clone();
        for network in &mut networks {
            network.containers =
                names(&|container| is_up(container) && container.networks.contains(&network.name));
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
        for Observed {
            container,
            config_files,
            ..
        } in self.containers.values().filter(|observed| !observed.one_off)
        {
            let Some(name) = &container.stack else { continue };
            let stack = stacks.entry(name).or_insert_with(|| Stack {
                name: name.clone(),
                services: Vec::new(),
                running: 0,
                total: 0,
                unhealthy: 0,
                config_files: Vec::new(),
            });
            stack.services.extend(container.service.clone());
            stack.total += 1;
            stack.running += u32::from(container.state == ContainerState::Running);
            stack.unhealthy += u32::from(container.trouble() == Some(Trouble::Unhealthy));
            for file in config_files {
                if !stack.config_files.contains(file) {
                    stack.config_files.push(file.clone());
                }
            }
        }
        for stack in stacks.values_mut() {
            stack.services.sort();
            stack.services.dedup();
        }
        stacks.into_values().collect()
    }
}

/// Only a container that is up holds its place on a network; the engine says the same.
fn is_up(container: &Container) -> bool {
    use ContainerState::{Paused, Restarting, Running};
    matches!(container.state, Running | Paused | Restarting)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read;

    fn snapshot(containers: &[serde_json::Value]) -> Snapshot {
        let observed = containers.iter().map(|json| {
            let seen = read::container(serde_json::from_value(json.clone()).unwrap());
            (seen.container.id.clone(), seen)
        });
        Snapshot {
            containers: observed.collect(),
            ..Snapshot::default()
        }
    }

    fn service(id: &str, service: &str, status: &str, one_off: &str) -> serde_json::Value {
        serde_json::json!({
            "Id": id, "Name": format!("/media-{service}-{id}"), "Image": "sha256:aa",
            "State": {"Status": status, "Health": {"Status": if service == "db" { "unhealthy" } else { "none" }}},
            "Config": {"Labels": {"com.docker.compose.project": "media", "com.docker.compose.service": service, "com.docker.compose.oneoff": one_off,
                "com.docker.compose.project.config_files": "/srv/compose.yaml"}},
            "Mounts": [{"Type": "volume", "Name": "pg"}], "NetworkSettings": {"Networks": {"media_default": {}}}
        })
    }

    #[test]
    fn a_stack_counts_its_instances_and_not_its_one_off_runs() {
        let snapshot = snapshot(&[
            service("1", "web", "running", "False"),
            service("2", "web", "exited", "False"),
            service("3", "db", "running", "False"),
            service("4", "db", "running", "True"),
        ]);
        let stacks = snapshot.assemble(None, None).stacks;
        assert_eq!(stacks.len(), 1);
        assert_eq!(
            (stacks[0].total, stacks[0].running, stacks[0].unhealthy),
            (3, 2, 1)
        );
        assert_eq!(
            (&stacks[0].services, &stacks[0].config_files),
            (
                &vec!["db".into(), "web".into()],
                &vec!["/srv/compose.yaml".to_owned()]
            )
        );
    }

    #[test]
    fn a_member_of_a_pod_has_the_ports_that_it_declares() {
        let answer = |id: &str, network: &str| {
            serde_json::json!({
                "Id": id, "Name": format!("/{id}"), "State": {"Status": "running"},
                "HostConfig": {"NetworkMode": network}, "Config": {"ExposedPorts": {"80/tcp": {}, "53/udp": {}}}
            })
        };
        let snapshot = snapshot(&[
            answer("pause", "bridge"),
            answer("agent", "container:pause"),
            answer("web", "container:pause"),
        ]);
        let pod = Pod::around("agent", &snapshot.containers);
        let ports = |pod: Option<&Pod>| {
            let containers = snapshot.assemble(Some("agent"), pod).containers;
            let web = containers.into_iter().find(|container| container.name == "web");
            web.unwrap().ports
        };
        let words: Vec<_> = ports(pod.as_ref())
            .iter()
            .map(|port| (port.private, port.protocol.clone(), port.public))
            .collect();
        assert_eq!(
            words,
            [(53, "udp".to_owned(), None), (80, "tcp".to_owned(), None)]
        );
        assert_eq!(ports(None), [], "elsewhere the engine knows better");
    }

    #[test]
    fn users_of_images_volumes_and_networks_follow_from_the_containers() {
        let mut snapshot = snapshot(&[
            service("1", "web", "running", "False"),
            service("2", "web", "exited", "False"),
        ]);
        let web = snapshot.containers["1"].container.clone();
        assert!(snapshot.misses_image_of(&web));
        snapshot.images = vec![read::image(bollard::models::ImageSummary {
            id: "sha256:aa".into(),
            ..Default::default()
        })];
        assert!(!snapshot.misses_image_of(&web));
        snapshot.volumes = vec![read::volume(bollard::models::Volume {
            name: "pg".into(),
            ..Default::default()
        })];
        snapshot.networks = vec![read::network(bollard::models::Network {
            name: Some("media_default".into()),
            ..Default::default()
        })];
        let inventory = snapshot.assemble(None, None);
        assert_eq!(inventory.images[0].used_by, 2);
        assert_eq!(inventory.volumes[0].used_by, ["media-web-1", "media-web-2"]);
        assert_eq!(inventory.networks[0].containers, ["media-web-1"]);
    }
}
