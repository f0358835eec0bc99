//! The steps of an exchange, as they are asked of an engine.

use super::{
    Exchange, Failure, Ledger, Network, image, same,
    swap::{New, Step, Swap},
};
use crate::{action::ActionError, connection::inspect};
use bollard::{
    Docker,
    errors::Error,
    models::{ContainerCreateBody, ContainerInspectResponse, EndpointSettings, NetworkConnectRequest},
    query_parameters::{
        CreateContainerOptionsBuilder, RemoveContainerOptionsBuilder, RenameContainerOptionsBuilder,
        StopContainerOptionsBuilder,
    },
};
use std::{collections::BTreeMap, time::Duration};

/// How much longer than a container's grace its engine may take to answer that it stopped.
const STOP_ANSWER: Duration = Duration::from_secs(60);

impl<L: Ledger> Exchange<'_, L> {
    pub(super) async fn take(&mut self, step: Step) -> Result<(), Failure> {
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
        .map_err(Failure::Engine)
    }

    /// Its id is kept when it is whole: one without an id is not used, but removed.
    async fn create(&mut self) -> Result<(), Failure> {
        let answer = inspect(self.docker, &self.swap.old)
            .await
            .map_err(Failure::Engine)?;
        let asked = request(self.docker, answer, &self.swap.network).await;
        let (body, later) = asked.map_err(Failure::Own)?;
        let options = CreateContainerOptionsBuilder::new()
            .name(&self.swap.temporary_name())
            .build();
        let made = self.docker.create_container(Some(options), body).await;
        self.swap.new = match made {
            Ok(made) => New::Made(made.id),
            Err(error) => {
                if matches!(error, Error::DockerResponseServerError { .. }) {
                    self.swap.new = New::Refused;
                } else {
                    self.doubt();
                }
                return Err(Failure::Engine(error));
            }
        };
        self.ledger.fuse().burn();
        self.connect(later).await.map_err(Failure::Engine)?;
        self.keep().await
    }

    async fn connect(&self, later: BTreeMap<String, EndpointSettings>) -> Result<(), Error> {
        let New::Made(id) = &self.swap.new else {
            return Ok(());
        };
        for (network, endpoint) in later {
            let request = NetworkConnectRequest {
                container: id.clone(),
                endpoint_config: Some(endpoint),
            };
            self.docker.connect_network(&network, request).await?;
        }
        Ok(())
    }

    async fn stop_old(&mut self) -> Result<(), Failure> {
        self.swap.stopping = true;
        self.keep().await?;
        let patient = self.docker.clone().with_timeout(self.swap.grace + STOP_ANSWER);
        let seconds = self.swap.stop_seconds;
        let options = seconds.map(|seconds| StopContainerOptionsBuilder::new().t(seconds).build());
        let stopped = patient.stop_container(&self.swap.old, options).await;
        stopped.map_err(Failure::Engine)?;
        self.swap.stopping = false;
        Ok(())
    }
}

impl Swap {
    /// A step as a sentence.
    pub(super) fn says(&self, step: Step) -> String {
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

/// What a container just like this one is asked for with, and the networks to connect it to before it starts.
pub(super) async fn request(
    docker: &Docker,
    answer: ContainerInspectResponse,
    network: &Network,
) -> Result<(ContainerCreateBody, BTreeMap<String, EndpointSettings>), ActionError> {
    let name = Swap::name_of(answer.name.as_deref().unwrap_or_default());
    let image = image(docker, &answer).await;
    same::same(answer, image, network).map_err(|garbled| ActionError::GarbledLabel {
        name,
        reason: garbled.to_string(),
    })
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
