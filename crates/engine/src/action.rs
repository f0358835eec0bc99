//! What a person does to one container.

use crate::{connection::is_not_found, follow::Engine};
use bollard::errors::Error;
use flotilla_protocol::{Code, Problem, inventory::ContainerAction};

/// Why an action was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ActionError {
    #[error("There is no container {0} on this device. It may have been removed a moment ago.")]
    NotFound(String),
    #[error(
        "This container is the Flotilla agent of this device: stopping it would leave nobody to start it again. \
         Stop it on the device itself, or revoke the device."
    )]
    OwnContainer,
    /// In the engine's own words.
    #[error("The container engine refused: {0}")]
    Refused(String),
    #[error("{0}")]
    Unavailable(String),
}

impl From<ActionError> for Problem {
    fn from(error: ActionError) -> Self {
        let code = match error {
            ActionError::NotFound(_) => Code::ContainerNotFound,
            ActionError::OwnContainer => Code::Conflict,
            ActionError::Refused(_) => Code::EngineRefused,
            ActionError::Unavailable(_) => Code::EngineUnavailable,
        };
        Self::new(code, error.to_string())
    }
}

impl Engine {
    /// Starts, stops or restarts a container, named by id. A container that already is as wished is left alone.
    ///
    /// # Errors
    /// See [`ActionError`]; nothing was done then.
    pub async fn act(&self, id: &str, action: ContainerAction) -> Result<(), ActionError> {
        let connection = self.connection().clone();
        let connection = connection.ok_or_else(|| {
            let state = self.state();
            let reason = state.as_ref().and_then(|state| state.reason());
            ActionError::Unavailable(
                reason
                    .unwrap_or("The container engine is not ready yet. Try again in a moment.")
                    .to_owned(),
            )
        })?;
        // The id becomes part of a path.
        if id.is_empty()
            || !id
                .bytes()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'-' | b'.'))
        {
            return Err(ActionError::NotFound(id.to_owned()));
        }
        let explain = |error| explain(error, id);
        let container = connection
            .container(id, self.own())
            .await
            .map_err(explain)?
            .container;
        if container.is_agent && action != ContainerAction::Start {
            return Err(ActionError::OwnContainer);
        }
        let docker = connection.patient();
        match action {
            ContainerAction::Start => docker.start_container(&container.id, None).await,
            ContainerAction::Stop => docker.stop_container(&container.id, None).await,
            ContainerAction::Restart => docker.restart_container(&container.id, None).await,
        }
        .map_err(explain)
    }
}

fn explain(error: Error, id: &str) -> ActionError {
    match error {
        error if is_not_found(&error) => ActionError::NotFound(id.to_owned()),
        Error::DockerResponseServerError { message, .. } => ActionError::Refused(message),
        Error::RequestTimeoutError => ActionError::Unavailable(
            "The container engine did not answer in time. Look at the device.".to_owned(),
        ),
        error => ActionError::Unavailable(format!("The container engine cannot be reached: {error}.")),
    }
}
