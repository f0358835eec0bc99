//! Texts about containers and actions on them.

use crate::{components::confirm::Stakes, format::counted};

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

pub const START: &str = "Start";
pub const STARTING: &str = "Starting…";
pub const WAS_STARTED: &str = "started";
pub const START_TEXT: &str = "These start:";
pub const STOP: &str = "Stop";
pub const STOPPING: &str = "Stopping…";
pub const WAS_STOPPED: &str = "stopped";
pub const STOP_TEXT: &str =
    "What they serve is not available until they are started again. Nothing is deleted.";
pub const RESTART: &str = "Restart";
pub const RESTARTING: &str = "Restarting…";
pub const WAS_RESTARTED: &str = "restarted";
pub const RESTART_TEXT: &str = "What they serve is not available for a moment. Nothing is deleted.";
pub const PAUSE: &str = "Pause";
pub const PAUSING: &str = "Pausing…";
pub const WAS_PAUSED: &str = "paused";
pub const PAUSE_TEXT: &str =
    "Their processes stand still and keep their memory; whoever is connected waits. Unpause lets them go on.";
pub const UNPAUSE: &str = "Unpause";
pub const UNPAUSING: &str = "Unpausing…";
pub const WAS_UNPAUSED: &str = "unpaused";
pub const UNPAUSE_TEXT: &str = "These go on where they were:";
pub const KILL: &str = "Kill";
pub const KILLING: &str = "Killing…";
pub const WAS_KILLED: &str = "killed";
pub const KILL_TEXT: &str =
    "Their processes end at once: what they have not written yet is lost. Stop asks them to end first.";

pub const RECREATE: &str = "Recreate";
pub const RECREATING: &str = "Recreating…";
pub const WAS_RECREATED: &str = "recreated";
pub const ONE_AT_A_TIME: &str = "each is looked after until it has shown that it works";

#[must_use]
pub fn recreate(container: &str) -> String {
    format!("Recreate {container}")
}

/// What recreating a container costs.
#[must_use]
pub fn recreate_stakes() -> Stakes {
    Stakes {
        text: "A new container takes its place, with the same image and all settings.".to_owned(),
        lost: vec![
            "Everything written outside of volumes.".to_owned(),
            "The logs.".to_owned(),
            "What it serves is not available for a moment.".to_owned(),
        ],
        kept: vec!["Volumes, networks, addresses and ports.".to_owned()],
        back: "If the new one does not get well, the old one is put back.".to_owned(),
    }
}

pub const REMOVE: &str = "Remove";
pub const REMOVING: &str = "Removing…";
pub const WAS_REMOVED: &str = "removed";
pub const STOP_FIRST: &str = "It is running. Stop it first.";

#[must_use]
pub fn remove(containers: &str) -> String {
    format!("Remove {containers}")
}

/// What removing containers costs that have so many volumes.
#[must_use]
pub fn remove_stakes(volumes: usize) -> Stakes {
    let kept = (volumes > 0).then(|| format!("{}.", counted(volumes, "volume", "volumes")));
    Stakes {
        lost: vec![
            "Everything written outside of volumes.".to_owned(),
            "The logs.".to_owned(),
        ],
        kept: kept.into_iter().collect(),
        ..Stakes::default()
    }
}

#[must_use]
pub fn on(device: &str) -> String {
    format!("on {device}")
}
