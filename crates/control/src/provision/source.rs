//! What all texts are made from.

use flotilla_protocol::{device::NetworkMode, endpoint::Endpoint, enroll::ConfigFile, pin::Pin};

/// The values that all texts are made from.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) config: &'a ConfigFile,
    /// The address at which the device, or the agent's container on it, reaches control for the first time.
    pub(super) endpoint: &'a Endpoint,
    pub(super) tls_pin: &'a Pin,
    /// The owner decided for host networking even on Docker Desktop.
    pub(super) host_kept: bool,
}

impl Source<'_> {
    pub(super) fn mode(&self) -> NetworkMode {
        self.config.network_mode
    }
}
