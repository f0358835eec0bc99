//! Devices: which ones belong to the fleet. Every change of a device's record is made here.
//!
//! Life of a device: added with a token (pending) → enrolled → perhaps rotated (a new token, the same device) → revoked
//! → removed. Each change is decided and written under the write lock, published, and has its entry of the activity log
//! among its effects.

mod enroll;
mod links;
mod mode;
mod offer;
mod progress;
mod this_computer;
mod update;

pub(crate) use enroll::{EnrollError, Enrolled, Enrollee, enroll};
pub(crate) use links::{admit, came_online, contest, quarantine, went_offline};
pub(crate) use mode::{mode_label, set_mode};
pub(crate) use offer::{add, config_file, offer_for_ssh_install, rotate};
pub(crate) use progress::{attempt_failed, stage_reached};
pub(crate) use this_computer::local_enrollment;
pub(crate) use update::{remove, revoke, update};

use crate::{core::Core, refusal::Refusal};
use flotilla_protocol::{
    Code,
    id::DeviceId,
    name::{DeviceName, Tag},
};

fn parse_name(core: &Core, text: &str, own: Option<DeviceId>) -> Result<DeviceName, Refusal> {
    let name = text.parse::<DeviceName>();
    let name = name.map_err(|error| Refusal::invalid("name", error.to_string()))?;
    let taken = core
        .cache
        .lock()
        .find(name.as_str())
        .is_some_and(|entry| Some(entry.row.id) != own);
    if taken {
        return Err(Refusal(Code::NameTaken.because(format!("There is already a device named {name}. Choose another name, or re-enroll {name} from its Trust tab.")))
        .with_field("name"));
    }
    Ok(name)
}

/// Tags that `field` of a request names.
pub(super) fn parse_tags(texts: &[String], field: &str) -> Result<Vec<Tag>, Refusal> {
    let tags = texts.iter().map(|text| text.parse::<Tag>());
    let tags: Result<_, _> = tags.collect();
    tags.map_err(|error| Refusal::invalid(field, error.to_string()))
}
