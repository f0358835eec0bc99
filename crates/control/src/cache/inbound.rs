//! Whether packets from the mesh may come in at a device at all. Where they may not, no access rule lets any in.

use crate::store::{DeviceRow, LastReport};
use flotilla_protocol::{device::NetworkMode, inventory::EngineState};

/// Why no packet may come in at a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClosedReason {
    /// The device is in bridge mode: its agent is in a network of its own, as its owner chose.
    Bridge,
    /// The device has host networking inside Docker Desktop's virtual machine, and its owner did not choose to keep
    /// that. Packets would reach the virtual machine and not the computer that people expect.
    DockerDesktop,
}

/// Whether the agent's own host is Docker Desktop's virtual machine.
pub(super) fn is_in_the_machine(last_report: &LastReport) -> bool {
    last_report
        .facts
        .as_ref()
        .is_some_and(|facts| facts.containerized)
        && last_report.is_docker_desktop()
}

/// Whether the device has host networking on a computer with Docker Desktop, and its owner did not choose to keep it.
/// The agent may run in the virtual machine or beside it.
pub(super) fn is_undecided(row: &DeviceRow, last_report: &LastReport) -> bool {
    row.mode == NetworkMode::Host && !row.host_kept && last_report.is_docker_desktop()
}

impl LastReport {
    /// Whether the engine is Docker Desktop's; while it does not run, whether it was when it last ran.
    fn is_docker_desktop(&self) -> bool {
        match &self.engine {
            Some(EngineState::Running(engine)) => engine.docker_desktop,
            _ => self.was_docker_desktop,
        }
    }
}
