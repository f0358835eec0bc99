//! Whether anything from the mesh may come in at a device at all. Where not, no rule lets anything in.

use super::DeviceEntry;
use crate::store::{DeviceRow, LastReport};
use flotilla_protocol::{device::NetworkMode, inventory::EngineState};

/// Why nothing may come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClosedReason {
    /// Its agent is in a network of its own, on purpose.
    Bridge,
    /// It has host networking on Docker Desktop, so what came in would reach a virtual machine and not the computer
    /// that people think of; and its owner did not choose that.
    DockerDesktop,
}

impl DeviceEntry {
    /// Why nothing may come in; `None` where the rules decide.
    pub(crate) fn closed_reason(&self) -> Option<ClosedReason> {
        match self.row.mode {
            NetworkMode::Bridge | NetworkMode::Unknown => Some(ClosedReason::Bridge),
            NetworkMode::Host if self.announcement.in_the_machine && !self.row.host_kept => {
                Some(ClosedReason::DockerDesktop)
            }
            NetworkMode::Host | NetworkMode::Pause => None,
        }
    }

    /// The mode that counts for what comes in.
    pub(super) fn mode_in_force(&self) -> NetworkMode {
        self.closed_reason()
            .map_or(self.row.mode, |_| NetworkMode::Bridge)
    }
}

/// The agent itself has Docker Desktop's virtual machine for a host.
pub(super) fn is_in_the_machine(last_report: &LastReport) -> bool {
    last_report
        .facts
        .as_ref()
        .is_some_and(|facts| facts.containerized)
        && last_report.is_docker_desktop()
}

/// Whether it has host networking on Docker Desktop that its owner did not choose to keep: on the computer itself or in
/// the virtual machine.
pub(super) fn is_undecided(row: &DeviceRow, last_report: &LastReport) -> bool {
    row.mode == NetworkMode::Host && !row.host_kept && last_report.is_docker_desktop()
}

impl LastReport {
    /// An engine that does not run now is the one that it was when it did.
    fn is_docker_desktop(&self) -> bool {
        match &self.engine {
            Some(EngineState::Running(engine)) => engine.docker_desktop,
            _ => self.was_docker_desktop,
        }
    }
}
