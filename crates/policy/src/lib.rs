//! The one meaning of the access policy, shared by control, agents and the user interface.
//!
//! A [`Policy`] is what people write; [`Compiled`] is what control hands out: a filter per device, and the peers
//! that each device may know. [`evaluate`] says the same by reading the rules one by one, so simply that it can be
//! checked by eye; a property holds the two together. [`run_tests`], [`explain`], [`review`] and [`warnings`] are
//! for the people who write policies.
//!
//! Rules only allow, and what no enabled rule allows is denied. Rules add up, so their order means nothing. A rule
//! between a device and itself means nothing either. A rule that [`check`] refuses allows nothing.

mod check;
mod compile;
mod evaluate;
mod explain;
mod flows;
mod guard;
mod kinds;
mod ranges;
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

/// A device, as far as rules speak of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    pub id: DeviceId,
    pub name: DeviceName,
    pub address: Ipv4Addr,
    pub tags: Vec<Tag>,
    /// The person whom it belongs to.
    pub user: Option<String>,
    /// Bridge networking also stands for whatever else keeps packets of the mesh out.
    pub mode: NetworkMode,
}

impl Subject {
    #[must_use]
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

    /// Whether packets from the mesh arrive there at all. Rules may allow what its network mode cannot receive.
    #[must_use]
    pub fn is_reachable(&self) -> bool {
        self.mode != NetworkMode::Bridge
    }
}

fn find(subjects: &[Subject], id: DeviceId) -> Option<&Subject> {
    subjects.iter().find(|subject| subject.id == id)
}

/// The rules that allow something.
fn in_force(policy: &Policy) -> impl Iterator<Item = &Rule> {
    policy
        .rules
        .iter()
        .filter(|rule| rule.enabled && check::has_sound_ports(rule))
}

#[cfg(test)]
mod tests;
