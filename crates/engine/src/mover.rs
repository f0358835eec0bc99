//! Moving the agent's own container into another network.
//!
//! The process that does this must outlive the agent, so it runs in a container of its own, the mover: the agent's
//! image again, with the engine's socket and nothing else. It puts the old agent back when the new one does not start.
//! When it is killed, its engine starts it again, and it takes up what it finds. When it has ended, the agent that then
//! runs reads its result and removes it.

mod carry_out;
mod result;

pub use carry_out::carry_out;

use crate::{
    AGENT_LABEL,
    action::ActionError,
    connection::{Connection, inspect},
    engine_errors::explain,
    follow::Engine,
    fuse::Fuse,
    recreate::{image, is_conflict, remove},
};
use bollard::{
    Docker,
    models::{
        ContainerCreateBody, ContainerInspectResponse, ContainerStateStatusEnum as Status, HostConfig,
        RestartPolicy, RestartPolicyNameEnum,
    },
    query_parameters::CreateContainerOptionsBuilder,
};
use flotilla_protocol::device::NetworkMode;
use std::{collections::HashMap, path::Path, str::FromStr, time::Duration};
use tokio::time::{Instant, sleep};

/// Name of the mover's container; it admits one move at a time on each engine.
const NAME: &str = "flotilla-agent-mover";

/// How long an earlier move may take to end.
const EARLIER_MOVE: Duration = Duration::from_secs(12);
/// How often an engine starts a mover again: enough for one that is killed at every step.
const STARTS: i64 = 30;

const LOOK_INTERVAL: Duration = Duration::from_millis(200);

/// Where an agent is to be moved.
#[derive(Debug, Clone, PartialEq, Eq, derive_more::Display)]
pub enum Destination {
    /// Into the network of a mode; the pause container is made or removed with it.
    #[display("{_0}")]
    Mode(NetworkMode),
    /// Into the network of the pause container with this id, which took the place of another.
    #[display("{PAUSE_ID}{_0}")]
    Pause(String),
    /// Into the same place: the agent is only started again.
    #[display("{AGAIN}")]
    Again,
}

/// A move, as the mover is told it by its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    pub to: Destination,
    /// Id of the agent's container.
    pub agent: String,
    /// Ids of containers that go with it.
    pub members: Vec<String>,
    /// Those of `members` that do not run and are not to be started.
    pub stopped: Vec<String>,
}

const PAUSE_ID: &str = "pause:";
const AGAIN: &str = "again";

/// A text that names no destination.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("say host, bridge, pause, pause:ID or again")]
pub struct NoDestination;

impl FromStr for Destination {
    type Err = NoDestination;

    fn from_str(text: &str) -> Result<Self, NoDestination> {
        if text == AGAIN {
            return Ok(Self::Again);
        }
        if let Some(id) = text.strip_prefix(PAUSE_ID).filter(|id| !id.is_empty()) {
            return Ok(Self::Pause(id.to_owned()));
        }
        text.parse().map(Self::Mode).map_err(|_| NoDestination)
    }
}

impl Move {
    /// The arguments with which `flotilla-agent` carries it out.
    fn arguments(&self) -> Vec<String> {
        let words = ["move", "--to"].map(str::to_owned).into_iter();
        let stopped = self.stopped.iter().map(|id| format!("--stopped={id}"));
        words
            .chain([self.to.to_string()])
            .chain(stopped)
            .chain([self.agent.clone()])
            .chain(self.members.iter().cloned())
            .collect()
    }
}

/// How a call to move began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MoveStart {
    /// The agent is already where it should be.
    AlreadyThere,
    /// The mover has started; it stops the agent.
    Moving,
}

