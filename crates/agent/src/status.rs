//! What `flotilla-agent status` prints: the stored identity, and what a running agent last noted beside it.

use crate::{
    disk::{Disk as _, RealDisk},
    mesh::MeshSnapshot,
    state::{self, StateError},
};
use flotilla_protocol::{
    Timestamp,
    endpoint::Endpoint,
    id::{DeviceId, FleetId},
    inventory::EngineState,
    mesh::{MeshReport, MeshState, NetworkMap},
    name::DeviceName,
    path::PeerPath,
};
use serde::{Deserialize, Serialize};
use std::{
    fmt, fs,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

const FILE: &str = "status.json";

/// The link, as the agent sees it.
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

/// What a running agent notes for `status`. Nothing depends on it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Notes {
    link: Option<LinkStatus>,
    engine: Option<EngineState>,
    mesh: Option<MeshStatus>,
}

/// The mesh, as this device sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MeshStatus {
    pub report: MeshReport,
    /// In the order of their names.
    pub peers: Vec<PeerStatus>,
}

/// A device that some rule connects with this one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PeerStatus {
    pub name: DeviceName,
    pub address: Ipv4Addr,
    /// Absent while nothing is known.
    pub path: Option<PeerPath>,
    /// Name of the relay that the path leads through.
    pub relay: Option<String>,
}

/// Where a running agent writes its notes.
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

    /// Notes the link. A link that stays down for the same reason keeps the time at which it went down.
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

    /// Notes the mesh, with the names that its map has for other devices.
    pub(crate) fn set_mesh(&self, snapshot: &MeshSnapshot, map: Option<&NetworkMap>) {
        let relay = |path: &PeerPath| {
            let mut relays = map.into_iter().flat_map(|map| &map.relays);
            let relay = relays.find(|relay| Some(relay.id) == path.relay)?;
            Some(relay.name.clone())
        };
        let peers = map.into_iter().flat_map(|map| &map.peers).map(|peer| {
            let path = snapshot.paths.get(&peer.id).cloned();
            PeerStatus {
                name: peer.name.clone(),
                address: peer.address,
                relay: path.as_ref().and_then(relay),
                path,
            }
        });
        let mut peers: Vec<_> = peers.collect();
        peers.sort_by(|a, b| a.name.cmp(&b.name));
        let report = snapshot.report.clone();
        self.note(|notes| notes.mesh = Some(MeshStatus { report, peers }));
    }

    pub(crate) fn clear_mesh(&self) {
        self.note(|notes| notes.mesh = None);
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

/// The state of the agent on this device, seen from outside.
#[derive(Debug, Serialize)]
pub struct Status {
    pub version: &'static str,
    /// An agent holds the state directory.
    pub running: bool,
    pub device: Option<EnrolledDevice>,
    /// Known only while an agent runs.
    pub link: Option<LinkStatus>,
    pub engine: Option<EngineState>,
    pub mesh: Option<MeshStatus>,
}

#[derive(Debug, Serialize)]
pub struct EnrolledDevice {
    pub fleet_id: FleetId,
    pub id: DeviceId,
    pub name: DeviceName,
    pub mesh_ip: Ipv4Addr,
    pub endpoints: Vec<Endpoint>,
}

/// Why the status can't be read.
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
        mesh: notes.mesh,
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
        self.mesh.iter().try_for_each(|mesh| write!(f, "{mesh}"))
    }
}

impl fmt::Display for MeshStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.report.state {
            MeshState::Up {
                interface, obstacle, ..
            } => {
                writeln!(f, "mesh     up on {interface}, map {}", self.report.revision)?;
                if let Some(obstacle) = obstacle {
                    writeln!(f, "         not all packets pass: {}", obstacle.reason)?;
                }
            }
            MeshState::Down { reason, .. } => writeln!(f, "mesh     down: {reason}")?,
            MeshState::Starting | MeshState::Unknown => writeln!(f, "mesh     waiting for control")?,
        }
        self.peers.iter().try_for_each(|peer| write!(f, "{peer}"))
    }
}

impl fmt::Display for PeerStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "peer     {} {}", self.name, self.address)?;
        let Some(path) = &self.path else {
            return writeln!(f, ", no path known");
        };
        write!(f, ", {}", path.why)?;
        if let Some(remote) = path.remote {
            write!(f, ", {remote}")?;
        }
        if let Some(relay) = &self.relay {
            write!(f, ", by {relay}")?;
        }
        if let Some(rtt_ms) = path.rtt_ms {
            write!(f, ", {rtt_ms:.1} ms")?;
        }
        writeln!(f)
    }
}

#[cfg(test)]
#[path = "status/tests.rs"]
mod tests;
