//! How an agent is configured, by its program and by what surrounds it.

use crate::{enroll::source::EnrollmentSource, mesh::TUN_NAME};
use flotilla_engine::Sockets;
use flotilla_link::Proxies;
use std::{path::PathBuf, time::Duration};

/// How often a dismissed agent in a container looks for another token.
const LOOK_FOR_TOKEN: Duration = Duration::from_secs(10);

/// Environment variable with the socket of one user's own engine, which the service can't see. The unit sets it.
const USERS_ENGINE: &str = "FLOTILLA_USERS_ENGINE";

/// How an agent is configured.
#[derive(Debug, Clone)]
pub struct AgentConfig {
    /// Made if it is missing; belongs to one agent at a time.
    pub state_dir: PathBuf,
    pub enrollment: EnrollmentSource,
    /// `DOCKER_HOST`; `None` looks where engines usually listen.
    pub docker_host: Option<String>,
    /// Which proxies to ask on the way to control and to relays.
    pub proxies: Proxies,
    /// Name of the mesh's interface, at most 15 letters and digits.
    pub tun_name: String,
    /// How often to look for another token when this device is dismissed, instead of returning: in a container,
    /// returning would only make the engine start the same agent again.
    pub idle_when_dismissed: Option<Duration>,
}

impl AgentConfig {
    /// An agent with its state here, enrolling from there, and otherwise as its surroundings suggest.
    pub fn new(state_dir: impl Into<PathBuf>, enrollment: EnrollmentSource) -> Self {
        Self {
            state_dir: state_dir.into(),
            enrollment,
            tun_name: TUN_NAME.to_owned(),
            docker_host: std::env::var("DOCKER_HOST").ok(),
            proxies: Proxies::from_environment(),
            idle_when_dismissed: is_first_process().then_some(LOOK_FOR_TOKEN),
        }
    }

    pub(super) fn sockets(&self) -> Sockets {
        sockets(self.docker_host.as_deref())
    }
}

/// The sockets at which to look for an engine; `docker_host` is the one that `DOCKER_HOST` names.
pub(super) fn sockets(docker_host: Option<&str>) -> Sockets {
    let folder = |name| std::env::var_os(name).map(PathBuf::from);
    let (runtime_dir, home) = (folder("XDG_RUNTIME_DIR"), folder("HOME"));
    let sockets = Sockets::new(docker_host, runtime_dir.as_deref(), home.as_deref());
    let is_told = docker_host.is_some_and(|host| !host.is_empty());
    let users_own = folder(USERS_ENGINE).filter(|path| !is_told && !path.as_os_str().is_empty());
    sockets.with_users_own(users_own)
}

/// Whether returning ends a container, whose restart policy then starts the agent again. Under an init system, in a
/// container or not, the service manager heeds the exit code instead.
fn is_first_process() -> bool {
    std::process::id() == 1
}
