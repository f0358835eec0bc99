//! The one meaning of the access policy, shared by control, agents and the user interface.
//!
//! A [`Policy`] is what people write. [`Compiled`] is what control distributes: a filter per device, and the peers
//! that each device may know. [`evaluate`] gives the same by reading the rules one by one, so simply that it can be
//! checked by reading; a property test compares the two. [`run_tests`], [`explain`], [`review`] and [`warnings`] are
//! for the people who write policies.
//!
//! Rules only allow; what no enabled rule allows is denied. Rules add up, so their order has no meaning. A rule
//! between a device and itself has none either. A rule that [`check`] refuses allows nothing.

mod check;
mod compile;
mod evaluate;
mod explain;
mod flows;
mod guard;
mod kinds;
mod review;
mod select;
mod starting;
mod warn;

pub use check::{Flaw, LONGEST_NAME, MOST_RULES, check};
pub use compile::{Compiled, Kind};
pub use evaluate::{Verdict, evaluate};
pub use explain::explain;
pub use guard::{run_tests, sentence};
pub use review::{LISTED, review};
pub use select::{renamed, selects};
pub use starting::starting;
pub use warn::warnings;

use flotilla_protocol::{
    device::{Device, NetworkMode},
    id::DeviceId,
    name::{DeviceName, Tag},
    policy::{Policy, Rule},
};
use std::net::Ipv4Addr;

/// The facts about a device that rules depend on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    pub id: DeviceId,
    pub name: DeviceName,
    pub address: Ipv4Addr,
    pub tags: Vec<Tag>,
    /// The person to whom the device belongs.
    pub user: Option<String>,
    /// [`NetworkMode::Bridge`] stands for everything that keeps packets of the mesh out.
    pub mode: NetworkMode,
}

impl Subject {
    pub fn of(device: &Device) -> Self {
        Self {
            id: device.id,
            name: device.name.clone(),
            address: device.mesh_ip,
            tags: device.tags.clone(),
            user: None,
            mode: device.mode,
        }
    }

    /// Whether packets from the mesh arrive there at all. Rules may allow flows that its network mode cannot receive.
    pub fn is_reachable(&self) -> bool {
        self.mode != NetworkMode::Bridge
    }
}

fn find(subjects: &[Subject], id: DeviceId) -> Option<&Subject> {
    subjects.iter().find(|subject| subject.id == id)
}

/// The rules that can allow something: enabled, and not refused by [`check`].
fn in_force(policy: &Policy) -> impl Iterator<Item = &Rule> {
    policy
        .rules
        .iter()
        .filter(|rule| rule.enabled && check::has_sound_ports(rule))
}

#[cfg(test)]
mod tests;
