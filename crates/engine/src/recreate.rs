//! Making a container anew in another network, so that whatever fails leaves everything as it was.
//!
//! Life cycle of a [`Swap`]: the new one is made under a temporary name → the old one is stopped and set aside → the
//! new one takes its name and starts → `finish` removes the old one, or `undo` puts it back.

mod same;

pub(crate) use same::Network;

use crate::{
    action::{ActionError, explain},
    connection::inspect,
};
use bollard::{
    Docker,
    errors::Error,
    models::{
        ContainerCreateBody, ContainerInspectResponse, ContainerStateStatusEnum as Status, EndpointSettings,
        NetworkConnectRequest,
    },
    query_parameters::{
        CreateContainerOptionsBuilder, RemoveContainerOptionsBuilder, RenameContainerOptionsBuilder,
        StopContainerOptionsBuilder,
    },
};
use std::{collections::BTreeMap, time::Duration};
use tokio::time::{Instant, sleep};

const NEW: &str = ".flotilla-new";
const OLD: &str = ".flotilla-old";

/// How often a container that was just started is looked at.
const LOOK: Duration = Duration::from_millis(200);

/// With how much patience containers are made anew.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// Seconds that the old one has to stop; `None` leaves that to its owner.
    pub(crate) stop_seconds: Option<i32>,
    /// How long the new one must have run to be believed.
    pub(crate) settle: Duration,
}

impl Pace {
    /// As a person waits for it.
    pub(crate) const PATIENT: Self = Self {
        stop_seconds: None,
        settle: Duration::from_secs(1),
    };
    /// The old one is in a network that is gone, so it serves nobody, and there is no way back.
    pub(crate) const URGENT: Self = Self {
        stop_seconds: Some(3),
        settle: Duration::ZERO,
    };
}

/// Makes a container anew; answers the id of the new one.
///
/// # Errors
/// The engine's own reason; the old container is as it was.
pub(crate) async fn recreate(
    docker: &Docker,
    id: &str,
    network: &Network,
    pace: Pace,
) -> Result<String, ActionError> {
    let swap = Swap::begin(docker, id, network, pace).await?;
    Ok(swap.finish().await)
}

/// A container that stands in another's place, while the other is still there.
#[derive(Debug)]
struct Swap<'a> {
    docker: &'a Docker,
    old: Old,
    new: String,
}

#[derive(Debug)]
struct Old {
    id: String,
    name: String,
    ran: bool,
}

impl<'a> Swap<'a> {
    /// # Errors
    /// As [`recreate`]'s.
    async fn begin(docker: &'a Docker, id: &str, network: &Network, pace: Pace) -> Result<Self, ActionError> {
        let answer = inspect(docker, id).await.map_err(|error| explain(error, id))?;
        let old = Old::of(&answer);
        if answer.host_config.as_ref().and_then(|host| host.auto_remove) == Some(true) {
            return Err(ActionError::RemovesItself(old.name));
        }
        let image = image(docker, &answer).await;
        let asked = same::same(answer, image, network).map_err(|garbled| ActionError::GarbledLabel {
            name: old.name.clone(),
            reason: garbled.to_string(),
        })?;
        let new = create(docker, &old, asked)
            .await
            .map_err(|error| explain(error, id))?;
        let swap = Self { docker, old, new };
        match swap.exchange(pace).await {
            Ok(()) => Ok(swap),
            Err(error) => {
                swap.undo().await;
                Err(error)
            }
        }
    }

    async fn exchange(&self, pace: Pace) -> Result<(), ActionError> {
        let Old { id, name, ran } = &self.old;
        let explain = |error| explain(error, name);
        if *ran {
            stop(self.docker, id, pace.stop_seconds).await.map_err(explain)?;
        }
        rename(self.docker, id, &format!("{name}{OLD}"))
            .await
            .map_err(explain)?;
        rename(self.docker, &self.new, name).await.map_err(explain)?;
        if *ran {
            let started = self.docker.start_container(&self.new, None).await;
            started.map_err(explain)?;
            self.settle(pace.settle).await?;
        }
        Ok(())
    }

