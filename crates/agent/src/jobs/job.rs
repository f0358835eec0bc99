//! One job of this agent while it is kept: how far it is, and the request to cancel it.

use super::record::{JobRecord, Progress};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Clones are the same job.
#[derive(Debug, Clone)]
pub(super) struct Job {
    pub(super) progress: watch::Sender<Progress>,
    pub(super) cancel: CancellationToken,
}

impl Job {
    pub(super) fn of(record: JobRecord) -> Self {
        Self {
            progress: watch::Sender::new(Progress::of(record)),
            cancel: CancellationToken::new(),
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.progress.borrow().record.state.is_over()
    }
}
