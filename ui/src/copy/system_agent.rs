//! Texts about the agent of this computer as a service of the system.

pub const INSTALL: &str = "Install the system service";
pub const ASKING: &str =
    "Waiting for your permission. The system asks for it in a window of its own, then starts the service.";
pub const INSTALLED: &str = "The system service is installed.";

#[must_use]
pub fn needed(device: &str) -> String {
    format!(
        "{device} is not on the mesh. Flotilla runs as your own program here, which may not make a network interface. A service of the system may, and takes over this device."
    )
}
