//! What passes over a link: the agent's report to control, and control's calls to the agent.
//!
//! The agent is an HTTP/2 server on the connection that it dialed itself. Control opens one `GET` [`WATCH_PATH`]
//! for the life of the link; its body is a sequence of [`Report`]s, one JSON object a line. Everything else is a
//! short call that answers JSON, or a [`crate::Problem`]. What takes long or takes things apart is a [`crate::job`].

use crate::{
    Timestamp,
    device::{EndpointTrial, Facts, Usage},
    endpoint::Endpoint,
    inventory::{EngineState, Inventory, Item, Kind},
    key::PublicKey,
    mesh::MeshReport,
    name::DeviceName,
    path::PeerPath,
};
use serde::{Deserialize, Serialize};

/// Path of the WebSocket upgrade on the fleet port; needs a device certificate.
pub const LINK_PATH: &str = "/agent/v1/link";

/// Header of the upgrade that carries the agent's machine id, so that a copied identity shows.
pub const MACHINE_HEADER: &str = "flotilla-machine";

/// Header of the upgrade that carries the agent's [`crate::PROTOCOL`], so that a control that does not work with it can
/// say so before there is a link. Agents of the first release send none.
pub const PROTOCOL_HEADER: &str = "flotilla-protocol";

/// Header of the upgrade that carries the host name, so that a copy can be named to people.
pub const HOSTNAME_HEADER: &str = "flotilla-hostname";

/// Header of the upgrade that carries a random name, which the agent makes up when it starts and keeps until it ends. Two
/// agents that take turns with one identity show by it also where their machines have the same id.
pub const RUN_HEADER: &str = "flotilla-run";

/// `GET`: the agent's reports, as JSON lines, until the link ends.
pub const WATCH_PATH: &str = "/v1/watch";

/// `POST` with [`Settings`]: what control wants the agent to know. Answered when it is on disk.
pub const SETTINGS_PATH: &str = "/v1/settings";

/// `GET`, answered with [`Pong`]. Control measures how long the answer takes, and how far the device's clock is off.
pub const PING_PATH: &str = "/v1/ping";

/// `POST`: the device was revoked. The agent answers, then stops for good.
pub const REVOKED_PATH: &str = "/v1/revoked";

/// `POST /v1/containers/{id}/{action}` with an action of [`crate::inventory::ContainerAction`].
pub const CONTAINERS_PATH: &str = "/v1/containers";

/// One line of the watch. The first is always `Hello`, followed by `Engine` and, when it runs, `Inventory`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "report", rename_all = "snake_case")]
pub enum Report {
    Hello(Hello),
    /// The machine's facts changed.
    Facts(Facts),
    /// The engine appeared, went away, or became another one.
    Engine(EngineState),
    /// All that the engine holds; replaces everything known before.
    Inventory(Inventory),
    /// Things that appeared or changed.
    Upsert {
        items: Vec<Item>,
    },
    /// Things that are gone.
    Remove {
        items: Vec<ItemRef>,
    },
    Usage(Usage),
    /// How the device stands on the mesh.
    Mesh(MeshReport),
    /// Paths to peers that changed; those to peers that left the map are forgotten with them.
    Paths {
        paths: Vec<PeerPath>,
    },
    /// How control's addresses fared when the device tried them.
    Endpoints {
        trials: Vec<EndpointTrial>,
    },
    /// A report that a newer agent knows.
    #[serde(other)]
    Unknown,
}

/// Names one item on the device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemRef {
    pub kind: Kind,
    pub key: String,
}

/// An agent introduces itself at the start of each link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    pub protocol: u32,
    pub agent_version: String,
    /// The device's clock at sending.
    pub sent_at: Timestamp,
    pub facts: Facts,
}

/// The answer to a ping.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pong {
    /// The device's clock at sending; absent from an agent that does not tell.
    pub sent_at: Option<Timestamp>,
}

/// What control wants an agent to know; it replaces what the agent knew.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    pub device_name: DeviceName,
    /// Where control can be reached, best first.
    pub endpoints: Vec<Endpoint>,
    /// Control's clock at sending.
    pub sent_at: Timestamp,
    /// The device passes other devices' packets on; absent while it does not.
    pub relay: Option<RelayDuty>,
}

/// What a device must know to run a relay. The relay's key is the device's own WireGuard key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelayDuty {
    /// UDP and TCP port to listen on. The UDP port [`crate::mesh::REFLECT_PORT_OFFSET`] after it answers probes too.
    pub port: u16,
    /// Megabits per second that it passes on for all others together.
    #[serde(default = "mbit_per_second")]
    pub mbit_per_second: u32,
    /// Keys whose tickets count no longer, although they have not expired.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub revoked: Vec<PublicKey>,
}

/// Megabits per second that a relay passes on where the owner chose no limit: what a common line at home carries in
/// either direction.
pub const RELAY_MBIT_PER_SECOND: u32 = 100;

fn mbit_per_second() -> u32 {
    RELAY_MBIT_PER_SECOND
}

/// Whether a container is to share the network of the device's pod. It is recreated for that, with its volumes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PodPlacement {
    pub member: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::{Stack, Volume};

    #[test]
    fn reports_are_one_line_each_and_read_back() {
        let stack = Stack {
            name: "media".into(),
            services: vec!["db".into()],
            running: 1,
            total: 1,
            unhealthy: 0,
            config_files: vec!["/srv/media/compose.yaml".into()],
            folders: vec![],
        };
        let volume = Volume {
            name: "pg_data".into(),
            driver: "local".into(),
            mountpoint: String::new(),
            created: None,
            used_by: vec![],
            stack: None,
            labels: Default::default(),
        };
        let reports = [
            Report::Engine(EngineState::Absent {
                reason: "no socket".into(),
                since: None,
            }),
            Report::Upsert {
                items: vec![Item::Stack(stack), Item::Volume(volume)],
            },
            Report::Remove {
                items: vec![ItemRef {
                    kind: Kind::Container,
                    key: "4f1c".into(),
                }],
            },
            Report::Usage(Usage {
                cpu_cores: 0.5,
                memory_bytes: 1 << 30,
                disk_bytes: 7,
            }),
        ];
        let lines: Vec<_> = reports
            .iter()
            .map(|report| serde_json::to_string(report).unwrap())
            .collect();
        insta::assert_snapshot!(lines.join("\n"));
        for (line, report) in lines.iter().zip(reports) {
            assert_eq!(serde_json::from_str::<Report>(line).unwrap(), report);
        }
    }

    #[test]
    fn a_report_of_the_future_is_unknown_and_not_an_error() {
        assert_eq!(
            serde_json::from_str::<Report>(r#"{"report":"tides","high":[1,2]}"#).unwrap(),
            Report::Unknown
        );
    }
}