    /// Returns when the new one has run for a while.
    async fn settle(&self, patience: Duration) -> Result<(), ActionError> {
        let begun = Instant::now();
        while begun.elapsed() < patience {
            sleep(LOOK).await;
            let answer = inspect(self.docker, &self.new).await;
            let state = answer.map_err(|error| explain(error, &self.old.name))?.state;
            let state = state.unwrap_or_default();
            let code = state.exit_code.unwrap_or(0);
            let ended = matches!(
                state.status,
                Some(Status::EXITED | Status::RESTARTING | Status::DEAD)
            );
            if ended && code != 0 {
                return Err(ActionError::EndedAtOnce {
                    name: self.old.name.clone(),
                    code,
                });
            }
        }
        Ok(())
    }

    /// Removes the old one; answers the new one's id.
    async fn finish(self) -> String {
        if let Err(error) = remove(self.docker, &self.old.id).await {
            tracing::warn!(container.id = self.old.id, %error, "a container that was replaced is still there");
        }
        self.new
    }

    /// Puts the old one back.
    async fn undo(self) {
        let Old { id, name, ran } = &self.old;
        // Each step may find that there was nothing to take back.
        let outcomes = [
            remove(self.docker, &self.new).await,
            rename(self.docker, id, name).await,
            if *ran {
                self.docker.start_container(id, None).await
            } else {
                Ok(())
            },
        ];
        // Only the last one says whether it runs again: a name that was never changed cannot be given back.
        if let [_, _, Err(error)] = outcomes {
            tracing::error!(container.id = id, %error, "a container could not be started again where it was");
        }
    }
}

impl Old {
    fn of(answer: &ContainerInspectResponse) -> Self {
        let status = answer.state.as_ref().and_then(|state| state.status);
        let name = answer.name.as_deref().unwrap_or_default();
        Self {
            id: answer.id.clone().unwrap_or_default(),
            name: name.trim_start_matches('/').to_owned(),
            ran: matches!(
                status,
                Some(Status::RUNNING | Status::RESTARTING | Status::PAUSED)
            ),
        }
    }
}

async fn create(
    docker: &Docker,
    old: &Old,
    (body, later): (ContainerCreateBody, BTreeMap<String, EndpointSettings>),
) -> Result<String, Error> {
    let name = format!("{}{NEW}", old.name);
    let options = || Some(CreateContainerOptionsBuilder::new().name(&name).build());
    let new = match docker.create_container(options(), body.clone()).await {
        Err(error) if is_conflict(&error) => {
            // Left by an attempt that was cut off before anything else had changed.
            remove(docker, &name).await?;
            docker.create_container(options(), body).await?
        }
        answer => answer?,
    };
    for (network, endpoint) in later {
        let request = NetworkConnectRequest {
            container: new.id.clone(),
            endpoint_config: Some(endpoint),
        };
        if let Err(error) = docker.connect_network(&network, request).await {
            remove(docker, &new.id).await.ok();
            return Err(error);
        }
    }
    Ok(new.id)
}

/// The image's name, where that still means the same image; else its id.
pub(crate) async fn image(docker: &Docker, answer: &ContainerInspectResponse) -> String {
    let id = answer.image.clone().unwrap_or_default();
    let name = answer.config.as_ref().and_then(|config| config.image.clone());
    let Some(name) = name.filter(|name| !name.is_empty()) else {
        return id;
    };
    let named = docker.inspect_image(&name).await.ok().and_then(|image| image.id);
    if named.as_ref() == Some(&id) { name } else { id }
}

async fn stop(docker: &Docker, id: &str, seconds: Option<i32>) -> Result<(), Error> {
    let options = seconds.map(|seconds| StopContainerOptionsBuilder::new().t(seconds).build());
    docker.stop_container(id, options).await
}

async fn rename(docker: &Docker, id: &str, name: &str) -> Result<(), Error> {
    let options = RenameContainerOptionsBuilder::new().name(name).build();
    docker.rename_container(id, options).await
}

/// Its volumes stay.
pub(crate) async fn remove(docker: &Docker, id: &str) -> Result<(), Error> {
    let options = RemoveContainerOptionsBuilder::new().force(true).build();
    docker.remove_container(id, Some(options)).await
}

pub(crate) fn is_conflict(error: &Error) -> bool {
    matches!(error, Error::DockerResponseServerError { status_code: 409, .. })
}
