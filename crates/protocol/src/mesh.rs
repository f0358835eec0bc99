//! The network map: what one agent must know to be on the mesh, and how a change of it is told.
//!
//! Control makes a map per device and pushes it over the link, whole at first and as differences afterwards. An
//! agent keeps the last one on disk and lives on it while control is away.

mod change;
mod place;
mod share;

pub use change::{MapChange, MapPush, MapTaken, StaleChange};
pub use place::{MeshAddress, RelayPreference};
pub use share::share_evenly;

use crate::{
    cidr::IpRange,
    endpoint::Endpoint,
    id::{DeviceId, RelayId},
    key::PublicKey,
    name::DeviceName,
    policy::{PortRange, Proto},
};
use serde::{Deserialize, Serialize};
use std::net::{Ipv4Addr, SocketAddr};

/// `POST` with [`MapPush`], answered with [`MapTaken`] once the map is in force, and on disk as far as it has to outlive
/// a power cut: where peers were last need not.
pub const MAP_PATH: &str = "/v1/map";

/// `POST /v1/paths/{device id}/test`: probes all candidates of a peer now; answers [`crate::path::PathAttempt`]s.
pub const PATHS_PATH: &str = "/v1/paths";

/// UDP port for the second reflexive probe, relative to the fleet port: two mappings of one socket tell what kind
/// of NAT is in between (RFC 4787 §4.1).
pub const REFLECT_PORT_OFFSET: u16 = 1;

/// Largest IP packet that is sent through a relay, in bytes, where no link on the way turns out to be too narrow for it:
/// the least that IPv6 asks of any link, and so of the mesh (RFC 8200 §5).
pub const RELAYED_MTU: u16 = 1280;

/// What one device must know of the mesh.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkMap {
    /// Grows with every change of this device's map.
    pub revision: u64,
    pub address: MeshAddress,
    pub relay: RelayPreference,
    /// Only devices that some rule connects with this one, in either direction; by id.
    pub peers: Vec<Peer>,
    pub relays: Vec<Relay>,
    /// What may come in.
    pub filter: Filter,
    /// Lets this device use relays; absent while it may not.
    pub ticket: Option<RelayTicket>,
}

/// Another device, as far as this one must know it.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peer {
    pub id: DeviceId,
    pub name: DeviceName,
    pub public_key: PublicKey,
    /// The one address that it may use as a source, and that packets to it have as destination.
    pub address: Ipv4Addr,
    pub relay: RelayPreference,
    /// Where it may be reached directly; none when its traffic always goes through a relay.
    #[serde(default)]
    pub candidates: Vec<Candidate>,
    /// The relay at which it listens.
    pub home_relay: Option<RelayId>,
    /// What is between it and the rest of the world, as it last reported.
    #[serde(default)]
    pub nat: Nat,
    /// It speaks WireGuard and nothing else: no probes, no relays; its first candidate is its endpoint.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub plain: bool,
}

/// An address at which a device may be reached (RFC 8445 §5.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Candidate {
    pub kind: CandidateKind,
    pub address: SocketAddr,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CandidateKind {
    /// An address of one of its own interfaces.
    Local,
    /// Where others see its packets come from.
    Reflexive,
    /// A kind that a newer agent knows.
    #[serde(other)]
    Unknown,
}

/// A server that passes sealed packets on.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relay {
    pub id: RelayId,
    /// For people: the device that runs it, or `controller`.
    pub name: String,
    pub public_key: PublicKey,
    /// Where it listens, on UDP and on TLS with the same port number, best first.
    pub endpoints: Vec<Endpoint>,
    /// UDP port of the second reflexive probe; absent when it has none.
    pub reflect_port: Option<u16>,
}

/// Control's signed statement that a device may use relays until a moment. The crate `flotilla-identity` defines what
/// the text holds.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, derive_more::Debug)]
#[debug("RelayTicket(…)")]
#[serde(transparent)]
pub struct RelayTicket(pub String);

/// What may come in from peers; anything else is dropped in silence. Replies to what went out always may.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    pub allows: Vec<Allow>,
}

/// Packets from any of `sources` to this device.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Allow {
    pub sources: Vec<IpRange>,
    pub proto: Proto,
    /// Destination ports; empty means all of them, and says nothing for a protocol without ports.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<PortRange>,
}

/// How an agent stands on the mesh. Reported whole whenever something of it changes.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MeshReport {
    pub state: MeshState,
    /// Revision of the map that is in force; 0 before the first.
    pub revision: u64,
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Object>))]
    pub candidates: Vec<Candidate>,
    /// The relay with the shortest round trip, where this device listens.
    pub home_relay: Option<RelayId>,
    /// What is between the device and the rest of the world.
    pub nat: Nat,
}

/// Whether a device is on the mesh.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum MeshState {
    /// No map was applied yet.
    Starting,
    /// Packets pass between the system and the interface, as a test has shown, or it is known what is in the way.
    Up {
        interface: String,
        mtu: u16,
        obstacle: Option<Obstacle>,
    },
    /// The device is managed, but not on the mesh.
    Down {
        code: MeshTrouble,
        /// What is wrong and what to do about it.
        reason: String,
    },
    #[serde(other)]
    Unknown,
}

/// Something on the device that keeps packets from its programs, or its programs' packets from the mesh.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Obstacle {
    pub code: MeshTrouble,
    /// What is wrong and what to do about it.
    pub reason: String,
}

/// Why a device is not on the mesh, or what it lacks there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum MeshTrouble {
    /// The agent may not make a TUN device, or the system has none.
    NoTun,
    /// The mesh's addresses overlap with a network that the device already routes.
    RangeOverlap,
    /// Another program has the interface's name.
    InterfaceTaken,
    /// No UDP port could be opened.
    NoUdp,
    /// The device asks a name server at one of the mesh's addresses.
    NameServer,
    /// The system sends what is for the mesh elsewhere.
    RouteTaken,
    /// The system drops what comes from the mesh since it would answer by another interface.
    ReversePath,
    /// A firewall of the device drops packets from the mesh, or to it.
    Firewall,
    #[serde(other)]
    Other,
}

/// What reflexive probes told about the way out (RFC 4787 §4.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Nat {
    /// One mapping for all destinations, or no NAT at all.
    EndpointIndependent,
    /// Another mapping per destination: others cannot foresee it.
    EndpointDependent,
    /// No UDP answer came back, while TCP works.
    UdpBlocked,
    /// Nothing answered yet.
    #[default]
    #[serde(other)]
    Unknown,
}

#[cfg(test)]
mod tests;
