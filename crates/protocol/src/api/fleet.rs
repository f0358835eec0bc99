//! The fleet as a whole: its name, and where it can be reached.

use crate::{
    Timestamp,
    endpoint::Endpoint,
    id::{DeviceId, FleetId},
    open::choice,
    pin::Pin,
};
use serde::{Deserialize, Serialize};

choice!(
    /// Which devices may reach which at the start, before anybody wrote a rule.
    StartingPolicy:
    /// Only this computer can reach devices.
    Locked = "locked",
    /// Every device can reach every other.
    OpenLab = "open_lab"
);

/// What a page needs to know before it shows anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Fleet {
    pub id: FleetId,
    /// `None` until the owner has answered Welcome.
    pub name: Option<String>,
    pub version: String,
    /// Addresses at which devices reach control, best first.
    pub endpoints: Vec<Endpoint>,
    /// Those of `endpoints` that a person added, such as a router's public address.
    #[serde(default)]
    pub added_endpoints: Vec<Endpoint>,
    pub ca_pin: Pin,
    pub tls_pin: Pin,
    pub mesh_cidr: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starting_policy: Option<StartingPolicy>,
    /// The device that is the computer control runs on, if its agent is enrolled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub this_computer: Option<DeviceId>,
    /// An address from outside the local network is among `endpoints`.
    #[serde(default)]
    pub reachable_from_outside: bool,
    /// A free name in two words to propose for the next device, for example `dancing-panda`.
    #[serde(default)]
    pub proposed_name: String,
    /// Processor architectures for which control can serve an agent: `x86_64`, `aarch64`.
    #[serde(default)]
    pub agents: Vec<String>,
    pub as_of: Timestamp,
}

#[derive(Debug, Clone, Copy)]
pub struct GetFleet;

request!(GetFleet, Get "/fleet" => Fleet);

/// Sets what is given and leaves the rest.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct UpdateFleet {
    pub name: Option<String>,
    #[serde(default, deserialize_with = "crate::open::known_if_any")]
    pub starting_policy: Option<StartingPolicy>,
    /// Moves every device to the same place in another range of mesh addresses.
    pub mesh_cidr: Option<String>,
    /// Replaces the addresses that people added; devices learn of the new ones at once.
    pub added_endpoints: Option<Vec<Endpoint>>,
}

request!(UpdateFleet, Patch "/fleet" (Self) => Fleet);

/// Asks control to open a connection to each of its own addresses and see whether it meets itself.
#[derive(Debug, Clone, Copy)]
pub struct TestAddresses;

/// The outcome of one address.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReachableAt {
    pub endpoint: Endpoint,
    pub reachable: bool,
    /// Why not, and what to do; absent when it is.
    pub reason: Option<String>,
    /// Why it may be unreachable all the same, where that cannot be known from here, and how to find out.
    pub doubt: Option<String>,
}

request!(TestAddresses, Get "/fleet/addresses" => Vec<ReachableAt>);
