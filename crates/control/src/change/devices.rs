//! Devices: which ones belong to the fleet. Every change of a device's record is made here.
//!
//! Life of a device: added with a token (pending) → enrolled → perhaps rotated (a new token, the same device) → revoked
//! → removed. Each change is decided and written under the write lock, published, and recorded in the activity log.

mod links;
mod offer;
mod progress;
mod update;

pub(crate) use links::{admit, came_online, contest, quarantine, went_offline};
pub(crate) use offer::{add, config_file, local_enrollment, offer_for_ssh_install, rotate};
pub(crate) use progress::{attempt_failed, device_enrolled, stage_reached};
pub(crate) use update::{remove, revoke, update};

use crate::{
    cache::DeviceEntry,
    core::Core,
    refusal::{Refusal, no_such_device},
    store::NewActivity,
};
use flotilla_fleet::Cidr;
use flotilla_protocol::{
    Code,
    activity::{Action, Actor},
    id::DeviceId,
    name::{DeviceName, Tag},
};

/// A copy of a device, by its id or its name.
pub(crate) fn get(core: &Core, device: &str) -> Result<DeviceEntry, Refusal> {
    core.cache
        .lock()
        .find(device)
        .cloned()
        .ok_or_else(|| no_such_device(device))
}

/// A device name of two words that no device has.
pub(crate) fn propose_name(core: &Core) -> String {
    let state = core.cache.lock();
    flotilla_fleet::propose_name(|name| state.find(name.as_str()).is_some(), &mut *core.random()).to_string()
}

fn parse_name(core: &Core, text: &str, own: Option<DeviceId>) -> Result<DeviceName, Refusal> {
    let name: DeviceName = text
        .parse()
        .map_err(|error: flotilla_protocol::name::InvalidName| {
            Refusal::new(Code::InvalidInput, error.to_string()).with_field("name")
        })?;
    let taken = core
        .cache
        .lock()
        .find(name.as_str())
        .is_some_and(|entry| Some(entry.row.id) != own);
    if taken {
        return Err(Refusal::new(
            Code::NameTaken,
            format!("There is already a device named {name}. Choose another name, or re-enroll {name} from its Trust tab."),
        )
        .with_field("name"));
    }
    Ok(name)
}

fn parse_tags(texts: &[String], field: &str) -> Result<Vec<Tag>, Refusal> {
    texts
        .iter()
        .map(|text| {
            text.parse()
                .map_err(|error: flotilla_protocol::name::InvalidName| {
                    Refusal::new(Code::InvalidInput, error.to_string()).with_field(field)
                })
        })
        .collect()
}

/// The mesh's range.
pub(crate) fn range(core: &Core) -> Result<Cidr, Refusal> {
    let text = core.cache.lock().fleet.mesh_cidr.clone();
    text.parse()
        .map_err(|_| Refusal::new(Code::Internal, format!("The mesh range {text} is no range.")))
}

/// An activity entry about what the owner did to a device.
pub(crate) fn by_owner(action: Action, id: DeviceId, name: &DeviceName, details: String) -> NewActivity {
    NewActivity {
        actor: Actor::Owner,
        action,
        target: None,
        device: Some((id, name.to_string())),
        succeeded: true,
        details,
    }
}
