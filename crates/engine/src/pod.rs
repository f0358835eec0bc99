//! The pod of the agent: the containers that share the network of one pause container with it.

use crate::read::ObservedContainer;
use flotilla_protocol::{Timestamp, inventory::ContainerState, inventory::PodRole};
use std::{collections::BTreeMap, net::IpAddr};

/// Label of a pause container that was made for an agent.
pub(crate) const POD_LABEL: &str = "io.flotilla.pod";
/// The label's value.
pub(crate) const PAUSE: &str = "pause";

/// What precedes the id in the network mode of a container that shares another one's network.
pub(crate) const SHARED_PREFIX: &str = "container:";

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pod {
    pub(crate) agent: Member,
    /// Whether the engine starts the agent again when it ends.
    pub(crate) agent_returns: bool,
    /// `None` when it was removed: the members are then in a network that leads nowhere.
    pub(crate) pause: Option<Pause>,
    /// The other members, by id.
    pub(crate) members: Vec<Member>,
}

/// The container that holds the pod's network.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pause {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) running: bool,
    pub(crate) started: Option<Timestamp>,
    /// Its addresses on the engine's networks; empty while it does not run.
    pub(crate) addresses: Vec<IpAddr>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Member {
    pub(crate) id: String,
    pub(crate) running: bool,
    pub(crate) started: Option<Timestamp>,
}

impl Pod {
    /// The pod around the agent's container; `None` when that has a network of its own.
    pub(crate) fn around(agent: &str, containers: &BTreeMap<String, ObservedContainer>) -> Option<Self> {
        let own = containers.get(agent)?;
        let shared = own.network_of()?;
        let pause = containers.values().find(|seen| seen.is_called(shared));
        let shares = |seen: &&ObservedContainer| {
            seen.network_of()
                .is_some_and(|of| of == shared || pause.is_some_and(|pause| pause.is_called(of)))
        };
        Some(Self {
            agent: Member::of(own),
            agent_returns: own.returns,
            pause: pause.map(Pause::of),
            members: containers
                .values()
                .filter(shares)
                .filter(|seen| seen.container.id != agent)
                .map(Member::of)
                .collect(),
        })
    }

    pub(crate) fn role(&self, id: &str) -> Option<PodRole> {
        if self.is_pause(id) {
            return Some(PodRole::Pause);
        }
        let is_member = self.agent.id == id || self.members.iter().any(|member| member.id == id);
        is_member.then_some(PodRole::Member)
    }

    /// Ids of the members that do not run.
    pub(crate) fn stopped(&self) -> impl Iterator<Item = &str> {
        let stopped = self.members.iter().filter(|member| !member.running);
        stopped.map(|member| member.id.as_str())
    }

    pub(crate) fn is_pause(&self, id: &str) -> bool {
        self.pause.as_ref().is_some_and(|pause| pause.id == id)
    }
}

impl Pause {
    fn of(seen: &ObservedContainer) -> Self {
        let container = &seen.container;
        Self {
            id: container.id.clone(),
            name: container.name.clone(),
            running: is_running(seen),
            started: container.started,
            addresses: seen.addresses.clone(),
        }
    }
}

impl Member {
    fn of(seen: &ObservedContainer) -> Self {
        let container = &seen.container;
        Self {
            id: container.id.clone(),
            running: is_running(seen),
            started: container.started,
        }
    }
}

fn is_running(seen: &ObservedContainer) -> bool {
    seen.container.state == ContainerState::Running
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read;
    use serde_json::{Value, json};

    fn containers(answers: &[Value]) -> BTreeMap<String, ObservedContainer> {
        let seen = answers
            .iter()
            .map(|answer| read::container(serde_json::from_value(answer.clone()).unwrap()));
        seen.map(|seen| (seen.container.id.clone(), seen)).collect()
    }

    fn answer(id: &str, network: &str) -> Value {
        json!({"Id": id, "Name": format!("/{id}-name"), "State": {"Status": "running"}, "HostConfig": {"NetworkMode": network}})
    }

    #[test]
    fn members_are_those_that_share_the_network_of_the_same_container() {
        let all = containers(&[
            answer("p", "bridge"),
            answer("agent", "container:p"),
            answer("app", "container:p-name"),
            answer("alien", "container:q"),
            answer("free", "bridge"),
        ]);
        let pod = Pod::around("agent", &all).unwrap();
        let roles: Vec<_> = all.keys().map(|id| (id.as_str(), pod.role(id))).collect();
        assert_eq!(
            roles,
            [
                ("agent", Some(PodRole::Member)),
                ("alien", None),
                ("app", Some(PodRole::Member)),
                ("free", None),
                ("p", Some(PodRole::Pause)),
            ]
        );
    }

    #[test]
    fn a_pod_outlives_its_pause_container() {
        let all = containers(&[answer("agent", "container:p"), answer("app", "container:p")]);
        let pod = Pod::around("agent", &all).unwrap();
        assert_eq!((pod.pause.is_none(), pod.members.len()), (true, 1));
    }

    #[test]
    fn an_agent_with_a_network_of_its_own_has_no_pod() {
        let all = containers(&[answer("agent", "host"), answer("app", "container:agent")]);
        assert_eq!(Pod::around("agent", &all), None);
    }
}
