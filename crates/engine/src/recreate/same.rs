//! A container as it is, in the words in which another one just like it is asked for.

use crate::attachment::{Attachment, BEFORE_POD, Garbled};
use bollard::models::{
    ContainerConfig, ContainerCreateBody, ContainerInspectResponse, EndpointSettings, HostConfig, MountPoint,
    MountType,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Where a container is to be made anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Network {
    /// In the network of the container with this id, with the present one to come back to.
    Of(String),
    /// The same for a container whose network was that of another one, which is gone.
    OfSuccessor(String),
    /// Where it was before it came into a pod.
    Before,
    /// In a network of the engine's own, `host` or `bridge`.
    Named(String),
}

/// The same container in another network, and the networks to connect it to before it starts.
///
/// # Errors
/// It is to go back to where it was, and what says where that was can't be read. Where there is another way on, that
/// is taken: a pod that moves has to move.
pub(super) fn same(
    answer: ContainerInspectResponse,
    image: String,
    network: &Network,
) -> Result<(ContainerCreateBody, BTreeMap<String, EndpointSettings>), Garbled> {
    let now = Attachment::of(&answer);
    let before = Attachment::remembered(&answer);
    let mounts = answer.mounts.unwrap_or_default();
    let host = host_config(answer.host_config.unwrap_or_default(), &mounts);
    let mut body = from_config(answer.config.unwrap_or_default(), host);
    body.image = Some(image);
    let labels = body.labels.get_or_insert_default();
    labels.remove(BEFORE_POD);
    let attachment = match network {
        Network::Of(id) => {
            labels.insert(BEFORE_POD.to_owned(), now.to_label());
            Attachment::shared(id)
        }
        Network::OfSuccessor(id) => {
            let before = before.ok().flatten();
            labels.extend(before.map(|before| (BEFORE_POD.to_owned(), before.to_label())));
            Attachment::shared(id)
        }
        Network::Before => before?.unwrap_or_else(|| Attachment::named("bridge")),
        Network::Named(mode) => before
            .ok()
            .flatten()
            .filter(|before| before.mode() == mode)
            .unwrap_or_else(|| Attachment::named(mode)),
    };
    let later = attachment.apply(&mut body);
    Ok((body, later))
}

fn from_config(config: ContainerConfig, host: HostConfig) -> ContainerCreateBody {
    ContainerCreateBody {
        hostname: None,
        domainname: None,
        user: config.user,
        attach_stdin: config.attach_stdin,
        attach_stdout: config.attach_stdout,
        attach_stderr: config.attach_stderr,
        exposed_ports: None,
        tty: config.tty,
        open_stdin: config.open_stdin,
        stdin_once: config.stdin_once,
        env: config.env,
        cmd: config.cmd,
        healthcheck: config.healthcheck,
        args_escaped: config.args_escaped,
        image: config.image,
        volumes: config.volumes,
        working_dir: config.working_dir,
        entrypoint: config.entrypoint,
        network_disabled: config.network_disabled,
        on_build: config.on_build,
        labels: config.labels,
        stop_signal: config.stop_signal,
        stop_timeout: config.stop_timeout,
        shell: config.shell,
        host_config: Some(host),
        networking_config: None,
    }
}

/// Volumes without a name, and what came from other containers, are named: a new container would get empty ones.
fn host_config(mut host: HostConfig, mounts: &[MountPoint]) -> HostConfig {
    let at = |destination: &str| {
        mounts
            .iter()
            .find(|mount| mount.destination.as_deref() == Some(destination))
    };
    let mut named = BTreeSet::new();
    for bind in host.binds.iter().flatten() {
        named.extend(bind.split(':').nth(1).map(str::to_owned));
    }
    for mount in host.mounts.iter_mut().flatten() {
        let target = mount.target.clone().unwrap_or_default();
        let nameless = mount.source.as_deref().is_none_or(str::is_empty);
        if mount.typ == Some(MountType::VOLUME) && nameless {
            mount.source = at(&target).and_then(|found| found.name.clone());
        }
        named.insert(target);
    }
    named.extend(
        host.tmpfs
            .iter()
            .flatten()
            .map(|(destination, _)| destination.clone()),
    );
    let unnamed = mounts.iter().filter(|mount| {
        mount
            .destination
            .as_ref()
            .is_some_and(|point| !named.contains(point))
    });
    host.binds
        .get_or_insert_default()
        .extend(unnamed.filter_map(bind));
    host.volumes_from = None;
    // Where the engine wrote the id of the old one.
    host.container_id_file = None;
    // Podman shows these in a way that it does not take.
    host.memory_swappiness = host.memory_swappiness.filter(|value| *value >= 0);
    for limit in host.ulimits.iter_mut().flatten() {
        let name = limit
            .name
            .as_deref()
            .and_then(|name| name.strip_prefix("RLIMIT_"));
        limit.name = name.map(str::to_lowercase).or_else(|| limit.name.clone());
    }
    for device in host.devices.iter_mut().flatten() {
        device.cgroup_permissions = device.cgroup_permissions.take().filter(|given| !given.is_empty());
        device.cgroup_permissions.get_or_insert_with(|| "rwm".to_owned());
    }
    host
}

fn bind(mount: &MountPoint) -> Option<String> {
    let source = match mount.typ.as_deref()? {
        "volume" => mount.name.as_deref()?,
        "bind" => mount.source.as_deref()?,
        _ => return None,
    };
    let destination = mount.destination.as_deref()?;
    let access = if mount.rw == Some(false) { ":ro" } else { "" };
    Some(format!("{source}:{destination}{access}"))
}

#[cfg(test)]
#[path = "same/tests.rs"]
mod tests;
