//! Texts of the list of devices.

use crate::format::counted;
use flotilla_protocol::device::NetworkMode;

pub const ADD: &str = "Add Device";
pub const FILTER: &str = "Filter devices";
pub const LOADING: &str = "Asking the controller for its devices…";
pub const EMPTY: &str = "No devices yet";
pub const EMPTY_TEXT: &str = "Add one and it appears here as soon as it connects.";

pub const NAME: &str = "Name";
pub const STATUS: &str = "Status";
pub const TAG: &str = "Tag";
pub const TAGS: &str = "Tags";
pub const MESH_ADDRESS: &str = "Mesh address";
pub const MODE: &str = "Network mode";
pub const PATH: &str = "Path";
pub const THIS_ONE: &str = "This one";
pub const CONTAINERS: &str = "Containers";
pub const CPU: &str = "CPU";
pub const MEMORY: &str = "Memory";
pub const DISK: &str = "Disk";
pub const LAST_SEEN: &str = "Last seen";
pub const AGENT: &str = "Agent version";
pub const OS: &str = "OS";
pub const CERTIFICATE: &str = "Certificate expires";
pub const ENROLLED: &str = "Enrolled";
pub const NOW: &str = "now";
pub const THIS_COMPUTER: &str = "this computer";

pub const OPEN: &str = "Open";
pub const ENROLLMENT: &str = "Show enrollment";
pub const TRUST: &str = "Trust";
pub const COPY_ADDRESS: &str = "Copy mesh address";

#[must_use]
pub fn copy_address_of(device: &str) -> String {
    format!("Copy mesh address of {device}")
}

pub const STATUSES: &[(&str, &str)] = &[
    ("attention", "Needs attention"),
    ("offline", "Offline"),
    ("reconnecting", "Reconnecting"),
    ("online", "Online"),
    ("pending", "Pending"),
    ("revoked", "Revoked"),
    ("quarantined", "Quarantined"),
];

pub const MODES: &[(&str, &str)] = &[
    ("host", "Host"),
    ("bridge", "Bridge"),
    ("pause", "Pause container"),
];

#[must_use]
pub fn mode(mode: NetworkMode) -> &'static str {
    match mode {
        NetworkMode::Host => "Host",
        NetworkMode::Bridge => "Bridge",
        NetworkMode::Pause => "Pause",
        NetworkMode::Unknown => "Unknown",
    }
}

pub const EDIT_TAGS: &str = "Edit tags";
pub const SAVING: &str = "Saving…";
pub const TAGS_TO_ADD: &str = "Tags to add";
pub const TAGS_TO_REMOVE: &str = "Tags to remove";
pub const NO_TAG_CHANGE: &str = "Name a tag to add or to remove first.";

/// At most this many names are listed.
const LISTED: usize = 12;

fn devices(number: usize) -> String {
    counted(number, "device", "devices")
}

/// Names as a list: "nas, vps-2 and desk"; of many, the first ones and a count.
#[must_use]
pub fn listed(names: &[&str]) -> String {
    match names {
        [] => "No device".to_owned(),
        [only] => (*only).to_owned(),
        _ if names.len() > LISTED => {
            let more = devices(names.len() - LISTED);
            format!("{} and {more} more", names[..LISTED].join(", "))
        }
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}

/// The object of an action: one device by its name, several by their number.
#[must_use]
pub fn object(names: &[&str]) -> String {
    match names {
        [only] => (*only).to_owned(),
        _ => devices(names.len()),
    }
}

#[must_use]
pub fn edit_tags_of(number: usize) -> String {
    format!("Edit tags of {}", devices(number))
}

#[must_use]
pub fn save_tags_of(number: usize) -> String {
    format!("Save tags of {}", devices(number))
}

#[must_use]
pub fn tags_saved(number: usize) -> String {
    format!("Tags of {} saved.", devices(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_devices_are_named_as_far_as_one_reads() {
        assert_eq!(listed(&["nas", "vps-2", "desk"]), "nas, vps-2 and desk");
        let many = ["d"; 14];
        assert!(
            listed(&many).ends_with("d, d and 2 devices more"),
            "{}",
            listed(&many)
        );
        assert_eq!(
            (object(&["nas"]), object(&many)),
            ("nas".into(), "14 devices".into())
        );
    }
}
