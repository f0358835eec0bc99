//! What a pod needs after its pause container changed: a state machine over views of the pod.
//!
//! A pause container that is *restarted* gets a new network; its members stay in the old one, which leads nowhere,
//! until they are restarted. The agent goes first: its engine starts it, and then it looks after the others, so nothing
//! is lost when it ends in between. A pause container that is *recreated* is another container, so its members have to
//! be recreated, too. When it is removed for good, nothing is done.

use crate::pod::{Pause, Pod};
use flotilla_protocol::{
    Timestamp,
    inventory::{Container, ContainerState},
};
use std::{collections::BTreeSet, net::IpAddr};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RepairStep {
    /// The agent is in a network that is gone, and has to be started again.
    RestartAgent,
    /// These members, by id, are in a network that is gone, and have to be restarted.
    Restart(Vec<String>),
    /// The pause container was replaced by the one with this id; the agent and these members have to join it.
    Rejoin { pause: String, members: Vec<String> },
}

#[derive(Debug, Default)]
pub(crate) struct PodRepair {
    /// The pause container's name, by which its successor is recognized.
    name: Option<String>,
    /// When the pause container had started whose network the agent is in.
    came_to: Option<Timestamp>,
    /// Members that were restarted, with the start of the pause container that led to it. Each is restarted at most
    /// once for one start, because clocks may run backward.
    restarted: BTreeSet<(String, Timestamp)>,
    /// The successor to which all members were sent.
    rejoining: Option<String>,
}

impl PodRepair {
    /// The step that a view calls for. `is_local` tells whether an address is one of the network that the agent is in.
    pub(crate) fn handle_view(
        &mut self,
        pod: &Pod,
        containers: &[Container],
        is_local: impl Fn(&IpAddr) -> bool,
    ) -> Option<RepairStep> {
        match &pod.pause {
            Some(pause) => {
                self.name = Some(pause.name.clone());
                if pause.running {
                    self.follow_restart(pod, pause, is_local)
                } else {
                    None
                }
            }
            None => self.follow_successor(pod, containers),
        }
    }

    /// Notes that a step failed, so it may be due again.
    pub(crate) fn handle_failure(&mut self, step: &RepairStep) {
        if let RepairStep::Rejoin { .. } = step {
            self.rejoining = None;
        }
    }

    fn follow_restart(
        &mut self,
        pod: &Pod,
        pause: &Pause,
        is_local: impl Fn(&IpAddr) -> bool,
    ) -> Option<RepairStep> {
        let came_to = *self.came_to.get_or_insert(pause.started?);
        // Both have to agree: an agent that ended for a wrong reason would end again and again.
        let elsewhere = !pause.addresses.is_empty() && !pause.addresses.iter().any(is_local);
        let is_behind = elsewhere && pod.agent.started < pause.started;
        if is_behind || pause.started != Some(came_to) {
            return Some(RepairStep::RestartAgent);
        }
        let behind = pod
            .members
            .iter()
            .filter(|member| member.running && member.started.is_some_and(|started| started < came_to));
        let due: Vec<_> = behind
            .map(|member| member.id.clone())
            .filter(|id| self.restarted.insert((id.clone(), came_to)))
            .collect();
        (!due.is_empty()).then_some(RepairStep::Restart(due))
    }

    fn follow_successor(&mut self, pod: &Pod, containers: &[Container]) -> Option<RepairStep> {
        let name = self.name.as_ref()?;
        let successor = containers
            .iter()
            .find(|container| &container.name == name && container.state == ContainerState::Running)?;
        if self.rejoining.as_ref() == Some(&successor.id) {
            return None;
        }
        self.rejoining = Some(successor.id.clone());
        Some(RepairStep::Rejoin {
            pause: successor.id.clone(),
            members: pod.members.iter().map(|member| member.id.clone()).collect(),
        })
    }
}

#[cfg(test)]
mod tests;
