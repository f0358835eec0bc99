//! The list of devices.

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
    }
}
