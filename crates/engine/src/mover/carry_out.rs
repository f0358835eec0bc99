//! Carries out a move in the mover's process, which does nothing else.

use super::{Destination, Move, NAME, bind};
use crate::{
    action::ActionError,
    connection::{Connection, inspect, is_not_found},
    engine_errors::explain,
    fuse::Fuse,
    pod::{PAUSE, POD_LABEL, SHARED_PREFIX},
    recreate::{self, Network, NoLedger, Pace, Swap, image},
    socket::Sockets,
};
use bollard::{
    Docker,
    errors::Error,
    models::{
        ContainerCreateBody, ContainerInspectResponse, HostConfig, RestartPolicy, RestartPolicyNameEnum,
    },
    query_parameters::{CreateContainerOptionsBuilder, RemoveContainerOptionsBuilder},
};
use flotilla_protocol::{Timestamp, device::NetworkMode};
use futures_util::future::join_all;
use std::{collections::HashMap, time::Duration};

/// Name of the pause container that is made for an agent.
const PAUSE_CONTAINER: &str = "flotilla-pause";

/// A moved agent has to run for a while before the old one is removed.
const AGENT_PACE: Pace = Pace {
    stop_seconds: None,
    settle: Duration::from_secs(3),
};

/// A container of any age that has an agent's temporary name was made by a mover: only movers recreate agents.
const BEGUN: Timestamp = Timestamp::UNIX_EPOCH;

/// Carries a move out, and returns when it is done. After a crash, it is called with the same order again.
///
/// # Errors
/// [`ActionError::Unavailable`] when the engine can't be asked, and it should be tried again; else why the move was not
/// done: then the agent runs where it did, as far as it can run there.
pub async fn carry_out(sockets: &Sockets, order: &Move) -> Result<(), ActionError> {
    let connection = Connection::open(sockets)
        .await
        .map_err(|state| ActionError::Unavailable(state.reason().unwrap_or_default().to_owned()))?;
    let docker = connection.patient();
    let mover = Mover {
        again: ended_before(&docker).await,
        connection: &connection,
        docker: &docker,
        order,
    };
    match &order.to {
        Destination::Again => docker
            .restart_container(&order.agent, None)
            .await
            .map_err(|error| explain(error, &order.agent)),
        Destination::Pause(id) => mover.rejoin(id).await,
        Destination::Mode(NetworkMode::Pause) => mover.join_pod().await,
        Destination::Mode(NetworkMode::Host) => mover.leave_pod("host").await,
        // A move names a known mode. For any other, bridge is the one that lets nothing in.
        Destination::Mode(NetworkMode::Bridge | NetworkMode::Unknown) => mover.leave_pod("bridge").await,
    }
}

/// Whether this process's container has ended before, so that there may be a move to take up.
async fn ended_before(docker: &Docker) -> bool {
    let state = inspect(docker, NAME).await.ok().and_then(|mover| mover.state);
    let finished: Option<Timestamp> = state.and_then(|state| state.finished_at?.parse().ok());
    // A container that never ended has a date in the year 1.
    finished.is_some_and(|finished| finished > Timestamp::UNIX_EPOCH)
}

struct Mover<'a> {
    again: bool,
    connection: &'a Connection,
    docker: &'a Docker,
    order: &'a Move,
}

