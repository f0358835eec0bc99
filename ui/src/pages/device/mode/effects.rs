//! What another network mode changes about which addresses can be reached, as far as this page knows.

use crate::{copy::mode as copy, pages::containers::pod::addresses};
use flotilla_policy::{Subject, selects};
use flotilla_protocol::{
    device::{Device, NetworkMode},
    inventory::{Container, ContainerState, EngineState, PodRole, numbers},
    policy::{Ports, Proto, Rule},
};
use std::ops::RangeInclusive;

/// At most this many containers are listed by name.
const LISTED: usize = 5;

/// The effects of a change of mode, in sentences.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Effects {
    /// What other devices can reach now, and cannot reach afterwards.
    pub(super) stops: Vec<String>,
    /// What other devices can reach afterwards.
    pub(super) opens: Vec<String>,
    pub(super) notes: Vec<String>,
}

/// The effects of another mode. Without `rules` the policy is unknown, and every port counts as allowed.
pub(super) fn effects(
    device: &Device,
    to: NetworkMode,
    containers: &[&Container],
    rules: Option<&[Rule]>,
) -> Effects {
    let mut effects = Effects::default();
    if to == device.mode {
        return effects;
    }
    let rules = rules.map(|rules| leading_to(device, rules));
    let reached = |mode| reached(device, mode, containers, rules.as_deref());
    if !lets_nothing_in(device, device.mode) {
        effects.stops = reached(device.mode);
    }
    if !lets_nothing_in(device, to) {
        effects.opens = reached(to);
    }
    effects.notes = notes(device, to, containers, rules.as_deref());
    effects
}

/// Whether a mode lets nothing in, independent of rules.
fn lets_nothing_in(device: &Device, mode: NetworkMode) -> bool {
    mode == NetworkMode::Bridge || mode == NetworkMode::Host && is_in_machine(device) && !device.host_kept
}

/// Whether the agent is a container of Docker Desktop, whose host is a virtual machine.
fn is_in_machine(device: &Device) -> bool {
    let is_desktop = matches!(&device.engine, Some(EngineState::Running(engine)) if engine.docker_desktop);
    is_desktop && device.facts.as_ref().is_some_and(|facts| facts.containerized)
}

/// The enabled rules whose targets include the device.
fn leading_to<'a>(device: &Device, rules: &'a [Rule]) -> Vec<&'a Rule> {
    let subject = Subject::of(device);
    let leads = |rule: &&Rule| rule.enabled && rule.to.iter().any(|selector| selects(selector, &subject));
    rules.iter().filter(leads).collect()
}

/// What other devices can reach in a mode: the containers of the pod, or published ports and the services of the
/// device.
fn reached(
    device: &Device,
    mode: NetworkMode,
    containers: &[&Container],
    rules: Option<&[&Rule]>,
) -> Vec<String> {
    if rules.is_some_and(<[_]>::is_empty) {
        return Vec::new();
    }
    let mut found = Vec::new();
    let allowed = |ports: &RangeInclusive<u16>, protocol: &str| {
        rules.is_none_or(|rules| allows(rules, ports, protocol))
    };
    for container in containers.iter().filter(|container| is_up(container)) {
        let own = addresses(device.mesh_ip, container).into_iter();
        let places: Vec<String> = match mode {
            NetworkMode::Pause if container.pod.is_some() => own
                .filter(|address| allowed(&(address.port..=address.last), &address.protocol))
                .map(|address| address.words())
                .collect(),
            NetworkMode::Host => published(container)
                .filter(|(ports, protocol)| allowed(ports, protocol))
                .map(|(ports, _)| format!("{}:{}", device.mesh_ip, numbers(&ports)))
                .collect(),
            NetworkMode::Pause | NetworkMode::Bridge | NetworkMode::Unknown => Vec::new(),
        };
        if !places.is_empty() {
            found.push(copy::at(&container.name, &places));
        }
    }
    if found.len() > LISTED {
        let more = found.split_off(LISTED).len();
        found.push(copy::and_more(more));
    }
    if mode == NetworkMode::Host {
        found.push(copy::services(device.name.as_str()));
    }
    found
}

fn is_up(container: &Container) -> bool {
    matches!(
        container.state,
        ContainerState::Running | ContainerState::Paused | ContainerState::Restarting
    )
}

/// Published ports, each once: an engine publishes a port for IPv4 and for IPv6.
fn published(container: &Container) -> impl Iterator<Item = (RangeInclusive<u16>, &str)> {
    let ports = container.ports.iter();
    let mut ports: Vec<_> = ports
        .filter_map(|port| Some((port.outside()?, port.protocol.as_str())))
        .collect();
    ports.sort_unstable_by_key(|(ports, protocol)| (*ports.start(), *ports.end(), *protocol));
    ports.dedup();
    ports.into_iter()
}

/// Whether a rule allows at least one of these ports.
fn allows(rules: &[&Rule], ports: &RangeInclusive<u16>, protocol: &str) -> bool {
    rules.iter().any(|rule| {
        let same = rule.proto == Proto::Any || rule.proto.as_str() == protocol;
        same && match &rule.ports {
            Ports::Any => true,
            Ports::Only(ranges) => ranges
                .iter()
                .any(|range| ports.clone().any(|port| range.contains(port))),
        }
    })
}

fn notes(
    device: &Device,
    to: NetworkMode,
    containers: &[&Container],
    rules: Option<&[&Rule]>,
) -> Vec<String> {
    let mut notes = Vec::new();
    let name = device.name.as_str();
    match rules {
        Some([]) => notes.push(copy::no_rule(name)),
        Some(rules) if to == NetworkMode::Bridge => {
            let names: Vec<_> = rules.iter().map(|rule| rule.name.clone()).collect();
            notes.push(copy::without_effect(&names));
        }
        _ => {}
    }
    if device.mode == NetworkMode::Pause {
        let own = containers
            .iter()
            .filter(|own| own.pod == Some(PodRole::Member) && !own.is_agent);
        let members: Vec<_> = own.map(|container| container.name.clone()).collect();
        if !members.is_empty() {
            notes.push(copy::pod_ends(&members));
        }
    }
    if to == NetworkMode::Pause {
        notes.push(copy::POD_BEGINS.to_owned());
    }
    if to == NetworkMode::Host && is_in_machine(device) {
        notes.push(copy::IN_MACHINE.to_owned());
    }
    notes.push(copy::stays(name));
    notes
}

#[cfg(test)]
mod tests;
