//! The mesh in the control API: its policy, its paths, its relays.

use super::{Empty, List};
use crate::{
    Timestamp,
    endpoint::Endpoint,
    id::RelayId,
    name::DeviceName,
    path::{Path, PathAttempt},
    policy::{Policy, PolicyTest, Proto},
};
use serde::{Deserialize, Serialize};

/// The policy that is in force.
#[derive(Debug, Clone, Copy)]
pub struct GetPolicy;

request!(GetPolicy, Get "/policy" => PolicyInForce);

/// A policy with the number of its revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PolicyInForce {
    /// Grows by one with each save.
    pub revision: u64,
    pub policy: Policy,
    pub saved: Timestamp,
    /// Who saved it.
    pub by: String,
}

/// Replaces the policy whole, or refuses it whole: `policy_test` names a test that would fail.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SetPolicy {
    pub policy: Policy,
    /// The revision that was edited; another one in force is a conflict. Absent: whatever is in force.
    pub revision: Option<u64>,
}

request!(SetPolicy, Put "/policy" (Self) => PolicyInForce);

/// What a policy would change, before it is saved.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ReviewPolicy {
    pub policy: Policy,
}

request!(ReviewPolicy, Post "/policy/review" (Self) => PolicyReview);

/// The difference between the policy in force and another one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PolicyReview {
    /// At most 1,000; `opens_total` counts all.
    pub opens: Vec<Reach>,
    pub closes: Vec<Reach>,
    #[serde(default)]
    pub opens_total: u64,
    #[serde(default)]
    pub closes_total: u64,
    /// Pairs with live traffic that would lose their last rule.
    pub cuts: Vec<Reach>,
    /// Tests that would fail.
    pub failing: Vec<FailedTest>,
    /// What is allowed but cannot work, such as a device in bridge networking as destination.
    pub warnings: Vec<String>,
}

/// What one device may reach on another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Reach {
    /// A device's name, or a range of addresses.
    pub from: String,
    pub to: DeviceName,
    pub proto: Proto,
    /// As [`crate::policy::Ports`] prints, or `other protocols` for what is none of TCP, UDP and ICMP.
    pub ports: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FailedTest {
    pub test: PolicyTest,
    /// The sentence that people read: `the test "laptop can reach nas on tcp 22" would fail`.
    pub message: String,
}

/// Why one device may or may not reach another.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ExplainAccess {
    /// Names or ids.
    pub from: String,
    pub to: String,
    #[serde(deserialize_with = "crate::open::known")]
    pub proto: Proto,
    pub port: Option<u16>,
    /// Asked of this policy instead of the one in force.
    pub policy: Option<Policy>,
}

request!(ExplainAccess, Post "/policy/explain" (Self) => Explanation);

#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Explanation {
    pub allowed: bool,
    /// The rule that allows it; absent when none does.
    pub rule: Option<String>,
    /// `Allowed by rule web from laptops`, `Blocked: no rule matches`.
    pub message: String,
    /// Rules that come close, and what of them differs.
    #[serde(default)]
    pub nearest: Vec<NearRule>,
    /// How the two devices reach each other, whatever the policy says.
    pub path: Option<Path>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NearRule {
    pub rule: String,
    /// `its ports are 80, 443`, `it is switched off`.
    pub differs: Vec<String>,
}

/// All paths, both directions of each pair of devices. Of more than 100 devices, pairs that no rule connects are only
/// listed for the devices that are named.
#[derive(Debug, Clone, Default)]
pub struct ListPaths {
    /// Ids or names: only paths that begin at one of them; all when empty.
    pub devices: Vec<String>,
}

request!(ListPaths, Get "/paths" ? "device" devices => List<Path>);

/// Probes every way between two devices now.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct TestPath {
    pub from: String,
    pub to: String,
}

request!(TestPath, Post "/paths/test" (Self) => Vec<PathAttempt>);

#[derive(Debug, Clone, Copy)]
pub struct ListRelays;

request!(ListRelays, Get "/relays" => List<RelayFacts>);

/// A relay as people see it.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RelayFacts {
    pub id: RelayId,
    pub name: String,
    /// The device that runs it; absent for the controller's own.
    pub device: Option<DeviceName>,
    pub endpoints: Vec<Endpoint>,
    /// What it passes on for all others together; absent for the controller's own.
    pub mbit_per_second: Option<u32>,
    pub up: bool,
    /// Devices that listen there.
    pub devices: u32,
    pub as_of: Timestamp,
}

#[derive(Debug, Clone, Default)]
pub struct PromoteRelay {
    pub device: String,
    pub change: RelayChange,
}

/// Makes a device a relay for the others, or ends that.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RelayChange {
    pub relay: bool,
    /// UDP and TCP port that the relay listens on; 7443 when absent.
    pub port: Option<u16>,
    /// `HOST` or `HOST:PORT` at which others reach it, when its own addresses are not it.
    pub address: Option<String>,
    /// Megabits per second that it passes on for all others together, who share them evenly: 1 to 100,000; 100 when
    /// absent.
    pub mbit_per_second: Option<u32>,
}

request!(PromoteRelay, Post "/devices/{device}/relay" [device] (change: RelayChange) => Empty);
