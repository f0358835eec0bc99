//! Removes a container, unless something still needs it.

use crate::{
    action::{ActionError, lookup},
    engine_errors::explain_named,
    follow::Engine,
    sharing,
};
use bollard::query_parameters::RemoveContainerOptionsBuilder;
use flotilla_protocol::inventory::ContainerState;

impl Engine {
    /// Removes a container that does not run, named by id; with `volumes`, its volumes without a name go too.
    ///
    /// # Errors
    /// See [`ActionError`]; then nothing was done.
    pub async fn remove(&self, id: &str, volumes: bool) -> Result<(), ActionError> {
        let connection = self.ready().await?;
        let seen = lookup(&connection, id).await?;
        let container = &seen.container;
        if let Some(service) = &seen.swarm_service {
            return Err(ActionError::swarm_task(&container.name, service));
        }
        self.may_stop(&seen)?;
        match container.state {
            ContainerState::Running | ContainerState::Paused | ContainerState::Restarting => {
                return Err(ActionError::Runs(container.name.clone()));
            }
            ContainerState::Removing => return Err(ActionError::BeingRemoved(container.name.clone())),
            ContainerState::Created
            | ContainerState::Exited
            | ContainerState::Dead
            | ContainerState::Unknown => {}
        }
        let docker = connection.patient();
        sharing::check_borrowers(&docker, &container.id, &container.name).await?;
        let options = RemoveContainerOptionsBuilder::new().v(volumes).build();
        let removed = docker.remove_container(&container.id, Some(options)).await;
        removed.map_err(|error| explain_named(error, &container.id, &container.name))
    }
}
