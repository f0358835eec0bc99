//! Texts about containers and actions on them.

use crate::format::{count, counted};
use flotilla_protocol::inventory::ContainerAction;

pub const FILTER: &str = "Filter containers";
pub const NAME: &str = "Name";
pub const STATE: &str = "State";
pub const DEVICE: &str = "Device";
pub const STACK: &str = "Stack";
pub const SERVICE: &str = "Service";
pub const IMAGE: &str = "Image";
pub const PORTS: &str = "Ports";
pub const UPTIME: &str = "Uptime";
pub const CREATED: &str = "Created";
pub const STARTED: &str = "Started";
pub const FINISHED: &str = "Finished";
pub const NOT_STARTED: &str = "Could not start";
pub const NOT_READ: &str = "Not read";
pub const NOT_READ_MARK: &str = "not read";
pub const NOT_READ_TEXT: &str = "The engine doesn't describe this container. What is shown is from its list.";
pub const ON_LOOPBACK: &str = " (this device only)";
pub const RESTARTS: &str = "Restarts";
pub const NETWORKS: &str = "Networks";
pub const VOLUMES: &str = "Volumes";
pub const ID: &str = "ID";
pub const COPY_ID: &str = "Copy ID";
pub const TROUBLE_FIRST: &str = "Trouble first, then name";
pub const CANCEL: &str = "Cancel";

/// The states for filters, with their labels.
pub const STATES: &[(&str, &str)] = &[
    ("unhealthy", "Unhealthy"),
    ("dead", "Dead"),
    ("exited", "Exited"),
    ("failed", "Could not start"),
    ("unread", "Not read"),
    ("restarting", "Restarting"),
    ("starting", "Starting"),
    ("running", "Running"),
    ("healthy", "Healthy"),
    ("paused", "Paused"),
    ("created", "Created"),
];

pub const IS_AGENT: &str = "This is Flotilla's own agent: without it the device can't be managed.";
pub const RUNS_ALREADY: &str = "It is running.";
pub const RESTS_ALREADY: &str = "It is not running.";
pub const NONE_REACHABLE: &str = "None of these containers is on a device that can be asked now.";

#[must_use]
pub fn verb(action: ContainerAction) -> &'static str {
    match action {
        ContainerAction::Start => "Start",
        ContainerAction::Stop => "Stop",
        ContainerAction::Restart => "Restart",
    }
}

/// The state of a container while the action runs.
#[must_use]
pub fn doing(action: ContainerAction) -> &'static str {
    match action {
        ContainerAction::Start => "Starting…",
        ContainerAction::Stop => "Stopping…",
        ContainerAction::Restart => "Restarting…",
    }
}

fn participle(action: ContainerAction) -> &'static str {
    match action {
        ContainerAction::Start => "started",
        ContainerAction::Stop => "stopped",
        ContainerAction::Restart => "restarted",
    }
}

#[must_use]
pub fn done(action: ContainerAction, container: &str, device: &str) -> String {
    format!("{container} on {device} was {}.", participle(action))
}

#[must_use]
pub fn done_many(action: ContainerAction, number: usize) -> String {
    format!(
        "{} {} {}.",
        containers(number),
        if number == 1 { "was" } else { "were" },
        participle(action)
    )
}

#[must_use]
pub fn containers(number: usize) -> String {
    counted(number, "container", "containers")
}

#[must_use]
pub fn verb_object(action: ContainerAction, object: &str) -> String {
    format!("{} {object}", verb(action))
}

#[must_use]
pub fn question(action: ContainerAction, object: &str) -> String {
    format!("{}?", verb_object(action, object))
}

#[must_use]
pub fn consequence(action: ContainerAction) -> &'static str {
    match action {
        ContainerAction::Start => "These containers start:",
        ContainerAction::Stop => {
            "What they serve is not available until they are started again. Nothing is deleted."
        }
        ContainerAction::Restart => "What they serve is not available for a moment. Nothing is deleted.",
    }
}

#[must_use]
pub fn on(device: &str) -> String {
    format!("on {device}")
}

#[must_use]
pub fn and_more(number: usize) -> String {
    format!("and {} more", count(number))
}

/// "3 of 12 are on offline devices and will be skipped."
#[must_use]
pub fn skipped(skipped: usize, chosen: usize) -> String {
    let are = if skipped == 1 {
        "is on an offline device"
    } else {
        "are on offline devices"
    };
    format!(
        "{} of {} {are} and will be skipped.",
        count(skipped),
        count(chosen)
    )
}

/// "flotilla-agent and flotilla-pause are left alone: Flotilla needs them."
#[must_use]
pub fn kept(names: &[String]) -> String {
    let are = if names.len() == 1 { "is" } else { "are" };
    let them = if names.len() == 1 { "it" } else { "them" };
    format!(
        "{} {are} left alone: Flotilla needs {them}.",
        super::pods::and(names)
    )
}

#[must_use]
pub fn device_offline(device: &str) -> String {
    format!("{device} is offline.")
}

/// "nas is offline, so jellyfin can't be restarted. It was last seen 4 h ago."
#[must_use]
pub fn offline(device: &str, container: &str, action: ContainerAction, seen: Option<&str>) -> String {
    let seen = seen.map_or_else(String::new, |seen| format!(" It was last seen {seen}."));
    format!(
        "{device} is offline, so {container} can't be {}.{seen}",
        participle(action)
    )
}

#[must_use]
pub fn no_answer(device: &str) -> String {
    format!("{device} didn't answer in time. What became of it shows here as soon as the device answers.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_agree_in_number() {
        assert_eq!(done_many(ContainerAction::Stop, 1), "1 container was stopped.");
        assert_eq!(done_many(ContainerAction::Stop, 3), "3 containers were stopped.");
        assert_eq!(
            skipped(3, 12),
            "3 of 12 are on offline devices and will be skipped."
        );
        assert_eq!(
            offline("nas", "jellyfin", ContainerAction::Restart, Some("4 h ago")),
            "nas is offline, so jellyfin can't be restarted. It was last seen 4 h ago."
        );
    }
}
