//! Starts the members of a pod that their engine tried to start too early.
//!
//! An engine that is restarted, after a reboot for example, starts its containers in no order that suits pods, and
//! gives up on a member whose pause container does not run yet. The agent may be such a member, so the pause container
//! looks after them, once, as soon as the engine answers.

use crate::{connection::Connection, own::OwnContainer, read::ObservedContainer, socket::Sockets};
use bollard::errors::Error;
use flotilla_protocol::inventory::EngineState;
use futures_util::future::join_all;
use std::{collections::BTreeMap, time::Duration};
use tokio::time::sleep;

/// How often an engine that does not answer yet is asked.
const ASK: Duration = Duration::from_secs(1);

/// Starts the containers that share the network of this process's container, ought to run, and could not be started.
/// Waits for the engine; without its socket there is nothing to do.
pub async fn start_stragglers(sockets: &Sockets, own: &OwnContainer) {
    loop {
        match Connection::open(sockets).await {
            Ok(connection) => {
                if let Err(error) = start(&connection, own).await {
                    tracing::warn!(%error, "members of the pod may not have been started");
                }
                return;
            }
            Err(EngineState::Stopped { .. } | EngineState::Unfit { .. }) => sleep(ASK).await,
            Err(_) => return,
        }
    }
}

async fn start(connection: &Connection, own: &OwnContainer) -> Result<(), Error> {
    let all = connection.survey().await?.containers;
    let seen = connection.containers(all).await?.into_iter();
    let containers: BTreeMap<String, ObservedContainer> =
        seen.filter_map(|(id, seen)| Some((id, seen?))).collect();
    let Some(own) = own.find(&containers).and_then(|own| containers.get(own)) else {
        return Ok(());
    };
    let is_left_behind = |seen: &&ObservedContainer| {
        let is_member = seen.network_of().is_some_and(|of| own.is_called(of));
        is_member && seen.returns && seen.failed_to_start
    };
    let docker = connection.patient();
    let starts = containers.values().filter(is_left_behind).map(async |seen| {
        let container = &seen.container;
        match docker.start_container(&container.id, None).await {
            Ok(()) => tracing::info!(container.name, "a member of the pod was started"),
            Err(error) => tracing::error!(container.name, %error, "a member of the pod could not be started"),
        }
    });
    join_all(starts).await;
    Ok(())
}
