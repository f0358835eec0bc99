//! Why there is no data plane, in sentences that say what to do.

use std::io;

use flotilla_protocol::cidr::IpRange;
use flotilla_protocol::mesh::MeshTrouble;

use crate::device::DeviceError;
use crate::route::RouteInTheWay;

#[derive(Debug, thiserror::Error)]
pub enum TunnelError {
    #[error(transparent)]
    Device(#[from] DeviceError),
    #[error(
        "The mesh uses {mesh}, and this device already routes {route}. Choose another range for the mesh, or remove \
         that route."
    )]
    RangeOverlap { mesh: IpRange, route: RouteInTheWay },
    #[error(
        "UDP port {port} could not be opened: {source}. Stop the program that uses it, or choose another port."
    )]
    NoUdp {
        port: u16,
        #[source]
        source: io::Error,
    },
    #[error(
        "The interface {0} could not be set up: {1}. The agent needs root or the capability CAP_NET_ADMIN."
    )]
    Interface(String, #[source] io::Error),
    #[error("The interface {0} was removed by someone else. Restart the agent to have it made again.")]
    InterfaceGone(String),
    #[error(
        "The system gives the data plane nothing to work with: {0}. See whether it has run out of files or memory."
    )]
    System(#[source] io::Error),
    #[error("The data plane has ended. Restart the agent.")]
    Ended,
}

impl TunnelError {
    /// What control is told.
    #[must_use]
    pub fn trouble(&self) -> MeshTrouble {
        match self {
            Self::Device(DeviceError::NameTaken(_)) => MeshTrouble::InterfaceTaken,
            Self::Device(_) => MeshTrouble::NoTun,
            Self::RangeOverlap { .. } => MeshTrouble::RangeOverlap,
            Self::NoUdp { .. } => MeshTrouble::NoUdp,
            Self::Interface(..) | Self::InterfaceGone(_) | Self::System(_) | Self::Ended => {
                MeshTrouble::Other
            }
        }
    }
}
