//! What `flotilla-agent status` prints: the stored identity, and what a running agent last noted beside it.

use crate::state::{
    self, StateError,
    status_file::{LinkStatus, MeshStatus, Notes, PeerStatus},
};
use flotilla_protocol::{
    endpoint::Endpoint,
    id::{DeviceId, FleetId},
    inventory::EngineState,
    mesh::MeshState,
    name::DeviceName,
};
use serde::Serialize;
use std::{fmt, net::Ipv4Addr, path::Path};

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
    let notes = if running {
        Notes::read(state_dir)
    } else {
        Notes::default()
    };
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
mod tests;
