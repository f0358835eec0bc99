//! Keeps the agent's pod together when its pause container is restarted or replaced.

use crate::{
    action::ActionError,
    connection::Connection,
    engine_errors::explain,
    follow::Engine,
    fuse::Fuse,
    mover::{self, Destination, Move},
    pod::Pod,
    pod_repair::{PodRepair, RepairStep},
    recreate::Pace,
    reports::View,
};
use bollard::query_parameters::RestartContainerOptionsBuilder;
use futures_util::future::join_all;
use std::net::{IpAddr, UdpSocket};

/// The network of this process is gone; the engine will start the process again in the new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("The pause container was restarted; the agent ends to be started again in its new network.")]
pub struct NetworkGone;

impl Engine {
    /// Restarts or moves the members of the agent's pod whenever their pause container changes. Returns when the agent
    /// has to end for that; on most devices, never.
    pub async fn keep_pod(&self) -> NetworkGone {
        let mut views = self.views();
        views.mark_changed();
        let mut repair = PodRepair::default();
        loop {
            if views.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
            let view = views.borrow_and_update().clone();
            let Some((pod, step)) = view.and_then(|view| next_step(&mut repair, view)) else {
                continue;
            };
            if step == RepairStep::RestartAgent && pod.agent_returns {
                return NetworkGone;
            }
            if let Err(error) = self.take(&pod, &step).await {
                tracing::error!(%error, "the pod could not follow its pause container");
                repair.handle_failure(&step);
            }
        }
    }

    async fn take(&self, pod: &Pod, step: &RepairStep) -> Result<(), ActionError> {
        let connection = self.ready().await?;
        let order = |to, members: &[String]| Move {
            to,
            agent: pod.agent.id.clone(),
            members: members.to_vec(),
            stopped: pod.stopped().map(str::to_owned).collect(),
        };
        let fuse = Fuse::default();
        match step {
            RepairStep::RestartAgent => {
                mover::start(&connection, &order(Destination::Again, &[]), &fuse).await
            }
            RepairStep::Rejoin { pause, members } => {
                let order = order(Destination::Pause(pause.clone()), members);
                mover::start(&connection, &order, &fuse).await
            }
            RepairStep::Restart(members) => restart(&connection, members).await,
        }
    }
}

fn next_step(repair: &mut PodRepair, view: View) -> Option<(std::sync::Arc<Pod>, RepairStep)> {
    let (pod, inventory) = (view.pod?, view.inventory?);
    let step = repair.handle_view(&pod, &inventory.containers, is_local)?;
    Some((pod, step))
}

/// Whether an interface of this network has the address: only such an address can be bound.
fn is_local(address: &IpAddr) -> bool {
    UdpSocket::bind((*address, 0)).is_ok()
}

async fn restart(connection: &Connection, members: &[String]) -> Result<(), ActionError> {
    let docker = connection.patient();
    let options = Pace::URGENT
        .stop_seconds
        .map(|seconds| RestartContainerOptionsBuilder::new().t(seconds).build());
    let restarts = members.iter().map(async |id| {
        let done = docker.restart_container(id, options.clone()).await;
        done.map_err(|error| explain(error, id))
    });
    tracing::info!(
        members = members.len(),
        "the pause container was restarted; its members follow"
    );
    join_all(restarts).await.into_iter().collect()
}
