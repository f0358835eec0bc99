//! When the network map goes to disk.
//!
//! In force and different from what is on disk → at once, where it presses: control is answered when it survives a power
//! cut → or with the next one that presses, after a while, or at the agent's end, where only peers have moved.

use super::map_file::{Kept, MapFile};
use flotilla_protocol::{Code, Problem};
use std::time::Duration;
use tokio::time::Instant;

/// How long it takes until it is on disk where peers were last. They move all day, each write is a whole map that the
/// disk is made to keep, and who lost it to a power cut gets it again from control.
const SETTLE: Duration = Duration::from_secs(300);

/// The file does not hold what is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unstored {
    /// Who is trusted, what may come in, who this device is.
    Pressing,
    /// Only where peers were last.
    Moves,
}

pub(super) struct Storing {
    file: MapFile,
    unstored: Option<Unstored>,
    /// When the file is written although nothing presses.
    at: Instant,
}

impl Storing {
    pub(super) fn new(file: MapFile) -> Self {
        Self {
            file,
            unstored: None,
            at: Instant::now(),
        }
    }

    pub(super) fn note(&mut self, what: Unstored) {
        if self.unstored.is_none() {
            self.at = Instant::now() + SETTLE;
        }
        if self.unstored != Some(Unstored::Pressing) {
            self.unstored = Some(what);
        }
    }

    pub(super) fn is_pressing(&self) -> bool {
        self.unstored == Some(Unstored::Pressing)
    }

    /// When to store peers' last places, which no answer to control depends on.
    pub(super) fn due(&self) -> Option<Instant> {
        self.unstored.map(|_| self.at)
    }

    /// Makes the file hold what is kept.
    pub(super) async fn store(&mut self, kept: Option<&Kept>) -> Result<(), Problem> {
        let (Some(kept), Some(_)) = (kept.cloned(), self.unstored) else {
            return Ok(());
        };
        self.at = Instant::now() + SETTLE;
        let file = self.file.clone();
        let stored = tokio::task::spawn_blocking(move || file.store(&kept)).await;
        let failed = |reason: String| {
            let text = format!("The network map is in force but could not be stored: {reason}.");
            Problem::new(Code::Unavailable, text)
        };
        stored
            .map_err(|error| failed(error.to_string()))?
            .map_err(|error| failed(error.to_string()))?;
        self.unstored = None;
        Ok(())
    }

    /// The same where no answer depends on it. A failure is logged: the mesh runs on the map in memory.
    pub(super) async fn store_quietly(&mut self, kept: Option<&Kept>) {
        if let Err(problem) = self.store(kept).await {
            tracing::warn!(%problem, "the agent tries again later to store its network map");
        }
    }

    /// The device left the mesh, so no map may bring it back at the next start.
    pub(super) fn delete(&self) {
        self.file.delete();
    }
}