impl Engine {
    /// Moves the agent into the network of another mode. Returns when the move has begun.
    ///
    /// # Errors
    /// See [`ActionError`]; then nothing happens.
    pub async fn change_mode(&self, mode: NetworkMode, fuse: &Fuse) -> Result<MoveStart, ActionError> {
        let connection = self.ready().await?;
        let agent = self.view().and_then(|view| view.own);
        let agent = agent.ok_or(ActionError::NotContained)?;
        if self.present_mode() == Some(mode) {
            return Ok(MoveStart::AlreadyThere);
        }
        let order = Move {
            to: Destination::Mode(mode),
            agent,
            members: Vec::new(),
            stopped: Vec::new(),
        };
        start(&connection, &order, fuse).await?;
        Ok(MoveStart::Moving)
    }

    /// The mode in whose network the agent's container is; `None` where it runs in no container, or that is not known
    /// yet.
    pub fn present_mode(&self) -> Option<NetworkMode> {
        let view = self.view()?;
        let (agent, inventory) = (view.own?, view.inventory?);
        let mut containers = inventory.containers.iter();
        let own = containers.find(|container| container.id == agent)?;
        Some(NetworkMode::of_network(&own.network_mode))
    }
}

/// Starts the container that carries a move out.
///
/// # Errors
/// As [`Engine::change_mode`]'s.
pub(crate) async fn start(connection: &Connection, order: &Move, fuse: &Fuse) -> Result<(), ActionError> {
    let docker = connection.patient();
    let agent = inspect(&docker, &order.agent)
        .await
        .map_err(|error| explain(error, &order.agent))?;
    let image = image(&docker, &agent).await;
    let body = mover(agent, image, &connection.socket, (order, fuse)).ok_or(ActionError::NotContained)?;
    let mover = create(&docker, &body).await?;
    if let Err(error) = docker.start_container(&mover, None).await {
        remove(&docker, &mover).await.ok();
        return Err(explain(error, &order.agent));
    }
    tracing::info!(
        destination = %order.to,
        members = order.members.len(),
        "moving into another network"
    );
    Ok(())
}

/// Creates the mover, after waiting for an earlier one to end: a new agent answers before the old one is removed.
async fn create(docker: &Docker, body: &ContainerCreateBody) -> Result<String, ActionError> {
    let begun = Instant::now();
    while begun.elapsed() < EARLIER_MOVE {
        let options = CreateContainerOptionsBuilder::new().name(NAME).build();
        match docker.create_container(Some(options), body.clone()).await {
            Err(error) if is_conflict(&error) => {}
            answer => {
                return answer
                    .map(|created| created.id)
                    .map_err(|error| explain(error, NAME));
            }
        }
        let earlier = inspect(docker, NAME).await.ok();
        let status = earlier.as_ref().and_then(status);
        if earlier.as_ref().is_some_and(is_ours)
            && !matches!(status, Some(Status::RUNNING | Status::RESTARTING))
        {
            remove(docker, NAME).await.ok();
        }
        sleep(LOOK_INTERVAL).await;
    }
    Err(ActionError::Moving)
}

fn status(mover: &ContainerInspectResponse) -> Option<Status> {
    mover.state.as_ref()?.status
}

/// Whether a container with the mover's name is a mover.
fn is_ours(mover: &ContainerInspectResponse) -> bool {
    let labels = mover.config.as_ref().and_then(|config| config.labels.as_ref());
    labels.is_some_and(|labels| labels.contains_key(AGENT_LABEL))
}

