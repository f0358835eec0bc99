//! Texts about the link of a device to the controller.

use crate::components::confirm::Stakes;

pub const REACHED: &str = "Reached";
pub const NOT_REACHED: &str = "Not reached";
pub const NONE_REACHED: &str =
    "None of them answers from there. Add one that does in Settings, under Addresses.";
pub const ENDING: &str = "Ending…";
pub const WAS_ENDED: &str = "ended";
pub const END_TUNNEL: &str = "End SSH tunnel";

#[must_use]
pub fn tried_from(device: &str) -> String {
    format!("The controller's addresses, tried from {device}")
}

#[must_use]
pub fn tunneled(device: &str, host: Option<&str>) -> String {
    let to = host.unwrap_or(device);
    format!(
        "{device} can't dial the controller by itself, so SSH carries its link: this computer keeps a tunnel open to {to}."
    )
}

#[must_use]
pub fn end_title(device: &str) -> String {
    format!("End the SSH tunnel to {device}?")
}

#[must_use]
pub fn end_stakes(device: &str) -> Stakes {
    Stakes {
        text: String::new(),
        lost: vec![format!(
            "{device} goes offline, unless it reaches the controller at one of its addresses."
        )],
        kept: vec!["Its containers and the mesh between other devices keep running.".to_owned()],
        back: "To have the tunnel back, install the agent over SSH again.".to_owned(),
    }
}

#[must_use]
pub fn keep_tunnel(device: &str) -> String {
    format!("Keep the tunnel to {device}")
}

#[must_use]
pub fn tunnel_ended(device: &str) -> String {
    format!("The SSH tunnel to {device} has ended.")
}
