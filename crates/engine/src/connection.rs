//! The connection to a running engine: the calls we make, each with a limit, and the facts that the engine states about
//! itself.

use crate::{
    clock, labels,
    plain::{self, ReadFailure},
    ports::{self, PortNumber},
    read::{self, ObservedContainer, RowFingerprint},
    read_schedule::Subject,
    socket::Sockets,
    stale::{StaleMarks, WATCHED_TYPES},
};
use bollard::{
    API_DEFAULT_VERSION, Docker,
    errors::Error,
    models::{ContainerInspectResponse, EventMessage, SystemInfo, SystemVersion},
    query_parameters::{EventsOptionsBuilder, InspectContainerOptions},
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
use tokio::time::Instant;

/// The longest that a read may take; after that the engine hangs, or the read does.
pub(crate) const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// The longest that an action may take. Stopping waits for the container's own grace period, which its owner may have
/// set to minutes.
const ACTION_TIMEOUT: Duration = Duration::from_secs(300);

/// The longest wait for an event. Some engines send the head of their answer with the first event only, which may be
/// days away.
const EVENTS_TIMEOUT: Duration = Duration::from_secs(365 * 24 * 3600);

/// The longest wait for a ping: an engine that answers at all does so at once.
const PING_TIMEOUT: Duration = Duration::from_secs(5);

/// How many containers are read at once: enough to hide the engine's latency; more would only crowd a small board.
const PARALLEL_READS: usize = 8;

/// The engine API of Docker 20.10, the oldest whose answers all that is asked here.
const OLDEST_API: (u32, u32) = (1, 41);

#[derive(Debug, Clone)]
pub(crate) struct Connection {
    docker: Docker,
    /// Where the engine listens.
    pub(crate) socket: PathBuf,
    pub(crate) facts: EngineFacts,
    /// The engine's clock when it was first asked, and when that was. Events from then on are replayed, so none is lost
    /// between the first read and the moment at which the engine counts us as a listener.
    opened: (Option<Timestamp>, Instant),
    /// How long a read may take.
    within: Duration,
}

/// The answer to a read.
#[derive(Debug)]
pub(crate) enum ReadAnswer {
    Containers(Vec<(ObservedContainer, RowFingerprint)>),
    Container(Box<ObservedContainer>),
    /// There is no such container.
    Gone,
    /// The container is there and can't be described. Holds the engine's list's row of it, if that could be read.
    Unread(ReadFailure, Option<Box<ObservedContainer>>),
    Images(Vec<Image>),
    Volumes(Vec<Volume>),
    Networks(Vec<Network>),
}

impl Connection {
    /// Connects to the engine, with [`READ_TIMEOUT`].
    ///
    /// # Errors
    /// The state that explains why there is no engine to speak to.
    pub(crate) async fn open(sockets: &Sockets) -> Result<Self, EngineState> {
        Self::open_within(sockets, READ_TIMEOUT).await
    }

    /// Connects to the engine; `within` is how long a read may take.
    pub(crate) async fn open_within(sockets: &Sockets, within: Duration) -> Result<Self, EngineState> {
        let path = sockets.locate().await?;
        let place = path.display().to_string();
        let unfit = |reason| EngineState::Unfit { reason, since: None };
        let silent = |error: Error| {
            let failure = ReadFailure::of(&error, within);
            unfit(format!(
                "The container engine at {place} does not say what it is: {failure}. Its log on the device says why."
            ))
        };
        // The client counts in whole seconds.
        let seconds = within.as_secs().max(1);
        let docker = Docker::connect_with_unix(&path.to_string_lossy(), seconds, API_DEFAULT_VERSION);
        let docker = docker.map_err(silent)?;
        let docker = docker.negotiate_version().await.map_err(silent)?;
        let version = docker.version().await.map_err(silent)?;
        if let Some(reason) = too_old(&version) {
            return Err(unfit(reason));
        }
        let info = docker.info().await.map_err(silent)?;
        let engines_clock = info.system_time.as_deref().and_then(|time| time.parse().ok());
        let facts = facts(version, info, docker.client_version().to_string());
        Ok(Self {
            docker,
            socket: path,
            facts,
            opened: (engines_clock, Instant::now()),
            within,
        })
    }

    /// The engine's clock now, computed without asking.
    pub(crate) fn engines_clock(&self) -> Option<Timestamp> {
        let (then, at) = self.opened;
        then?.checked_add(at.elapsed()).ok()
    }

    /// Events from a moment of the engine's clock on.
    pub(crate) fn events(
        &self,
        since: Option<Timestamp>,
    ) -> impl Stream<Item = Result<EventMessage, Error>> + use<> {
        let kinds = WATCHED_TYPES.map(str::to_owned).to_vec();
        let mut options = EventsOptionsBuilder::new().filters(&HashMap::from([("type".to_owned(), kinds)]));
        if let Some(since) = since {
            let (second, nanosecond) = (since.as_second(), since.subsec_nanosecond());
            options = options.since(&format!("{second}.{nanosecond:09}"));
        }
        self.endless().events(Some(options.build()))
    }

    /// Whether the engine is still there.
    pub(crate) async fn is_there(&self) -> bool {
        plain::answers(&self.socket, PING_TIMEOUT).await
    }

    /// Reads a subject.
    ///
    /// # Errors
    /// The list can't be read. What is wrong with one container is an answer instead.
    pub(crate) async fn read(&self, subject: &Subject) -> Result<ReadAnswer, ReadFailure> {
        match subject {
            Subject::Containers => self.list("").await.map(ReadAnswer::Containers),
            Subject::Container(id) => self.describe(id).await,
            Subject::Images => {
                let now = clock::now();
                let answer = self.get("/images/json").await?;
                Ok(ReadAnswer::Images(read::rows(&answer, "", |row| {
                    read::image(row, now)
                })))
            }
            Subject::Volumes => {
                let answer = self.get("/volumes").await?;
                Ok(ReadAnswer::Volumes(read::rows(&answer, "Volumes", read::volume)))
            }
            Subject::Networks => {
                let answer = self.get("/networks").await?;
                Ok(ReadAnswer::Networks(read::rows(&answer, "", read::network)))
            }
        }
    }

    async fn get(&self, path: &str) -> Result<serde_json::Value, ReadFailure> {
        plain::get(&self.socket, path, self.within).await
    }

    /// Lists containers; `more` is added to the query.
    async fn list(&self, more: &str) -> Result<Vec<(ObservedContainer, RowFingerprint)>, ReadFailure> {
        let answer = self.get(&format!("/containers/json?all=true{more}")).await?;
        Ok(read::rows(&answer, "", read::listed))
    }

    async fn describe(&self, id: &str) -> Result<ReadAnswer, ReadFailure> {
        let failure = match self.container(id).await {
            Ok(observed) => return Ok(ReadAnswer::Container(Box::new(observed))),
            Err(error) if is_not_found(&error) => return Ok(ReadAnswer::Gone),
            Err(error) => ReadFailure::of(&error, self.within),
        };
        // Ids are letters and digits; any other text finds nothing. The quotes and brackets are those of JSON.
        let only = format!("&filters=%7B%22id%22%3A%5B%22{id}%22%5D%7D");
        match self.list(&only).await {
            Ok(rows) => {
                let mut rows = rows.into_iter().map(|(listed, _)| listed);
                let own = rows.find(|listed| listed.container.id == id);
                Ok(own.map_or(ReadAnswer::Gone, |own| {
                    ReadAnswer::Unread(failure, Some(Box::new(own)))
                }))
            }
            Err(ReadFailure::Broken(_)) => Err(failure),
            Err(_) => Ok(ReadAnswer::Unread(failure, None)),
        }
    }

    /// Everything that exists, as marks of what to read.
    pub(crate) async fn survey(&self) -> Result<StaleMarks, Error> {
        let rows = self.list("").await?;
        Ok(StaleMarks {
            containers: rows.into_iter().map(|(listed, _)| listed.container.id).collect(),
            ..StaleMarks::everything()
        })
    }

    /// Reads containers. `None` beside an id means that the engine neither describes nor lists it. A container that
    /// can't be described is as the engine lists it.
    pub(crate) async fn containers(
        &self,
        ids: impl IntoIterator<Item = String>,
    ) -> Result<Vec<(String, Option<ObservedContainer>)>, Error> {
        let mut reads = stream::iter(ids)
            .map(async |id| (self.describe(&id).await, id))
            .buffer_unordered(PARALLEL_READS);
        let mut seen = Vec::new();
        while let Some((answer, id)) = reads.next().await {
            seen.push(match answer? {
                ReadAnswer::Container(observed) => (id, Some(*observed)),
                ReadAnswer::Unread(failure, listed) => {
                    tracing::warn!(container.id = id, %failure, "the engine does not describe a container");
                    (id, listed.map(|listed| *listed))
                }
                _ => (id, None),
            });
        }
        Ok(seen)
    }

    pub(crate) async fn container(&self, id: &str) -> Result<ObservedContainer, Error> {
        Ok(read::container(inspect(&self.docker, id).await?))
    }

    /// Ports on which an image says that its containers listen. Podman does not repeat them for the container.
    pub(crate) async fn ports_of_image(&self, id: &str) -> BTreeSet<PortNumber> {
        let image = self.docker.inspect_image(id).await.ok();
        let config = image.and_then(|image| image.config).unwrap_or_default();
        ports::parse_all(config.exposed_ports.iter().flatten())
    }

    /// The client for an answer that may begin at any time.
    pub(crate) fn endless(&self) -> Docker {
        self.docker.clone().with_timeout(EVENTS_TIMEOUT)
    }

    /// The client with the timeout of an action.
    pub(crate) fn patient(&self) -> Docker {
        self.docker.clone().with_timeout(ACTION_TIMEOUT)
    }
}

/// The engine's description of a container, without labels of ours that are only its image's.
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

/// Why the engine is too old, with the versions.
fn too_old(version: &SystemVersion) -> Option<String> {
    let api_version = version.api_version.as_deref()?;
    let (major, minor) = api_version.split_once('.')?;
    let speaks: (u32, u32) = (major.parse().ok()?, minor.parse().ok()?);
    let (major, minor) = OLDEST_API;
    (speaks < OLDEST_API).then(|| {
        format!(
            "The container engine is version {}, which speaks version {api_version} of the engine API. Flotilla needs {major}.{minor} or newer: \
             update to Docker 20.10 or newer, or Podman 4 or newer.",
            version.version.as_deref().unwrap_or("unknown")
        )
    })
}

fn facts(version: SystemVersion, info: SystemInfo, api_version: String) -> EngineFacts {
    let components = version.components.unwrap_or_default();
    let podman = components
        .iter()
        .any(|component| component.name.starts_with("Podman"));
    let os = info.operating_system.or(version.os).unwrap_or_default();
    let kernel = info.kernel_version.unwrap_or_default();
    // Docker Desktop's virtual machine has a name of its own, and on most systems a kernel of its own, too.
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
        ailment: None,
    }
}
