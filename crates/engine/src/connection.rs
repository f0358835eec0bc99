//! Speaking to a running engine: the calls we make, each with a limit, and the facts it states about itself.

use crate::{
    labels,
    ports::{self, PortNumber},
    read::{self, Observed},
    socket::Sockets,
    stale::{Stale, WATCHED_TYPES},
};
use bollard::{
    API_DEFAULT_VERSION, Docker,
    errors::Error,
    models::{ContainerInspectResponse, EventMessage, SystemInfo, SystemVersion},
    query_parameters::{EventsOptionsBuilder, InspectContainerOptions, ListContainersOptionsBuilder},
};
use flotilla_protocol::{
    Timestamp,
    inventory::{EngineFacts, EngineState, Image, Network, Volume},
};
use futures_util::{Stream, StreamExt as _, stream};
use std::{
    collections::{BTreeSet, HashMap},
    path::PathBuf,
    time::Duration,
};

/// A read that takes longer means that the engine hangs.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// Stopping waits for the container's own grace period, which its owner may have set to minutes.
const ACTION_TIMEOUT: Duration = Duration::from_secs(300);

/// Enough to hide the engine's latency; more would only crowd a small board.
const PARALLEL_READS: usize = 8;

#[derive(Debug, Clone)]
pub(crate) struct Connection {
    docker: Docker,
    /// Where the engine listens.
    pub(crate) socket: PathBuf,
    pub(crate) facts: EngineFacts,
    /// The engine's clock when it was first asked. Events from then on are replayed to us, so none is lost
    /// between the first read and the moment at which the engine counts us as a listener.
    opened_at: Option<Timestamp>,
}

impl Connection {
    /// # Errors
    /// The state that explains why there is no engine to speak to.
    pub(crate) async fn open(sockets: &Sockets) -> Result<Self, EngineState> {
        let path = sockets.locate().await?;
        let stopped = |error: Error| EngineState::Stopped {
            reason: format!(
                "The container engine at {} does not answer as it should: {error}.",
                path.display()
            ),
        };
        let docker = Docker::connect_with_unix(
            &path.to_string_lossy(),
            READ_TIMEOUT.as_secs(),
            API_DEFAULT_VERSION,
        )
        .map_err(stopped)?;
        let docker = docker.negotiate_version().await.map_err(stopped)?;
        let version = docker.version().await.map_err(stopped)?;
        let info = docker.info().await.map_err(stopped)?;
        let opened_at = info.system_time.as_deref().and_then(|time| time.parse().ok());
        let facts = facts(version, info, docker.client_version().to_string());
        Ok(Self {
            docker,
            socket: path,
            facts,
            opened_at,
        })
    }

    pub(crate) fn events(&self) -> impl Stream<Item = Result<EventMessage, Error>> + use<> {
        let kinds = WATCHED_TYPES.map(str::to_owned).to_vec();
        let mut options = EventsOptionsBuilder::new().filters(&HashMap::from([("type".to_owned(), kinds)]));
        if let Some(opened_at) = self.opened_at {
            let (second, nanosecond) = (opened_at.as_second(), opened_at.subsec_nanosecond());
            options = options.since(&format!("{second}.{nanosecond:09}"));
        }
        self.docker.events(Some(options.build()))
    }

    /// Everything that exists, as a list of what to read.
    pub(crate) async fn survey(&self) -> Result<Stale, Error> {
        let all = ListContainersOptionsBuilder::new().all(true).build();
        let containers = self.docker.list_containers(Some(all)).await?;
        Ok(Stale {
            containers: containers.into_iter().filter_map(|summary| summary.id).collect(),
            ..Stale::everything()
        })
    }