impl Mover<'_> {
    /// Moves the agent and all members at once, because each is cut off until it has moved.
    async fn rejoin(&self, pause: &str) -> Result<(), ActionError> {
        let network = Network::OfSuccessor(pause.to_owned());
        let ids = self.order.members.iter().chain([&self.order.agent]);
        let moves = ids.map(async |id| {
            let mut moved = self.exchange(id, &network, Pace::URGENT).await;
            if let Err(ActionError::Interrupted(_)) = moved {
                // It was put back into a network that is gone, so the move is tried again from there.
                moved = self.begin(id, &network, Pace::URGENT).await;
            }
            if let Err(error) = &moved {
                tracing::error!(container.id = id, %error, "a container could not follow its pause container");
            }
            moved
        });
        join_all(moves).await.into_iter().collect()
    }

    async fn join_pod(&self) -> Result<(), ActionError> {
        let (docker, agent) = (self.docker, self.order.agent.as_str());
        let failed = |error| explain(error, agent);
        let answer = match inspect(docker, agent).await {
            Err(error) if self.again && is_not_found(&error) => return Ok(()),
            answer => answer.map_err(failed)?,
        };
        let (pause, made) = match inspect(docker, PAUSE_CONTAINER).await {
            Ok(found) => (found.id.unwrap_or_default(), false),
            Err(error) if is_not_found(&error) => {
                let socket = bind(&answer, &self.connection.socket);
                (make_pause(docker, answer, socket).await.map_err(failed)?, true)
            }
            Err(error) => return Err(failed(error)),
        };
        let moved = match docker.start_container(&pause, None).await {
            Ok(()) => {
                self.exchange(agent, &Network::Of(pause.clone()), AGENT_PACE)
                    .await
            }
            Err(error) => Err(failed(error)),
        };
        if moved.is_err() && (made || self.again) {
            remove_if_idle(self.connection, docker, &pause).await.ok();
        }
        moved
    }

    async fn leave_pod(&self, mode: &str) -> Result<(), ActionError> {
        let (docker, agent) = (self.docker, self.order.agent.as_str());
        let answer = match inspect(docker, agent).await {
            Err(error) if self.again && is_not_found(&error) => None,
            answer => Some(answer.map_err(|error| explain(error, agent))?),
        };
        let network = answer.and_then(|agent| agent.host_config?.network_mode);
        let pause = network.and_then(|mode| mode.strip_prefix(SHARED_PREFIX).map(str::to_owned));
        self.exchange(agent, &Network::Named(mode.to_owned()), AGENT_PACE)
            .await?;
        let pause = pause.unwrap_or_else(|| PAUSE_CONTAINER.to_owned());
        match remove_if_idle(self.connection, docker, &pause).await {
            Err(error) if !is_not_found(&error) => {
                // The agent is where it should be; an idle container that is left over does no harm.
                tracing::warn!(container.id = pause, %error, "the pause container that is no longer needed is still there");
            }
            _ => {}
        }
        Ok(())
    }

    /// Recreates a container, or takes up where an earlier process left off.
    async fn exchange(&self, id: &str, network: &Network, pace: Pace) -> Result<(), ActionError> {
        if !self.again {
            return self.begin(id, network, pace).await;
        }
        let answer = match inspect(self.docker, id).await {
            // The old container is removed last, so without it the exchange is done.
            Err(error) if is_not_found(&error) => return Ok(()),
            answer => answer.map_err(|error| explain(error, id))?,
        };
        let swap = Swap::of(&answer, network.clone(), pace, BEGUN);
        let swap = swap.of_one_that_ran(!self.order.stopped.iter().any(|stopped| stopped == id));
        let ledger = &mut NoLedger(Fuse::of_mover());
        recreate::resume(self.docker, swap, ledger).await.map(drop)
    }

    async fn begin(&self, id: &str, network: &Network, pace: Pace) -> Result<(), ActionError> {
        let swap = Swap::prepare(self.docker, id, network.clone(), pace, BEGUN).await?;
        let ledger = &mut NoLedger(Fuse::of_mover());
        recreate::begin(self.docker, swap, ledger).await.map(drop)
    }
}

/// Removes a pause container that was made for the agent, unless others still use its network.
async fn remove_if_idle(connection: &Connection, docker: &Docker, pause: &str) -> Result<(), Error> {
    let answer = inspect(docker, pause).await?;
    let all = connection.survey().await?.containers;
    let all = connection.containers(all).await?;
    let is_used = all.iter().flat_map(|(_, seen)| seen).any(|seen| {
        let by_id = seen.network_of() == answer.id.as_deref();
        by_id || seen.network_of() == Some(pause)
    });
    if is_used || !is_agents(&answer) {
        return Ok(());
    }
    remove_pause(docker, pause).await
}

fn is_agents(pause: &ContainerInspectResponse) -> bool {
    let labels = pause.config.as_ref().and_then(|config| config.labels.as_ref());
    labels
        .and_then(|labels| labels.get(POD_LABEL))
        .map(String::as_str)
        == Some(PAUSE)
}

/// Creates the pause container. `socket` is its mount of the engine's socket, by which it starts members that the
/// engine could not start.
async fn make_pause(
    docker: &Docker,
    agent: ContainerInspectResponse,
    socket: Option<String>,
) -> Result<String, Error> {
    let image = image(docker, &agent).await;
    let host = agent.host_config.unwrap_or_default();
    let config = agent.config.unwrap_or_default();
    // The image's volumes are for an agent; here they would be left behind without a name.
    let volumes = config.volumes.unwrap_or_default();
    let body = ContainerCreateBody {
        image: Some(image),
        entrypoint: config.entrypoint,
        cmd: Some(vec![PAUSE.to_owned()]),
        labels: Some(HashMap::from([(POD_LABEL.to_owned(), PAUSE.to_owned())])),
        host_config: Some(HostConfig {
            network_mode: Some("bridge".to_owned()),
            restart_policy: Some(RestartPolicy {
                name: Some(RestartPolicyNameEnum::ALWAYS),
                maximum_retry_count: None,
            }),
            binds: socket.map(|socket| vec![socket]),
            readonly_rootfs: Some(true),
            cap_drop: Some(vec!["ALL".to_owned()]),
            security_opt: host.security_opt,
            tmpfs: Some(
                volumes
                    .into_iter()
                    .map(|volume| (volume, String::new()))
                    .collect(),
            ),
            ..HostConfig::default()
        }),
        ..ContainerCreateBody::default()
    };
    let options = CreateContainerOptionsBuilder::new().name(PAUSE_CONTAINER).build();
    Ok(docker.create_container(Some(options), body).await?.id)
}

/// Removes a pause container, with the volume that its image asks for.
async fn remove_pause(docker: &Docker, id: &str) -> Result<(), Error> {
    let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
    docker.remove_container(id, Some(options)).await
}
