//! The pushes of this run of control, and the tunnels that are kept: what ends each of them.

use flotilla_protocol::{Timestamp, api::Push, id::DeviceId};
use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio_util::sync::CancellationToken;

/// The newest push to each device, and the owner's SSH that they use. Shared by reference.
#[derive(Debug)]
pub(crate) struct Pushes {
    /// The `ssh` program.
    pub(crate) program: PathBuf,
    /// The home directory whose ssh configuration is listed.
    pub(crate) home: Option<PathBuf>,
    records: Mutex<BTreeMap<DeviceId, PushRecord>>,
}

/// The newest push to a device, with the tokens that end it.
#[derive(Debug)]
pub(crate) struct PushRecord {
    pub(crate) push: Push,
    /// Ends the push while it runs.
    pub(crate) cancel: CancellationToken,
    /// Cancelled when the push has ended and writes nothing more.
    pub(crate) over: CancellationToken,
    /// Ends the tunnel while one is kept.
    pub(crate) tunnel: Option<CancellationToken>,
}

impl Pushes {
    pub(crate) fn new(program: impl Into<PathBuf>, home: Option<PathBuf>) -> Self {
        Self {
            program: program.into(),
            home,
            records: Mutex::default(),
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, BTreeMap<DeviceId, PushRecord>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes a push; answers it if that made a difference.
    pub(crate) fn change(
        &self,
        device: DeviceId,
        now: Timestamp,
        change: impl FnOnce(&mut Push),
    ) -> Option<Push> {
        let mut records = self.lock();
        let push = &mut records.get_mut(&device)?.push;
        let before = push.clone();
        change(push);
        if *push == before {
            return None;
        }
        push.as_of = now;
        Some(push.clone())
    }

    /// Cancels a push, and waits until it has ended and writes nothing more.
    pub(crate) async fn stop(&self, device: DeviceId) {
        let over = self.lock().get(&device).map(|record| {
            record.cancel.cancel();
            record.over.clone()
        });
        if let Some(over) = over {
            over.cancelled().await;
        }
    }
}
