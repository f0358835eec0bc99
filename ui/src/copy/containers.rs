//! Texts about containers and actions on them.

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

#[must_use]
pub fn on(device: &str) -> String {
    format!("on {device}")
}