    /// Reads containers; `None` beside an id means that it is gone.
    pub(crate) async fn containers(
        &self,
        ids: impl IntoIterator<Item = String>,
    ) -> Result<Vec<(String, Option<Observed>)>, Error> {
        let mut reads = stream::iter(ids)
            .map(async |id| (self.container(&id).await, id))
            .buffer_unordered(PARALLEL_READS);
        let mut seen = Vec::new();
        while let Some((answer, id)) = reads.next().await {
            match answer {
                Ok(observed) => seen.push((id, Some(observed))),
                Err(error) if is_not_found(&error) => seen.push((id, None)),
                Err(error) if is_unreadable(&error) => {
                    tracing::warn!(container.id = id, %error, "the engine describes a container in a way that cannot be read");
                    seen.push((id, None));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(seen)
    }

    pub(crate) async fn container(&self, id: &str) -> Result<Observed, Error> {
        Ok(read::container(inspect(&self.docker, id).await?))
    }

    /// Ports that an image says its containers listen on. Podman does not repeat them for the container.
    pub(crate) async fn ports_of_image(&self, id: &str) -> BTreeSet<PortNumber> {
        let image = self.docker.inspect_image(id).await.ok();
        let config = image.and_then(|image| image.config).unwrap_or_default();
        ports::parse_all(config.exposed_ports.iter().flatten())
    }

    pub(crate) async fn images(&self) -> Result<Vec<Image>, Error> {
        let none = None::<bollard::query_parameters::ListImagesOptions>;
        Ok(self
            .docker
            .list_images(none)
            .await?
            .into_iter()
            .map(read::image)
            .collect())
    }

    pub(crate) async fn volumes(&self) -> Result<Vec<Volume>, Error> {
        let none = None::<bollard::query_parameters::ListVolumesOptions>;
        let volumes = self.docker.list_volumes(none).await?.volumes;
        Ok(volumes
            .unwrap_or_default()
            .into_iter()
            .map(read::volume)
            .collect())
    }

    pub(crate) async fn networks(&self) -> Result<Vec<Network>, Error> {
        Ok(self
            .docker
            .list_networks(None)
            .await?
            .into_iter()
            .map(read::network)
            .collect())
    }

    /// The engine with the patience that an action needs.
    pub(crate) fn patient(&self) -> Docker {
        self.docker.clone().with_timeout(ACTION_TIMEOUT)
    }
}

/// How the engine describes a container, without the marks that are only its image's.
pub(crate) async fn inspect(docker: &Docker, id: &str) -> Result<ContainerInspectResponse, Error> {
    let mut answer = docker
        .inspect_container(id, None::<InspectContainerOptions>)
        .await?;
    labels::keep_own(docker, &mut answer).await?;
    Ok(answer)
}

pub(crate) fn is_not_found(error: &Error) -> bool {
    matches!(error, Error::DockerResponseServerError { status_code: 404, .. })
}

pub(crate) fn is_disconnection(error: &Error) -> bool {
    matches!(
        error,
        Error::HyperLegacyError { .. } | Error::HyperResponseError { .. } | Error::IOError { .. }
    )
}

fn is_unreadable(error: &Error) -> bool {
    matches!(error, Error::JsonDataError { .. } | Error::JsonSerdeError { .. })
}

fn facts(version: SystemVersion, info: SystemInfo, api_version: String) -> EngineFacts {
    let components = version.components.unwrap_or_default();
    let podman = components
        .iter()
        .any(|component| component.name.starts_with("Podman"));
    let os = info.operating_system.or(version.os).unwrap_or_default();
    let kernel = info.kernel_version.unwrap_or_default();
    // Its virtual machine has a name of its own, and on most systems a kernel of its own, too.
    let desktops_machine = info.name.as_deref() == Some("docker-desktop") || kernel.ends_with("-linuxkit");
    EngineFacts {
        flavor: if podman { "podman" } else { "docker" }.to_owned(),
        version: version.version.unwrap_or_default(),
        api_version,
        docker_desktop: os == "Docker Desktop" || desktops_machine,
        os,
        arch: info.architecture.or(version.arch).unwrap_or_default(),
        storage_driver: info.driver.unwrap_or_default(),
        rootless: info
            .security_options
            .unwrap_or_default()
            .iter()
            .any(|option| option.contains("rootless")),
    }
}
