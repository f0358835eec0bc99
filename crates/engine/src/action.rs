//! What a person can do to one container, and why it may be refused.

use crate::{
    connection::Connection,
    engine_errors::{self, explain, explain_named, short_ids},
    follow::Engine,
    placing,
    ports::Clash,
    read::ObservedContainer,
    reports::View,
    sharing::{self, Loan},
    verbatim,
};
use flotilla_protocol::{
    Code, Problem, Timestamp,
    inventory::{Container, ContainerAction, ContainerState, PodRole},
};
use std::time::Duration;
use tokio::time::timeout;

/// How long an action waits for the first reading of an engine.
const START: Duration = Duration::from_secs(3);

/// Why an action was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ActionError {
    #[error("There is no container {} on this device. It may have been removed a moment ago.", short_ids(.0))]
    NotFound(String),
    #[error(
        "This container is the Flotilla agent of this device: stopping it would leave nothing that could start it again. \
         Stop it on the device itself, or revoke the device."
    )]
    OwnContainer,
    #[error(
        "{0} holds the network of this device's pod: without it, the agent and every member of the pod would be cut \
         off, and no answer could come back. Stop or restart its members instead, or do it on the device itself: they follow."
    )]
    PauseContainer(String),
    #[error("{0}")]
    Clash(Clash),
    #[error(
        "This device has no pod: its agent does not run in the network of a pause container. Change the device's \
         network mode to pause first."
    )]
    NoPod,
    #[error("The pause container {0} of this device's pod does not run. Start it first.")]
    PauseStopped(String),
    #[error(
        "{lender} shares its {} with {borrower}, which would lose it and could not start again. Remove {borrower} \
         first, or recreate both by hand.", .what.as_str()
    )]
    Lends {
        lender: String,
        borrower: String,
        what: Loan,
    },
    #[error(
        "{name} uses the {} of another container, which is gone from this device. Recreate {name} with one that is there.",
        .lent.as_str()
    )]
    LenderGone { name: String, lent: Loan },
    #[error("{name} uses the {} of {lender}, which does not run. Start {lender} first.", .lent.as_str())]
    LenderStopped {
        name: String,
        lent: Loan,
        lender: String,
    },
    #[error(
        "{0} uses the network, the processes or the memory of another container, which is gone from this device or \
         does not run. Start that one, or recreate {0} with one that is there."
    )]
    LenderLost(String),
    #[error("{0} is being removed from this device, so there is nothing left to do with it.")]
    BeingRemoved(String),
    #[error(
        "{name} is a task of a swarm: swarm service {service} will replace it, whatever is done to it. Change the \
         service instead: docker service scale, update or rm {service}, on a manager of the swarm."
    )]
    SwarmTask { name: String, service: String },
    #[error(
        "There is a container {leftover} on this device, and {name} needs that name while it is moved. It may be left \
         of an earlier move: look at it, then remove or rename it."
    )]
    Leftover { name: String, leftover: String },
    #[error(
        "The image of {0} is gone from this device, so {0} can't be made anew. Pull or load its image again first."
    )]
    ImageGone(String),
    #[error(
        "{name} needs its network {network}, and network {network} is missing on this device. Create it again, or \
         recreate {name} in another one."
    )]
    NetworkGone { name: String, network: String },
    #[error(
        "There are several networks {network} on this device, and nothing says which of them {name} was on. Remove or \
         rename all but one of them."
    )]
    NetworkAmbiguous { name: String, network: String },
    #[error(
        "{name} asks for the address {address} on network {network}, which {holder} has. Stop {holder}, or give it \
         another address."
    )]
    AddressTaken {
        name: String,
        address: String,
        network: String,
        holder: String,
    },
    #[error(
        "{0} asks for an address on its network that is in use there. Find out who has it: docker network inspect."
    )]
    AddressInUse(String),
    #[error(
        "{name} publishes port {port} of this device, which {holder} has. Stop {holder}, or publish another port."
    )]
    PortTaken {
        name: String,
        port: String,
        holder: String,
    },
    #[error(
        "The device does not allow its engine to stop {0} (permission denied): AppArmor forbids it, which happens with \
         Docker as a snap, or beside one. On the device, run: sudo aa-remove-unknown. Then try again."
    )]
    Forbidden(String),
    #[error(
        "{0} was started with --rm: its engine removes it when it stops, so it could not be put back if anything failed. \
         Start it on the device without --rm."
    )]
    RemovesItself(String),
    #[error(
        "{name} ended with code {code} right after it was started in the other network, so it was put back. Its logs say why."
    )]
    EndedAtOnce { name: String, code: i64 },
    #[error(
        "The label that says where {name} was before it came into the pod can't be read: {reason}. So it was left \
         as it is. Recreate it on the device, in the network where it should be."
    )]
    GarbledLabel { name: String, reason: String },
    #[error(
        "The agent of this device does not run in a container of this engine, so it can't be moved into another network."
    )]
    NotContained,
    #[error("The agent of this device is being moved into another network already. Wait until it is back.")]
    Moving,
    #[error("{0} is paused, and would run afterwards. Unpause it first.")]
    Paused(String),
    #[error("{0} runs. Stop it first, and then remove it.")]
    Runs(String),
    #[error("{0} does not run, so it can't be paused or unpaused. Start it first.")]
    NotRunning(String),
    #[error(
        "{0} did not get well in the other network: its health check fails there. So it was put back. Its logs say why."
    )]
    Unhealthy(String),
    #[error(
        "{name} did not get well in the other network within {seconds} s, which its health check should take at most. \
         So it was put back. Its logs say why."
    )]
    NotHealthyWithin { name: String, seconds: u64 },
    #[error("Recreating {0} was canceled, so it is as it was.")]
    Canceled(String),
    /// An earlier process was interrupted and turned back; the reason as it was written down then.
    #[error("{0}")]
    Interrupted(String),
    #[error(
        "{0} was removed by another program while it was recreated. Nothing of it is left to go on with."
    )]
    BothGone(String),
    #[error("The new {0} was removed by another program while it was made, so the old one was put back.")]
    RemovedMeanwhile(String),
    #[error("{why} But {name} could not be put back as it was: {rest} Look at the device.")]
    NotPutBack { name: String, why: String, rest: String },
    #[error(
        "The agent can't write down what it is about to do ({0}), so it did not begin. Free some space on the disk that \
         holds its state directory."
    )]
    Unwritten(String),
    /// The reason is in the engine's own words.
    #[error("The container engine refused: {0}")]
    Refused(String),
    #[error("{0}")]
    Unavailable(String),
}

