//! A device as people see it: its modes, status, facts and what needs attention.

pub use crate::mesh::RelayPreference;

use crate::{
    Timestamp,
    endpoint::Endpoint,
    id::DeviceId,
    inventory::EngineState,
    mesh::{MeshReport, MeshTrouble},
    name::{DeviceName, Tag},
    open::choice,
};
use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;

choice!(
    /// What of a device the mesh can reach, and in whose network the agent runs.
    NetworkMode:
    /// The device's own network: its services and published ports, after policy.
    Host = "host",
    /// A network of the agent's own: management only, nothing inbound.
    Bridge = "bridge",
    /// A pod: the agent and chosen containers share one mesh address.
    Pause = "pause"
);

impl NetworkMode {
    /// The mode of an agent whose container is in this network, as engines call it: `host`, `container:<id>`, else a
    /// network's name.
    pub fn of_network(network: &str) -> Self {
        match network {
            "host" => Self::Host,
            shared if shared.starts_with("container:") => Self::Pause,
            _ => Self::Bridge,
        }
    }
}

choice!(
    /// Where a device stands in its life, and whether it can be spoken to now.
    DeviceStatus:
    /// Added; no agent has enrolled yet.
    Pending = "pending",
    Online = "online",
    /// Without a link for less than [`crate::RECONNECTING_SECONDS`].
    Reconnecting = "reconnecting",
    Offline = "offline",
    Revoked = "revoked",
    /// Another machine presents this device's identity.
    Quarantined = "quarantined"
);

/// Something about a device that a person should look at.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Attention {
    /// The agent's own container has host networking on Docker Desktop, which reaches its virtual machine, not the
    /// computer. Nothing may come in until the owner keeps this mode or chooses another.
    DockerDesktopHost,
    /// The agent runs on the computer itself, and its engine is Docker Desktop: containers with host networking are
    /// in the virtual machine, out of the mesh's reach. Nothing is held back.
    DockerDesktop,
    /// The agent is not in the network of the device's mode but in that of this one: it could not move, or was not
    /// moved yet.
    Strayed { runs: NetworkMode },
    /// The device's clock differs from control's by this many seconds (positive: ahead).
    ClockSkew { seconds: i64 },
    /// Less than a tenth of the disk is free, and less than 10 GiB.
    LowDisk { free_bytes: u64, total_bytes: u64 },
    /// The container engine cannot be used, or something of it does not work: what, and since when by the device's clock.
    Engine {
        reason: String,
        since: Option<Timestamp>,
    },
    /// A second machine presented this device's identity and was turned away.
    Cloned {
        hostname: String,
        address: String,
        at: Timestamp,
        /// The machine that it takes turns with, as `HOSTNAME at ADDRESS`. Which of the two is the device can't be told:
        /// both were turned away until a person decides. Absent where only the second one was.
        contests: Option<String>,
    },
    /// The device is managed, but not on the mesh.
    Mesh { code: MeshTrouble, reason: String },
    /// The device is on the mesh, and something on it keeps packets from passing.
    MeshObstacle { code: MeshTrouble, reason: String },
    /// The device reports more than control keeps of one device, so some of its things are missing from lists; why.
    Partial { reason: String },
    /// A kind that a newer control knows.
    #[serde(other)]
    Unknown,
}

/// What an agent found out about the machine it runs on. Changes rarely; sent whole.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Facts {
    pub hostname: String,
    /// Operating system as it names itself, for example `Debian GNU/Linux 12 (bookworm)`.
    pub os: String,
    pub kernel: String,
    /// Processor architecture by its Rust name: `x86_64`, `aarch64`.
    pub arch: String,
    pub cpus: u32,
    pub memory_bytes: u64,
    /// Size of the file system that holds the agent's state.
    pub disk_bytes: u64,
    /// The agent itself runs in a container.
    #[serde(default)]
    pub containerized: bool,
}

/// How much of a device is in use, sampled by its agent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Usage {
    /// Busy processor cores, for example 1.5 of [`Facts::cpus`].
    #[serde(deserialize_with = "crate::figure::finite")]
    pub cpu_cores: f32,
    pub memory_bytes: u64,
    /// Used bytes of the file system of [`Facts::disk_bytes`].
    pub disk_bytes: u64,
}

/// How many containers a device holds, by what a person asks first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ContainerCounts {
    pub total: u32,
    pub running: u32,
    /// Those that run and whose health check fails.
    pub unhealthy: u32,
    /// Those in trouble of any kind, the unhealthy ones included: see [`Container::trouble`](crate::inventory::Container::trouble).
    #[serde(default)]
    pub troubled: u32,
}

/// One of control's addresses, tried from a device.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EndpointTrial {
    pub endpoint: Endpoint,
    /// Control answered there and proved that it is control.
    pub reached: bool,
    /// Why not; absent when it did.
    pub reason: Option<String>,
    pub at: Timestamp,
}

