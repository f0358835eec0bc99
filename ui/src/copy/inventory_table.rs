//! Texts that the inventory tables share.

use crate::format::count;

pub const NO_DEVICES: &str = "Nothing to show yet";
pub const NO_DEVICES_TEXT: &str = "Containers, images and volumes appear once a device is added.";
pub const NO_ANSWER: &str = "No device answered";
pub const NO_ANSWER_TEXT: &str =
    "None of your devices is online, and none has reported anything to show here.";
pub const RETRY: &str = "Retry now";
pub const UNREACHABLE: &str = "Unreachable devices";
pub const RECONNECTING: &str = "The link dropped a moment ago. The agent is connecting again.";
pub const OFFLINE: &str = "The device has no link to the controller.";
pub const REVOKED: &str = "The device was revoked.";
pub const QUARANTINED: &str = "Two machines present themselves as this device.";
pub const CLOSE: &str = "Close";
pub const NONE: &str = "None";

pub const NO_CONTAINERS: &str = "No containers";
pub const NO_CONTAINERS_TEXT: &str = "None of your devices runs a container yet.";
pub const NO_STACKS: &str = "No stacks";
pub const NO_STACKS_TEXT: &str = "Compose projects that run on your devices appear here by themselves.";
pub const NO_IMAGES: &str = "No images";
pub const NO_IMAGES_TEXT: &str = "None of your devices holds an image yet.";
pub const NO_VOLUMES: &str = "No volumes";
pub const NO_VOLUMES_TEXT: &str = "None of your devices holds a volume yet.";
pub const NO_NETWORKS: &str = "No networks";
pub const NO_NETWORKS_TEXT: &str = "No networks besides Docker's own.";

#[must_use]
pub fn loading(what: &str) -> String {
    format!("Asking your devices for their {what}…")
}

/// "2 of 41 devices unreachable".
#[must_use]
pub fn unreachable(silent: usize, all: usize) -> String {
    format!("{} of {} devices unreachable", count(silent), count(all))
}

#[must_use]
pub fn gone(name: &str) -> String {
    format!("{name} is not here any more. It was removed, or its device was.")
}
