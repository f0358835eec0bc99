//! Texts about stacks, images, volumes and networks.

use crate::format::{count, counted};

pub const FILTER_STACKS: &str = "Filter stacks";
pub const FILTER_IMAGES: &str = "Filter images";
pub const FILTER_VOLUMES: &str = "Filter volumes";
pub const FILTER_NETWORKS: &str = "Filter networks";

pub const NAME: &str = "Name";
pub const STATE: &str = "State";
pub const DEVICE: &str = "Device";
pub const SERVICES: &str = "Services";
pub const FILES: &str = "Compose files";
pub const CONTAINERS: &str = "Containers";
pub const REPOSITORY: &str = "Repository";
pub const TAG: &str = "Tag";
pub const TAGS: &str = "Tags";
pub const SIZE: &str = "Size";
pub const CREATED: &str = "Created";
pub const USED_BY: &str = "Used by";
pub const USE: &str = "Use";
pub const DIGESTS: &str = "Digests";
pub const ID: &str = "ID";
pub const COPY_ID: &str = "Copy ID";
pub const DRIVER: &str = "Driver";
pub const STACK: &str = "Stack";
pub const MOUNT_POINT: &str = "Mount point";
pub const LABELS: &str = "Labels";
pub const SUBNET: &str = "Subnet";
pub const INTERNAL: &str = "Internal";
pub const ATTACHABLE: &str = "Attachable";
pub const UNTAGGED: &str = "<none>";
pub const UNKNOWN: &str = "Unknown";
pub const STANDARD_INPUT: &str = "From standard input";
pub const FOLDERS: &str = "Folders";
pub const BY_NAME: &str = "By name";

pub const STACK_STATES: &[(&str, &str)] = &[
    ("unhealthy", "Unhealthy"),
    ("partial", "Partly running"),
    ("running", "Running"),
    ("stopped", "Stopped"),
];
pub const IMAGE_USES: &[(&str, &str)] = &[
    ("used", "Used"),
    ("unused", "Unused"),
    ("unknown", "Unknown"),
    ("dangling", "Dangling"),
];
pub const USES: &[(&str, &str)] = &[("used", "Used"), ("unused", "Unused")];

/// "3 of 4 running".
#[must_use]
pub fn running_of(running: u32, total: u32) -> String {
    format!("{running} of {total} running")
}

#[must_use]
pub fn used_by(containers: usize) -> String {
    if containers == 0 {
        "Unused".to_owned()
    } else {
        counted(containers, "container", "containers")
    }
}

/// "Used by 2 containers", or that the engine does not report it.
#[must_use]
pub fn image_use(containers: Option<u32>) -> String {
    containers.map_or_else(|| UNKNOWN.to_owned(), |number| used_by(number as usize))
}

/// "2 folders use this name".
#[must_use]
pub fn folders(number: usize) -> String {
    format!("{} folders use this name", count(number))
}

pub const SHOW_CONTAINERS: &str = "Show containers";
pub const NO_CONTAINERS: &str = "It has no containers.";

#[must_use]
pub fn show_containers(number: u32) -> String {
    format!("Show {} in the table", count(number as usize))
}

#[must_use]
pub fn yes_no(value: bool) -> &'static str {
    if value { "Yes" } else { "No" }
}