/// The link between a device and control.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LinkFacts {
    /// Since when the present link is up; absent while there is none.
    pub since: Option<Timestamp>,
    /// The address the device dials from.
    pub remote: Option<String>,
    pub rtt_ms: Option<f32>,
    /// The device's clock minus control's, in seconds.
    pub clock_skew_seconds: Option<i64>,
    /// It comes through a tunnel that control keeps by `ssh`, because the device can't dial control by itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tunneled: bool,
    /// When the last link ended and why.
    pub last_drop: Option<LinkDrop>,
}

/// The end of a link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LinkDrop {
    pub at: Timestamp,
    pub reason: String,
}

/// A device's certificate, in the words of its Trust page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CertificateFacts {
    pub issued: Timestamp,
    pub expires: Timestamp,
    /// SHA-256 of the certificate, lowercase hexadecimal.
    pub fingerprint: String,
}

/// A device as the control API shows it.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Device {
    pub id: DeviceId,
    pub name: DeviceName,
    pub status: DeviceStatus,
    pub cordoned: bool,
    pub draining: bool,
    pub attention: Vec<Attention>,
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub mesh_ip: Ipv4Addr,
    pub mode: NetworkMode,
    pub relay: RelayPreference,
    pub tags: Vec<Tag>,
    /// The agent that runs on the computer of control itself.
    #[serde(default)]
    pub this_computer: bool,
    pub agent_version: Option<String>,
    /// When the device was last known to be there; absent before its first link.
    pub last_seen: Option<Timestamp>,
    /// The moment for which everything in this row is known to be true.
    pub as_of: Timestamp,
    pub created: Timestamp,
    /// Until when the pending token enrolls; absent when none is pending.
    pub token_expires: Option<Timestamp>,
    pub enrolled: Option<Timestamp>,
    pub certificate: Option<CertificateFacts>,
    pub facts: Option<Facts>,
    pub usage: Option<Usage>,
    pub engine: Option<EngineState>,
    #[serde(default)]
    pub containers: ContainerCounts,
    #[serde(default)]
    pub link: LinkFacts,
    /// How it stands on the mesh; absent before its agent told.
    pub mesh: Option<MeshReport>,
    /// It passes other devices' packets on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_relay: bool,
    /// The owner keeps host networking although the engine is Docker Desktop's. Where it is and this is false, nothing may
    /// come in.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub host_kept: bool,
    /// A person said that this is one machine: its machine id may differ from link to link.
    #[serde(default)]
    pub vouched: bool,
    /// How control's addresses fare when this device tries them, in control's order; empty before it told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub endpoint_trials: Vec<EndpointTrial>,
}

impl Device {
    /// Whether a person should look at it: it reports trouble of its own, or holds a container in trouble. A device
    /// that is not Online needs none, because what it reported may be out of date.
    pub fn needs_attention(&self) -> bool {
        let has_any = !self.attention.is_empty() || self.containers.troubled > 0;
        self.status == DeviceStatus::Online && has_any
    }

    /// Whether the agent may not make the mesh's interface, a right that a service of the system has.
    pub fn lacks_mesh_right(&self) -> bool {
        let about_it = |about: &Attention| {
            matches!(
                about,
                Attention::Mesh {
                    code: MeshTrouble::NoTun,
                    ..
                }
            )
        };
        self.attention.iter().any(about_it)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_parse_as_they_print_and_name_the_alternatives() {
        for mode in NetworkMode::ALL {
            assert_eq!(mode.to_string().parse::<NetworkMode>().unwrap(), *mode);
            assert_eq!(serde_json::to_string(mode).unwrap(), format!("\"{mode}\""));
        }
        assert_eq!(
            "vpn".parse::<NetworkMode>().unwrap_err().to_string(),
            "\"vpn\" is not one of host, bridge, pause"
        );
    }

    #[test]
    fn a_choice_of_the_future_is_unknown_and_cannot_be_asked_for() {
        assert_eq!(
            serde_json::from_str::<DeviceStatus>("\"dreaming\"").unwrap(),
            DeviceStatus::Unknown
        );
        assert!("unknown".parse::<DeviceStatus>().is_err());
        let add_device =
            |mode| serde_json::from_str::<crate::api::AddDevice>(&format!(r#"{{"mode":"{mode}"}}"#));
        assert_eq!(add_device("host").unwrap().mode, Some(NetworkMode::Host));
        let refused = add_device("vpn").unwrap_err().to_string();
        assert!(
            refused.contains("expected one of host, bridge, pause"),
            "{refused}"
        );
    }

    #[test]
    fn a_mode_is_known_by_the_network_of_the_agents_container() {
        for (network, mode) in [
            ("host", NetworkMode::Host),
            ("bridge", NetworkMode::Bridge),
            ("flotilla_default", NetworkMode::Bridge),
            ("container:9c", NetworkMode::Pause),
        ] {
            assert_eq!(NetworkMode::of_network(network), mode, "{network}");
        }
    }

    #[test]
    fn an_attention_of_the_future_is_unknown_and_not_an_error() {
        let attention: Attention = serde_json::from_str(r#"{"kind":"full_moon","phase":1}"#).unwrap();
        assert_eq!(attention, Attention::Unknown);
    }
}