impl ActionError {
    /// An error that names `network`, shortened and escaped: a label or an engine spells it.
    pub(crate) fn network_gone(name: &str, network: &str) -> Self {
        Self::NetworkGone {
            name: name.to_owned(),
            network: engine_errors::name(network),
        }
    }

    /// An error that names `service`, shortened and escaped: a label spells it.
    pub(crate) fn swarm_task(name: &str, service: &str) -> Self {
        Self::SwarmTask {
            name: name.to_owned(),
            service: engine_errors::name(service),
        }
    }
}

impl From<ActionError> for Problem {
    fn from(error: ActionError) -> Self {
        use ActionError as E;
        let code = match error {
            E::NotFound(_) => Code::ContainerNotFound,
            E::OwnContainer
            | E::PauseContainer(_)
            | E::Clash(_)
            | E::NoPod
            | E::PauseStopped(_)
            | E::Lends { .. }
            | E::LenderGone { .. }
            | E::LenderStopped { .. }
            | E::LenderLost(_)
            | E::BeingRemoved(_)
            | E::SwarmTask { .. }
            | E::Leftover { .. }
            | E::ImageGone(_)
            | E::NetworkGone { .. }
            | E::NetworkAmbiguous { .. }
            | E::AddressTaken { .. }
            | E::AddressInUse(_)
            | E::PortTaken { .. }
            | E::RemovesItself(_)
            | E::GarbledLabel { .. }
            | E::NotContained
            | E::Paused(_)
            | E::NotRunning(_)
            | E::Runs(_)
            | E::Canceled(_)
            | E::RemovedMeanwhile(_)
            | E::BothGone(_)
            | E::Moving => Code::Conflict,
            E::Refused(_)
            | E::Forbidden(_)
            | E::EndedAtOnce { .. }
            | E::Unhealthy(_)
            | E::NotHealthyWithin { .. }
            | E::Interrupted(_)
            | E::NotPutBack { .. } => Code::EngineRefused,
            E::Unavailable(_) | E::Unwritten(_) => Code::EngineUnavailable,
        };
        code.because(error.to_string())
    }
}

impl Engine {
    /// Acts on a container, named by id. A container that is already in the wanted state is left alone.
    ///
    /// # Errors
    /// See [`ActionError`]; then nothing was done.
    pub async fn act(&self, id: &str, action: ContainerAction) -> Result<(), ActionError> {
        let connection = self.ready().await?;
        let seen = lookup(&connection, id).await?;
        let container = &seen.container;
        if let Some(service) = &seen.swarm_service {
            return Err(ActionError::swarm_task(&container.name, service));
        }
        if action != ContainerAction::Start {
            self.may_stop(&seen)?;
        }
        if is_done(container, action)? {
            return Ok(());
        }
        let docker = connection.patient();
        if matches!(action, ContainerAction::Start | ContainerAction::Restart) {
            self.check_ports(&connection, &seen).await?;
            let answer = verbatim::inspect(&docker, &container.id).await;
            let host = answer.map_err(|error| explain(error, id))?["HostConfig"].take();
            sharing::check_lenders(&docker, &container.name, &host, true).await?;
        }
        match action {
            ContainerAction::Start => docker.start_container(&container.id, None).await,
            ContainerAction::Stop => docker.stop_container(&container.id, None).await,
            ContainerAction::Restart => docker.restart_container(&container.id, None).await,
            ContainerAction::Pause => docker.pause_container(&container.id).await,
            ContainerAction::Unpause => docker.unpause_container(&container.id).await,
            ContainerAction::Kill => docker.kill_container(&container.id, None).await,
        }
        .map_err(|error| explain_named(error, &container.id, &container.name))
    }

