//! A move as the mover carries it out. It has no task but this one, and ends with it.

use super::{Destination, Move, bind};
use crate::{
    action::{ActionError, explain},
    connection::{Connection, inspect, is_not_found},
    pod::{PAUSE, POD_LABEL, SHARED},
    recreate::{Network, Pace, image, recreate},
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
use flotilla_protocol::device::NetworkMode;
use futures_util::future::join_all;
use std::{collections::HashMap, time::Duration};

/// Name of the pause container that is made for an agent.
const PAUSE_CONTAINER: &str = "flotilla-pause";

/// An agent that was moved has to run for a while before the old one is given up.
const AGENT_PACE: Pace = Pace {
    stop_seconds: None,
    settle: Duration::from_secs(3),
};

/// Carries a move out, and returns when it is done.
///
/// # Errors
/// The engine's own reason; the agent runs where it did, as far as it can run there.
pub async fn carry_out(sockets: &Sockets, order: &Move) -> Result<(), ActionError> {
    let connection = Connection::open(sockets)
        .await
        .map_err(|state| ActionError::Unavailable(state.reason().unwrap_or_default().to_owned()))?;
    let docker = connection.patient();
    match &order.to {
        Destination::Again => docker
            .restart_container(&order.agent, None)
            .await
            .map_err(|error| explain(error, &order.agent)),
        Destination::Pause(id) => rejoin(&docker, order, id).await,
        Destination::Mode(NetworkMode::Pause) => into_pod(&connection, &docker, &order.agent).await,
        Destination::Mode(NetworkMode::Host) => out_of_pod(&connection, &docker, &order.agent, "host").await,
        Destination::Mode(NetworkMode::Bridge) => {
            out_of_pod(&connection, &docker, &order.agent, "bridge").await
        }
    }
}

/// All at once: each of them is cut off until it is there.
async fn rejoin(docker: &Docker, order: &Move, pause: &str) -> Result<(), ActionError> {
    let network = Network::OfSuccessor(pause.to_owned());
    let everybody = order.members.iter().chain([&order.agent]);
    let moves = everybody.map(async |id| {
        let moved = recreate(docker, id, &network, Pace::URGENT).await;
        if let Err(error) = &moved {
            tracing::error!(container.id = id, %error, "a container could not follow its pause container");
        }
        moved
    });
    let outcomes = join_all(moves).await;
    outcomes.into_iter().try_for_each(|moved| moved.map(drop))
}

async fn into_pod(connection: &Connection, docker: &Docker, agent: &str) -> Result<(), ActionError> {
    let failed = |error| explain(error, agent);
    let answer = inspect(docker, agent).await.map_err(failed)?;
    let (pause, made) = match inspect(docker, PAUSE_CONTAINER).await {
        Ok(found) => (found.id.unwrap_or_default(), false),
        Err(error) if is_not_found(&error) => {
            let socket = bind(&answer, &connection.socket);
            (make_pause(docker, answer, socket).await.map_err(failed)?, true)
        }
        Err(error) => return Err(failed(error)),
    };
    let started = docker.start_container(&pause, None).await.map_err(failed);
    let moved = match started {
        Ok(()) => recreate(docker, agent, &Network::Of(pause.clone()), AGENT_PACE).await,
        Err(error) => Err(error),
    };
    if moved.is_err() && made {
        remove_pause(docker, &pause).await.ok();
    }
    moved.map(drop)
}

async fn out_of_pod(
    connection: &Connection,
    docker: &Docker,
    agent: &str,
    mode: &'static str,
) -> Result<(), ActionError> {
    let answer = inspect(docker, agent)
        .await
        .map_err(|error| explain(error, agent))?;
    let pause = answer
        .host_config
        .and_then(|host| host.network_mode)
        .and_then(|mode| mode.strip_prefix(SHARED).map(str::to_owned));
    recreate(docker, agent, &Network::Named(mode), AGENT_PACE).await?;
    let Some(pause) = pause else { return Ok(()) };
    // The agent is where it should be; an idle container that is left over does no harm.
    if let Err(error) = remove_if_idle(connection, docker, &pause).await {
        tracing::warn!(container.id = pause, %error, "the pause container that is no longer needed is still there");
    }
    Ok(())
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

/// `socket` is how it reaches the engine, for members that the engine could not start.
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

/// With the volume that its image asks for.
async fn remove_pause(docker: &Docker, id: &str) -> Result<(), Error> {
    let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
    docker.remove_container(id, Some(options)).await
}
