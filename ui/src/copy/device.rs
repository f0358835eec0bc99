//! Texts of the page of a device.

use super::devices::{listed, object};
use crate::components::confirm::Stakes;
use flotilla_protocol::{device::NetworkMode, inventory::EngineState};

pub const OVERVIEW: &str = "Overview";
pub const CONTAINERS: &str = "Containers";
pub const PATHS: &str = "Paths";
pub const TAGS: &str = "Tags";
pub const TRUST: &str = "Trust";
pub const SECTIONS: &str = "Sections of this device";
pub const NOT_FOUND: &str = "No device with this address.";
pub const NOT_FOUND_TEXT: &str = "It may have been removed, or the address is misspelled.";
pub const SEE_ALL: &str = "See all devices";
pub const LOADING: &str = "Loading this device…";
pub const THIS_COMPUTER: &str = "This computer";

pub const FACTS: &str = "Facts";
pub const USAGE: &str = "In use";
pub const LINK: &str = "Link to the controller";
pub const NO_FACTS: &str = "Its agent has not reported yet.";
pub const NO_FIGURES: &str = "The first figures come in a moment.";
pub const UNKNOWN: &str = "Unknown";
pub const TOP_CONTAINERS: &str = "Containers that need a look";
pub const RECENT: &str = "Recent events";
pub const NO_EVENTS: &str = "Nothing has happened here yet.";

pub const NEW_NAME: &str = "New name";
pub const RENAMING: &str = "Renaming…";
pub const SAVING_TAGS: &str = "Saving…";
pub const EDIT_TAGS: &str = "Tags";
pub const TAGS_TEXT: &str = "Tags group devices in every list and filter, and access rules speak of them.";
pub const SAVE_TAGS: &str = "Save tags";
pub const DISCARD: &str = "Discard changes";

pub const CERTIFICATE: &str = "Certificate";
pub const CERTIFICATE_TEXT: &str = "The key was made on the device and has never left it.";
pub const NO_CERTIFICATE: &str = "This device has not enrolled yet.";
pub const REENROLL: &str = "Create re-enroll command";
pub const REENROLL_TEXT: &str = "Brings this device back under the same name, mesh address and history: after a reinstall, a lost disk, or a revoke.";
pub const ROTATE: &str = "Rotate certificate";
pub const ROTATE_TEXT: &str =
    "Makes a new key and certificate. The old ones work until the new ones first connect.";
pub const REVOKE: &str = "Revoke";
pub const REVOKING: &str = "Revoking…";
pub const WAS_REVOKED: &str = "revoked";
pub const REVOKE_TEXT: &str = "Ends this device's trust within seconds. Its containers keep running.";
pub const REMOVE: &str = "Remove device";
pub const REMOVING: &str = "Removing…";
pub const WAS_REMOVED: &str = "removed";
pub const REMOVE_TEXT: &str = "Forgets this device. Its name and mesh address become free.";
pub const ALREADY_REVOKED: &str = "This device is revoked already.";
pub const NOT_IN_FLEET: &str = "This device is not in use: it is revoked or has not enrolled.";
pub const NOT_ENROLLED: &str = "This device has not enrolled yet. Remove it instead.";

/// The name of a network mode.
#[must_use]
pub fn mode(mode: NetworkMode) -> &'static str {
    super::add_device::card(mode).title
}

/// An engine with its version, or why it cannot be used.
#[must_use]
pub fn engine(engine: &EngineState) -> String {
    match engine {
        EngineState::Running(facts) => {
            let name = if facts.flavor == "podman" {
                "Podman"
            } else {
                "Docker"
            };
            let kind = if facts.docker_desktop {
                " (Docker Desktop)"
            } else {
                ""
            };
            format!("{name} {}{kind}", facts.version)
        }
        EngineState::Absent { reason, .. }
        | EngineState::Stopped { reason, .. }
        | EngineState::Denied { reason, .. }
        | EngineState::Unfit { reason, .. } => reason.clone(),
        EngineState::Unknown => UNKNOWN.to_owned(),
    }
}

#[must_use]
pub fn revoke_title(device: &str) -> String {
    format!("Revoke {device}?")
}

/// What is lost by revoking and how to get it back.
#[must_use]
pub fn revoke_stakes(devices: &[&str]) -> Stakes {
    let (text, lost, kept, back) = match devices {
        [device] => (
            String::new(),
            [
                format!("{device} loses management and the mesh within seconds."),
                "Its certificate and mesh key stop working for good.".to_owned(),
            ],
            format!("Containers on {device} keep running."),
            "To bring it back, create a re-enroll command and run it on the device.",
        ),
        many => (
            String::new(),
            [
                format!("{} lose management and the mesh within seconds.", listed(many)),
                "Their certificates and mesh keys stop working for good.".to_owned(),
            ],
            "Containers on them keep running.".to_owned(),
            "To bring one back, create a re-enroll command and run it on the device.",
        ),
    };
    Stakes {
        text,
        lost: lost.into(),
        kept: vec![kept],
        back: back.to_owned(),
    }
}

#[must_use]
pub fn revoke(device: &str) -> String {
    format!("Revoke {device}")
}

#[must_use]
pub fn remove_title(device: &str) -> String {
    format!("Remove {device}?")
}

#[must_use]
pub fn remove_stakes(device: &str) -> Stakes {
    Stakes {
        text: String::new(),
        lost: vec![
            format!("{device} disappears from every list."),
            "Its name and mesh address become free.".to_owned(),
        ],
        kept: vec!["What is recorded in Activity stays.".to_owned()],
        back: "To have it back, add it as a new device.".to_owned(),
    }
}

#[must_use]
pub fn remove(device: &str) -> String {
    format!("Remove {device}")
}

#[must_use]
pub fn keep(device: &str) -> String {
    format!("Keep {device}")
}

#[must_use]
pub fn revoked(devices: &[&str]) -> String {
    format!("{} {} revoked.", object(devices), are(devices))
}

#[must_use]
pub fn removed(devices: &[&str]) -> String {
    format!("{} {} removed.", object(devices), are(devices))
}

fn are(devices: &[&str]) -> &'static str {
    if devices.len() == 1 { "is" } else { "are" }
}

#[must_use]
pub fn called(name: &str) -> String {
    format!("The device is called {name} now.")
}

#[must_use]
pub fn rename_title(device: &str) -> String {
    format!("Rename {device}")
}

#[must_use]
pub fn tags_saved(device: &str) -> String {
    format!("Tags of {device} saved.")
}