    /// Whether a container runs that was started after a moment, by this computer's clock.
    ///
    /// # Errors
    /// There is no such container, or the engine can't be asked.
    pub async fn has_started_since(&self, id: &str, moment: Timestamp) -> Result<bool, ActionError> {
        let connection = self.ready().await?;
        let container = lookup(&connection, id).await?.container;
        let answer = verbatim::inspect(&connection.patient(), &container.id).await;
        let state = answer.map_err(|error| explain(error, id))?["State"].take();
        let started = state["StartedAt"]
            .as_str()
            .and_then(|text| text.parse::<Timestamp>().ok());
        Ok(state["Running"] == true && started.is_some_and(|started| started > moment))
    }

    /// The connection, once the containers have been read: only then is it known which one is the agent's own. An agent
    /// that has just started waits a moment for that.
    ///
    /// # Errors
    /// Why the engine can't be asked.
    pub(crate) async fn ready(&self) -> Result<Connection, ActionError> {
        let is_read = |view: &View| view.inventory.is_some();
        let is_known = |view: &View| is_read(view) || view.state.reason().is_some();
        let mut views = self.views();
        let known = views.wait_for(|view| view.as_ref().is_some_and(is_known));
        let view = timeout(START, known)
            .await
            .ok()
            .and_then(|view| view.ok()?.clone());
        let connection = self.connection().clone();
        let connection = connection.filter(|_| view.as_ref().is_some_and(is_read));
        connection.ok_or_else(|| {
            let reason = view.as_ref().and_then(|view| view.state.reason());
            ActionError::Unavailable(
                reason
                    .unwrap_or("The container engine is not ready yet. Try again in a moment.")
                    .to_owned(),
            )
        })
    }

    /// Refuses to stop the agent's own container, and the pause container that holds its network.
    pub(crate) fn may_stop(&self, seen: &ObservedContainer) -> Result<(), ActionError> {
        let container = &seen.container;
        let view = self.view();
        let own = view.as_ref().and_then(|view| view.own.as_deref());
        if container.is_agent || own == Some(&container.id) {
            return Err(ActionError::OwnContainer);
        }
        let role = view.and_then(|view| view.pod?.role(&container.id));
        if role == Some(PodRole::Pause) {
            return Err(ActionError::PauseContainer(container.name.clone()));
        }
        Ok(())
    }

    /// Refuses to start a member of the pod on a port that another member has.
    async fn check_ports(
        &self,
        connection: &Connection,
        seen: &ObservedContainer,
    ) -> Result<(), ActionError> {
        let pod = self.view().and_then(|view| view.pod);
        let Some(pod) = pod.filter(|pod| {
            let pause = pod.pause.as_ref().map(|pause| pause.id.as_str());
            seen.network_of().is_some() && seen.network_of() == pause
        }) else {
            return Ok(());
        };
        placing::check_ports(connection, seen, &pod, self.own()).await
    }
}

/// Whether a container is already what an action makes of it.
///
/// # Errors
/// The action makes no sense in its state.
fn is_done(container: &Container, action: ContainerAction) -> Result<bool, ActionError> {
    use ContainerAction as A;
    use ContainerState as S;
    let name = || container.name.clone();
    match (action, container.state) {
        (A::Start | A::Unpause, S::Running) | (A::Pause, S::Paused) => Ok(true),
        (A::Stop | A::Kill, S::Created | S::Exited | S::Dead) => Ok(true),
        (A::Start | A::Restart, S::Paused) => Err(ActionError::Paused(name())),
        (A::Pause, state) if state != S::Running => Err(ActionError::NotRunning(name())),
        (A::Unpause, state) if state != S::Paused => Err(ActionError::NotRunning(name())),
        _ => Ok(false),
    }
}

/// Reads a container by its id.
///
/// # Errors
/// [`ActionError::NotFound`], also for a text that is no id: an id becomes part of a path.
pub(crate) async fn lookup(connection: &Connection, id: &str) -> Result<ObservedContainer, ActionError> {
    let is_id = |c| matches!(c, b'_' | b'-' | b'.') || u8::is_ascii_alphanumeric(&c);
    if id.is_empty() || !id.bytes().all(is_id) {
        return Err(ActionError::NotFound(id.to_owned()));
    }
    connection.container(id).await.map_err(|error| explain(error, id))
}
