//! The owner's `ssh`: the program, where its configuration is, the installations that run over it, and the tunnels that
//! are kept.

use flotilla_protocol::{
    Problem,
    id::{DeviceId, JobId},
};
use parking_lot::Mutex;
use std::{collections::BTreeMap, path::PathBuf};
use tokio_util::sync::CancellationToken;

/// What runs over `ssh`. Shared by reference.
#[derive(Debug)]
pub(crate) struct OwnersSsh {
    pub(crate) program: PathBuf,
    /// The home directory whose ssh configuration is listed.
    pub(crate) home: Option<PathBuf>,
    installations: Mutex<BTreeMap<JobId, Installation>>,
    tunnels: Mutex<BTreeMap<DeviceId, KeptTunnel>>,
}

#[derive(Debug)]
struct Installation {
    cancel: CancellationToken,
    /// The device was reached, and the installer begins.
    is_reached: bool,
}

#[derive(Debug)]
struct KeptTunnel {
    cancel: CancellationToken,
    /// Why it is down; `None` while it is up.
    failure: Option<Problem>,
}

impl OwnersSsh {
    pub(crate) fn new(program: impl Into<PathBuf>, home: Option<PathBuf>) -> Self {
        Self {
            program: program.into(),
            home,
            installations: Mutex::default(),
            tunnels: Mutex::default(),
        }
    }

    /// Notes that an installation runs until this token is cancelled.
    pub(crate) fn begin(&self, job: JobId, cancel: CancellationToken) {
        let installation = Installation {
            cancel,
            is_reached: false,
        };
        self.installations.lock().insert(job, installation);
    }

    /// Ends an installation at the next point at which that is safe.
    pub(crate) fn stop(&self, job: JobId) {
        if let Some(installation) = self.installations.lock().get(&job) {
            installation.cancel.cancel();
        }
    }

    pub(crate) fn forget(&self, job: JobId) {
        self.installations.lock().remove(&job);
    }

    pub(crate) fn set_reached(&self, job: JobId) {
        if let Some(installation) = self.installations.lock().get_mut(&job) {
            installation.is_reached = true;
        }
    }

    /// Whether an installation has reached its device.
    pub(crate) fn is_reached(&self, job: JobId) -> bool {
        self.installations
            .lock()
            .get(&job)
            .is_some_and(|installation| installation.is_reached)
    }

    /// Sets the token that ends a device's tunnel, and ends the tunnel that it had.
    pub(crate) fn set_tunnel(&self, device: DeviceId, cancel: Option<CancellationToken>) {
        let mut tunnels = self.tunnels.lock();
        let before = match cancel {
            Some(cancel) => tunnels.insert(
                device,
                KeptTunnel {
                    cancel,
                    failure: None,
                },
            ),
            None => tunnels.remove(&device),
        };
        if let Some(before) = before {
            before.cancel.cancel();
        }
    }

    /// Sets why a device's tunnel is down; `None` when it is up. Answers whether that is new.
    pub(crate) fn set_failure(&self, device: DeviceId, failure: Option<Problem>) -> bool {
        let mut tunnels = self.tunnels.lock();
        let Some(kept) = tunnels.get_mut(&device) else {
            return false;
        };
        let is_new = kept.failure != failure;
        kept.failure = failure;
        is_new
    }

    /// Why a device's tunnel is down.
    pub(crate) fn failure(&self, device: DeviceId) -> Option<Problem> {
        self.tunnels.lock().get(&device)?.failure.clone()
    }
}
