//! Texts about the addresses of the controller.

use crate::format::counted;

pub const LIST: &str = "Addresses of this controller";
pub const NONE: &str =
    "No address is known at which devices reach this controller. Connect this computer to a network.";
pub const TESTING: &str = "Testing…";
pub const REACHABLE: &str = "Reachable from here";
pub const NOT_REACHABLE: &str = "Not reachable from here";
pub const ADDED: &str = "Added by you";
pub const UNTRIED: &str = "Not tried by a device yet";

pub const ADD: &str = "Add an address";
pub const NEW: &str = "New address";
pub const NEW_HINT: &str = "A name or an IP address at which this computer answers, such as fleet.example.org or 203.0.113.7:7443. Without a port it is 7443.";
pub const MISSING: &str = "Enter an address.";
pub const SAVE: &str = "Add address";
pub const CANCEL: &str = "Cancel";
pub const UNDO: &str = "Undo";

/// Which of the devices that tried an address reached the controller by it.
#[must_use]
pub fn reached_by(reached: &[&str], missed: &[&str]) -> String {
    match (reached, missed) {
        ([], []) => UNTRIED.to_owned(),
        ([one], []) => format!("Reached by {one}"),
        ([], [one]) => format!("Not reached by {one}"),
        (_, []) => format!("Reached by all {} devices", reached.len()),
        ([], _) => format!("Reached by none of {} devices", missed.len()),
        _ => format!(
            "Reached by {} of {} devices",
            reached.len(),
            reached.len() + missed.len()
        ),
    }
}

#[must_use]
pub fn device_reached(device: &str) -> String {
    format!("{device} reached it")
}

#[must_use]
pub fn device_missed(device: &str, reason: &str) -> String {
    format!("{device} didn't reach it: {reason}")
}

#[must_use]
pub fn known_already(endpoint: &str) -> String {
    format!("{endpoint} is in the list already.")
}

#[must_use]
pub fn removed(endpoint: &str) -> String {
    format!("{endpoint} is removed.")
}

#[must_use]
pub fn remove(endpoint: &str) -> String {
    format!("Remove {endpoint}")
}

#[must_use]
pub fn remove_title(endpoint: &str) -> String {
    format!("Remove {endpoint}?")
}

/// The question before removing an address that is the only one of these devices.
#[must_use]
pub fn remove_text(devices: &[&str]) -> String {
    let who = match devices {
        [one] => format!("{one} reaches this controller at no other address."),
        _ => format!(
            "{} reach this controller at no other address: {}.",
            counted(devices.len(), "device", "devices"),
            devices.join(", ")
        ),
    };
    format!(
        "{who} Without it they can't be managed until they find another way; what runs on them keeps running. You can add the address again."
    )
}

#[must_use]
pub fn keep(endpoint: &str) -> String {
    format!("Keep {endpoint}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_an_address_fares_is_one_sentence() {
        assert_eq!(reached_by(&[], &[]), UNTRIED);
        assert_eq!(reached_by(&["nas"], &[]), "Reached by nas");
        assert_eq!(reached_by(&[], &["pi"]), "Not reached by pi");
        assert_eq!(reached_by(&["a", "b", "c"], &["d"]), "Reached by 3 of 4 devices");
        assert_eq!(reached_by(&["a", "b"], &[]), "Reached by all 2 devices");
        assert_eq!(reached_by(&[], &["a", "b"]), "Reached by none of 2 devices");
    }
}
