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

pub const NOT_COPIED: &str = "The address could not be copied. Select it and press Ctrl+C.";

#[must_use]
pub fn copy_address_of(device: &str) -> String {
    format!("Copy mesh address of {device}")
}

#[must_use]
pub fn copied(address: &str) -> String {
    format!("{address} is copied.")
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
pub const REVOKE: &str = "Revoke";
pub const CANCEL: &str = "Cancel";
pub const KEEP: &str = "Keep devices";
pub const TAGS_TO_ADD: &str = "Tags to add";
pub const TAGS_TO_REMOVE: &str = "Tags to remove";
pub const NONE_REVOCABLE: &str =
    "None of these devices can be revoked: each is revoked already or has not enrolled.";
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

#[must_use]
pub fn revoked(number: usize) -> String {
    let are = if number == 1 { "is" } else { "are" };
    format!("{} {are} revoked.", devices(number))
}

#[must_use]
pub fn failed_for(device: &str, why: &str) -> String {
    format!("{device}: {why}")
}

#[must_use]
pub fn revoke_title(object: &str) -> String {
    format!("Revoke {object}?")
}

#[must_use]
pub fn revoke(object: &str) -> String {
    format!("Revoke {object}")
}

/// What is lost by revoking and how to get it back. `skipped` of the chosen devices have no trust and are left out.
#[must_use]
pub fn revoke_text(names: &[&str], skipped: usize, chosen: usize) -> String {
    let left_out = match skipped {
        0 => String::new(),
        1 => format!(" 1 of {chosen} is revoked already or has not enrolled, and is skipped."),
        more => format!(" {more} of {chosen} are revoked already or have not enrolled, and are skipped."),
    };
    let text = match names {
        [only] => super::device::revoke_text(only),
        many => format!(
            "{} lose management and the mesh within seconds. Their certificates and mesh keys stop working for good. Containers on them keep running. To bring one back, create a re-enroll command and run it on the device.",
            listed(many)
        ),
    };
    text + &left_out
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

    #[test]
    fn a_question_says_whom_it_leaves_out() {
        let text = revoke_text(&["nas", "desk"], 1, 3);
        assert!(text.starts_with("nas and desk lose management"), "{text}");
        assert!(
            text.ends_with("1 of 3 is revoked already or has not enrolled, and is skipped."),
            "{text}"
        );
    }
}