/// The request that creates the mover; `None` when the agent does not have the engine's socket from a mount.
fn mover(
    agent: ContainerInspectResponse,
    image: String,
    socket: &Path,
    (order, fuse): (&Move, &Fuse),
) -> Option<ContainerCreateBody> {
    let bind = bind(&agent, socket)?;
    let config = agent.config.unwrap_or_default();
    let host = agent.host_config.unwrap_or_default();
    let env = [format!("DOCKER_HOST=unix://{}", socket.display())].into_iter();
    let env = env.chain(fuse.variable());
    Some(ContainerCreateBody {
        image: Some(image),
        user: config.user,
        env: Some(env.collect()),
        entrypoint: config.entrypoint,
        cmd: Some(order.arguments()),
        // The label by which agents and control refuse to stop it halfway.
        labels: Some(HashMap::from([(AGENT_LABEL.to_owned(), "true".to_owned())])),
        host_config: Some(HostConfig {
            // A mover exits with 0 when its move is over, done or not. Any other exit was a kill, after which it goes
            // on.
            restart_policy: Some(RestartPolicy {
                name: Some(RestartPolicyNameEnum::ON_FAILURE),
                maximum_retry_count: Some(STARTS),
            }),
            network_mode: Some("none".to_owned()),
            binds: Some(vec![bind]),
            readonly_rootfs: Some(true),
            cap_drop: host.cap_drop,
            group_add: host.group_add,
            security_opt: host.security_opt,
            userns_mode: host.userns_mode,
            ..HostConfig::default()
        }),
        ..ContainerCreateBody::default()
    })
}

/// The mount by which the agent reaches the engine.
fn bind(agent: &ContainerInspectResponse, socket: &Path) -> Option<String> {
    let leads_there = |point: &str| socket.starts_with(point);
    let mounts = agent.mounts.iter().flatten();
    let mount = mounts
        .filter(|mount| mount.destination.as_deref().is_some_and(leads_there))
        .max_by_key(|mount| mount.destination.as_ref().map(String::len))?;
    Some(format!(
        "{}:{}",
        mount.source.as_deref()?,
        mount.destination.as_deref()?
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn order(to: Destination) -> Move {
        Move {
            to,
            agent: "a1".into(),
            members: vec!["m1".into(), "m2".into()],
            stopped: vec!["m2".into()],
        }
    }

    #[test]
    fn destinations_are_written_and_read() {
        let modes = [NetworkMode::Host, NetworkMode::Bridge, NetworkMode::Pause];
        let others = [Destination::Again, Destination::Pause("p1".into())];
        for destination in modes.map(Destination::Mode).into_iter().chain(others) {
            assert_eq!(destination.to_string().parse(), Ok(destination));
        }
        for text in ["", "pause:", "mars"] {
            assert_eq!(text.parse::<Destination>(), Err(NoDestination), "{text}");
        }
    }

    #[test]
    fn the_mover_has_the_socket_and_nothing_else() {
        let agent = json!({
            "Config": {"Entrypoint": ["/flotilla-agent"], "Env": ["FLOTILLA_TOKEN=secret"]},
            "HostConfig": {"CapAdd": ["NET_ADMIN"], "CapDrop": ["ALL"], "SecurityOpt": ["label=disable"], "Binds": ["state:/var/lib/flotilla"]},
            "Mounts": [
                {"Type": "volume", "Name": "state", "Source": "/v/state/_data", "Destination": "/var/lib/flotilla"},
                {"Type": "bind", "Source": "/run/podman/podman.sock", "Destination": "/var/run/docker.sock"}],
        });
        let agent: ContainerInspectResponse = serde_json::from_value(agent).unwrap();
        let socket = Path::new("/var/run/docker.sock");
        let body = mover(
            agent.clone(),
            "agent:1".into(),
            socket,
            (&order(Destination::Again), &Fuse::of("7")),
        )
        .unwrap();
        let host = body.host_config.unwrap();
        assert_eq!(
            host.binds.unwrap(),
            ["/run/podman/podman.sock:/var/run/docker.sock"]
        );
        assert_eq!(host.cap_add, None);
        assert_eq!(
            body.env.unwrap(),
            ["DOCKER_HOST=unix:///var/run/docker.sock", "FLOTILLA_FUSE=7"]
        );
        assert_eq!(
            body.cmd.unwrap(),
            ["move", "--to", "again", "--stopped=m2", "a1", "m1", "m2"]
        );
        let elsewhere = Path::new("/tmp/docker.sock");
        assert_eq!(
            mover(
                agent,
                "agent:1".into(),
                elsewhere,
                (&order(Destination::Again), &Fuse::default())
            ),
            None
        );
    }
}
