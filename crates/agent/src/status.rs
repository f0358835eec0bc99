//! What `flotilla-agent status` tells: the stored identity, and what a running agent last noted beside it.

use crate::{
    disk::{Disk as _, RealDisk},
    state::{self, StateError},
};
use flotilla_protocol::{
    Timestamp,
    endpoint::Endpoint,
    id::{DeviceId, FleetId},
    inventory::EngineState,
    name::DeviceName,
};
use serde::{Deserialize, Serialize};
use std::{
    fmt, fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

const FILE: &str = "status.json";

/// The link, as its agent sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum LinkStatus {
    Up { since: Timestamp, endpoint: Endpoint },
    Down { since: Timestamp, reason: String },
}

impl LinkStatus {
    pub(crate) fn down(reason: String) -> Self {
        Self::Down {
            since: crate::clock::AgentClock::system(),
            reason,
        }
    }
}

/// What a running agent notes. Losing it loses nothing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Notes {
    link: Option<LinkStatus>,
    engine: Option<EngineState>,
}

/// Where a running agent notes how it fares.
#[derive(Debug, Clone)]
pub(crate) struct StatusFile {
    path: PathBuf,
    notes: Arc<Mutex<Notes>>,
}

impl StatusFile {
    pub(crate) fn new(state_dir: &Path) -> Self {
        Self {
            path: state_dir.join(FILE),
            notes: Arc::default(),
        }
    }

    /// A link that stays down for the same reason stays noted since the first time.
    pub(crate) fn set_link(&self, link: LinkStatus) {
        self.note(|notes| match (&notes.link, &link) {
            (Some(LinkStatus::Down { reason: old, .. }), LinkStatus::Down { reason: new, .. })
                if old == new => {}
            _ => notes.link = Some(link),
        });
    }

    pub(crate) fn set_engine(&self, engine: EngineState) {
        self.note(|notes| notes.engine = Some(engine));
    }

    fn note(&self, change: impl FnOnce(&mut Notes)) {
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        let before = notes.clone();
        change(&mut notes);
        if *notes != before
            && let Ok(text) = serde_json::to_vec(&*notes)
        {
            // Written beside and renamed, so that a reader never sees half of it.
            let fresh = self.path.with_extension("json.new");
            if let Err(error) = RealDisk
                .write(&fresh, &text)
                .and_then(|()| RealDisk.rename(&fresh, &self.path))
            {
                tracing::debug!(%error, "the status could not be noted");
            }
        }
    }
}

/// An agent from outside.
#[derive(Debug, Serialize)]
pub struct Status {
    pub version: &'static str,
    /// An agent holds the state directory.
    pub running: bool,
    pub device: Option<EnrolledDevice>,
    /// Known while an agent runs.
    pub link: Option<LinkStatus>,
    pub engine: Option<EngineState>,
}

#[derive(Debug, Serialize)]
pub struct EnrolledDevice {
    pub fleet_id: FleetId,
    pub id: DeviceId,
    pub name: DeviceName,
    pub mesh_ip: std::net::Ipv4Addr,
    pub endpoints: Vec<Endpoint>,
}

/// Why there is nothing to tell.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct StatusError(#[from] StateError);

/// Looks at the agent that uses `state_dir`, without disturbing it.
///
/// # Errors
/// The directory may not be read, or what it holds is damaged.
pub fn status(state_dir: &Path) -> Result<Status, StatusError> {
    let identity = state::load(state_dir)?.and_then(|state| state.identity);
    let running = state::is_held(state_dir);
    let notes: Notes = fs::read(state_dir.join(FILE))
        .ok()
        .filter(|_| running)
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default();
    Ok(Status {
        version: crate::VERSION,
        running,
        device: identity.map(|identity| EnrolledDevice {
            fleet_id: identity.fleet_id,
            id: identity.device_id,
            name: identity.device_name,
            mesh_ip: identity.mesh.address,
            endpoints: identity.endpoints,
        }),
        link: notes.link,
        engine: notes.engine,
    })
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let running = if self.running { "running" } else { "not running" };
        writeln!(f, "agent    {running}, version {}", self.version)?;
        match &self.device {
            Some(device) => writeln!(
                f,
                "device   {} ({}), mesh address {}",
                device.name, device.id, device.mesh_ip
            )?,
            None => writeln!(f, "device   not enrolled")?,
        }
        match &self.link {
            Some(LinkStatus::Up { since, endpoint }) => {
                writeln!(f, "link     up since {since}, to {endpoint}")?
            }
            Some(LinkStatus::Down { since, reason }) => writeln!(f, "link     down since {since}: {reason}")?,
            None => {}
        }
        match &self.engine {
            Some(EngineState::Running(facts)) => writeln!(f, "engine   {} {}", facts.flavor, facts.version)?,
            Some(state) => writeln!(f, "engine   {}", state.reason().unwrap_or_default())?,
            None => {}
        }
        Ok(())
    }
}
