//! The agent's container, as all texts call and mount it.

use super::source::Source;

/// Name of the agent's container and of the volume that holds its state: a container that any of the texts creates
/// again is the same device.
pub(super) const CONTAINER: &str = "flotilla-agent";

/// Where the agent's image keeps state.
pub(super) const STATE: &str = "/var/lib/flotilla";

pub(super) const DOCKER_SOCKET: &str = "/var/run/docker.sock";

/// Lets control tell a copied volume from a recreated container. The bind mount needs the file to exist.
pub(super) const MACHINE_ID: &str = "/etc/machine-id";

/// Name of the pod's pause container.
pub(super) const PAUSE: &str = "flotilla-pause";

/// The label by which the agent recognizes the pause container.
pub(super) const LABEL: &str = "io.flotilla.pod=pause";

/// The command of the agent's image that the pause container runs.
pub(super) const COMMAND: &str = "pause";

/// The variables that stand in for a config file.
pub(super) fn environment(source: &Source) -> [(&'static str, String); 3] {
    [
        ("FLOTILLA_ENROLL_URL", format!("https://{}", source.endpoint)),
        ("FLOTILLA_TOKEN", source.config.token.clone()),
        ("FLOTILLA_CA_PIN", source.config.ca_pin.to_string()),
    ]
}
