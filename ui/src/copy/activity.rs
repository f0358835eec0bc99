//! Texts of the activity log.

use flotilla_protocol::activity::Action;

pub const FILTER: &str = "Filter activity";
pub const LOADING: &str = "Reading the activity log…";
pub const EMPTY: &str = "Nothing yet";
pub const EMPTY_TEXT: &str =
    "Everything that changes something is written down here, failed attempts included.";
pub const OLDER: &str = "Load older entries";
pub const NEWEST_FIRST: &str = "Newest first";

pub const TIME: &str = "Time";
pub const WHO: &str = "Who";
pub const ACTION: &str = "Action";
pub const TARGET: &str = "Target";
pub const DEVICE: &str = "Device";
pub const RESULT: &str = "Result";
pub const DETAILS: &str = "Details";

pub const DONE: &str = "Done";
pub const REFUSED: &str = "Refused";
pub const RESULTS: &[(&str, &str)] = &[("refused", REFUSED), ("done", DONE)];

/// The word by which a filter asks for an action.
#[must_use]
pub fn word(action: Action) -> &'static str {
    match action {
        Action::FleetCreated => "fleet-created",
        Action::FleetUpdated => "fleet-updated",
        Action::DeviceAdded => "added",
        Action::DeviceUpdated => "updated",
        Action::DeviceEnrolled => "enrolled",
        Action::EnrollmentRefused => "enrollment-refused",
        Action::DeviceRotated => "rotated",
        Action::DevicePushed => "pushed",
        Action::DeviceRevoked => "revoked",
        Action::DeviceRemoved => "removed",
        Action::DeviceQuarantined => "quarantined",
        Action::DeviceOnline => "online",
        Action::DeviceOffline => "offline",
        Action::ContainerStarted => "started",
        Action::ContainerStopped => "stopped",
        Action::ContainerRestarted => "restarted",
        Action::ContainerPaused => "paused",
        Action::ContainerUnpaused => "unpaused",
        Action::ContainerKilled => "killed",
        Action::ContainerRecreated => "recreated",
        Action::ContainerRemoved => "removed",
        Action::ContainerMoved => "moved",
        Action::PolicySaved => "policy-saved",
        Action::RelayStarted => "relay-started",
        Action::RelayEnded => "relay-ended",
        Action::TokenCreated => "token-created",
        Action::TokenRevoked => "token-revoked",
        Action::Unknown => "unknown",
    }
}
