//! The steps of an exchange as requests to the engine.

use super::{
    Exchange, Ledger, StepFailure,
    new_container::NewContainer,
    swap::{Replacement, Step, Swap},
};
use bollard::{
    Docker,
    errors::Error,
    query_parameters::{
        RemoveContainerOptionsBuilder, RenameContainerOptionsBuilder, StopContainerOptionsBuilder,
    },
};
use std::time::Duration;

/// How much longer than a container's grace its engine may take to answer a stop.
const STOP_ANSWER: Duration = Duration::from_secs(60);

impl<L: Ledger> Exchange<'_, L> {
    pub(super) async fn take(&mut self, step: Step) -> Result<(), StepFailure> {
        let (docker, old) = (self.docker, self.swap.old.clone());
        let new = self.found.clone().unwrap_or_default();
        let name = &self.swap.name;
        match step {
            Step::Create => return self.create().await,
            Step::StopOld => return self.stop_old().await,
            Step::SetOldAside => rename(docker, &old, &self.swap.aside_name()).await,
            Step::NameNew => rename(docker, &new, name).await,
            Step::StartNew => docker.start_container(&new, None).await,
            Step::RemoveOld => remove(docker, &old).await,
            Step::RemoveNew => remove(docker, &new).await,
            Step::NameOld => rename(docker, &old, name).await,
            Step::StartOld => docker.start_container(&old, None).await,
        }
        .map_err(StepFailure::Engine)
    }

    /// Creates the new container. Its id is kept only when it is complete: one without a kept id is not used, but
    /// removed.
    async fn create(&mut self) -> Result<(), StepFailure> {
        let new_container = NewContainer::of(self.docker, &self.swap.old, &self.swap.network).await;
        let new_container = new_container.map_err(StepFailure::Own)?;
        let id = match new_container.make(self.docker, &self.swap.temporary_name()).await {
            Ok(id) => id,
            Err(error) => {
                if matches!(error, Error::DockerResponseServerError { .. }) {
                    self.swap.new = Replacement::Refused;
                } else {
                    self.note_unanswered_create();
                }
                return Err(StepFailure::Engine(error));
            }
        };
        self.swap.new = Replacement::Made(id.clone());
        self.ledger.fuse().burn();
        new_container
            .attach(self.docker, &id)
            .await
            .map_err(StepFailure::Engine)?;
        self.keep().await
    }

    async fn stop_old(&mut self) -> Result<(), StepFailure> {
        self.keep().await?;
        let patient = self.docker.clone().with_timeout(self.swap.grace + STOP_ANSWER);
        let seconds = self.swap.stop_seconds;
        let options = seconds.map(|seconds| StopContainerOptionsBuilder::new().t(seconds).build());
        let stopped = patient.stop_container(&self.swap.old, options).await;
        stopped.map_err(StepFailure::Engine)?;
        self.swap.stopping = false;
        Ok(())
    }
}

impl Swap {
    /// A step as a sentence for people.
    pub(super) fn describe(&self, step: Step) -> String {
        let name = &self.name;
        match step {
            Step::Create => format!("{name} is made anew."),
            Step::StopOld => format!("{name} is stopped, which may take {} s.", self.grace.as_secs()),
            Step::SetOldAside => format!("The old {name} is set aside."),
            Step::NameNew => format!("The new {name} gets its name."),
            Step::StartNew => format!("The new {name} is started, and has to show that it works."),
            Step::RemoveOld => format!("The old {name} is removed."),
            Step::RemoveNew => format!("Going back: the new {name} is removed."),
            Step::NameOld => format!("Going back: the old {name} gets its name again."),
            Step::StartOld => format!("Going back: the old {name} is started again."),
        }
    }
}

async fn rename(docker: &Docker, id: &str, name: &str) -> Result<(), Error> {
    let options = RenameContainerOptionsBuilder::new().name(name).build();
    docker.rename_container(id, options).await
}

/// Removes a container; its volumes stay.
pub(crate) async fn remove(docker: &Docker, id: &str) -> Result<(), Error> {
    let options = RemoveContainerOptionsBuilder::new().force(true).build();
    docker.remove_container(id, Some(options)).await
}
