//! Why the data plane did not start or ended, in sentences that say what to do.

use std::fmt;
use std::io;
use std::net::Ipv4Addr;

use flotilla_protocol::cidr::IpRange;
use flotilla_protocol::mesh::MeshTrouble;

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
        "The mesh uses {mesh}, and this device asks the name server {server} inside of it: names would lead nowhere \
         any more. Choose another range for the mesh, or another name server for the device."
    )]
    NameServer { mesh: IpRange, server: Ipv4Addr },
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
    /// The code that control is told.
    pub fn trouble(&self) -> MeshTrouble {
        match self {
            Self::Device(DeviceError::NameTaken(_)) => MeshTrouble::InterfaceTaken,
            Self::Device(_) => MeshTrouble::NoTun,
            Self::RangeOverlap { .. } => MeshTrouble::RangeOverlap,
            Self::NameServer { .. } => MeshTrouble::NameServer,
            Self::NoUdp { .. } => MeshTrouble::NoUdp,
            Self::Interface(..) | Self::InterfaceGone(_) | Self::System(_) | Self::Ended => {
                MeshTrouble::Other
            }
        }
    }
}

/// Why the interface could not be created, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    #[error(
        "The system does not let this program make a network interface. Run the agent as root, or give it the \
         capability CAP_NET_ADMIN; in a container, add --cap-add NET_ADMIN --device /dev/net/tun."
    )]
    NotPermitted,
    #[error(
        "The system has no /dev/net/tun. Load the kernel's module with `modprobe tun`; in a container, add \
         --device /dev/net/tun."
    )]
    NoTun,
    #[error(
        "There is a network interface named {0} already. Stop the program that made it, or remove it with \
         `ip link delete {0}`."
    )]
    NameTaken(String),
    #[error("{0:?} cannot be the name of a network interface: it takes 1 to 15 letters, digits, '-' or '_'.")]
    BadName(String),
    #[error(
        "The mesh needs Linux so far: on this system, the agent can't make a network interface for it. Containers are \
         managed all the same."
    )]
    Unsupported,
    #[error("The kernel cannot make a TUN device: {0}. Linux 3.10 or newer with TUN support is needed.")]
    Kernel(#[source] io::Error),
}

/// A route of this device that shares addresses with a range of mesh addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteInTheWay {
    pub range: IpRange,
    /// The interface that it leads to; empty for a route without an interface.
    pub interface: String,
}

impl fmt::Display for RouteInTheWay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.range)?;
        if !self.interface.is_empty() {
            write!(f, " on {}", self.interface)?;
        }
        Ok(())
    }
}
