//! Texts of the dashboard.

use crate::format;

pub const SUMMARY: &str = "Summary";
pub const DEVICES: &str = "Devices";
pub const CONTAINERS: &str = "Containers";
pub const CPU: &str = "CPU";
pub const MEMORY: &str = "Memory";
pub const DISK: &str = "Disk";
pub const NEEDS_ATTENTION: &str = "Needs attention";
pub const ALL_QUIET: &str = "All quiet";
pub const SEE_ALL: &str = "See all devices";
pub const RECENT: &str = "Recent activity";
pub const NO_ACTIVITY: &str = "Nothing has happened yet.";
pub const NO_DEVICES: &str = "No devices yet";
pub const NO_DEVICES_TEXT: &str = "Add one and it appears here as soon as it connects.";
pub const NOT_ENROLLED: &str = "Waits for its command to be run.";
pub const NOT_REPORTED: &str = "not reported yet";
pub const LOOKING: &str = "Looking";
pub const LOOKING_TEXT: &str = "Not every device has reported yet.";
pub const LOADING: &str = "Loading your fleet…";
pub const LAST_SEEN: &str = "last seen";
pub const ENDED: &str = "ended";
pub const BEGAN: &str = "began";
pub const SEE_WHY: &str = "See why";
pub const OPEN_DEVICE: &str = "Open device";
pub const VIEW_CONTAINER: &str = "View container";

#[must_use]
pub fn reporting(reporting: usize, devices: usize) -> String {
    format!(
        "{reporting} of {} reporting",
        format::counted(devices, "device", "devices")
    )
}

/// "5 devices, 61 containers, nothing to fix."; without the containers if no device has reported them.
#[must_use]
pub fn all_quiet(devices: usize, containers: Option<usize>) -> String {
    let containers = containers.map(|number| format::counted(number, "container", "containers"));
    let devices = format::counted(devices, "device", "devices");
    let known = [Some(devices), containers].into_iter().flatten();
    format!("{}, nothing to fix.", known.collect::<Vec<_>>().join(", "))
}
