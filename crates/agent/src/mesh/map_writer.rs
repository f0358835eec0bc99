//! When the network map is written to disk.
//!
//! Life cycle: the map in force differs from the one on disk → a map that is pressing is stored at once, and control is
//! answered when it survives a power cut → a map in which only peers have moved is stored with the next pressing one,
//! after a wait, or at the agent's end.

use super::map_file::{MapFile, MapRecord};
use flotilla_protocol::{Code, Problem};
use std::time::Duration;
use tokio::time::Instant;

/// The waits before peers' last places are stored. An agent that starts again while control is away has no other source
/// for them, so the first wait is short. Peers may move all day, and each write is a whole map, synced to disk, so each
/// wait is twice the one before it. The first wait comes again when no peer has moved for as long as the longest.
const SHORTEST_WAIT: Duration = Duration::from_secs(5);
const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// In what the file differs from the map in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unstored {
    /// In the peers that are trusted, in the filter, or in what this device is.
    Pressing,
    /// Only in where peers were last.
    Moves,
}

pub(super) struct MapWriter {
    file: MapFile,
    unstored: Option<Unstored>,
    waits: Waits,
    /// When the file is written even if nothing is pressing.
    at: Instant,
}

/// The waits before a file is written.
#[derive(Debug)]
struct Waits {
    next: Duration,
    /// When the last one began.
    last: Option<Instant>,
}

impl Waits {
    fn new() -> Self {
        Self {
            next: SHORTEST_WAIT,
            last: None,
        }
    }

    /// Begins a wait and returns its end.
    fn begin(&mut self, now: Instant) -> Instant {
        // The longest wait may lie between, and after it a rest of the same length.
        if self
            .last
            .is_some_and(|last| now.duration_since(last) >= 2 * LONGEST_WAIT)
        {
            self.next = SHORTEST_WAIT;
        }
        let until = now + self.next;
        self.last = Some(now);
        self.next = (2 * self.next).min(LONGEST_WAIT);
        until
    }
}

impl MapWriter {
    pub(super) fn new(file: MapFile) -> Self {
        Self {
            file,
            unstored: None,
            waits: Waits::new(),
            at: Instant::now(),
        }
    }

    pub(super) fn note(&mut self, what: Unstored) {
        let now = Instant::now();
        match (self.unstored, what) {
            (None, Unstored::Moves) => self.at = self.waits.begin(now),
            (None, Unstored::Pressing) => self.at = now,
            (Some(_), _) => {}
        }
        if self.unstored != Some(Unstored::Pressing) {
            self.unstored = Some(what);
        }
    }

    pub(super) fn is_pressing(&self) -> bool {
        self.unstored == Some(Unstored::Pressing)
    }

    /// When to store peers' last places; no answer to control waits for that.
    pub(super) fn due(&self) -> Option<Instant> {
        self.unstored.map(|_| self.at)
    }

    /// Writes what differs from the file.
    pub(super) async fn store(&mut self, record: Option<&MapRecord>) -> Result<(), Problem> {
        let (Some(record), Some(_)) = (record.cloned(), self.unstored) else {
            return Ok(());
        };
        // Set also for a failure, so that a full disk is not tried without a pause.
        self.at = Instant::now() + LONGEST_WAIT;
        let file = self.file.clone();
        let stored = tokio::task::spawn_blocking(move || file.store(&record)).await;
        let failed = |reason: String| {
            let text = format!("The network map is in force but could not be stored: {reason}.");
            Code::Unavailable.because(text)
        };
        stored
            .map_err(|error| failed(error.to_string()))?
            .map_err(|error| failed(error.to_string()))?;
        self.unstored = None;
        Ok(())
    }

    /// Stores where no answer depends on it. A failure is logged: the mesh runs on the map in memory.
    pub(super) async fn store_quietly(&mut self, record: Option<&MapRecord>) {
        if let Err(problem) = self.store(record).await {
            tracing::warn!(%problem, "the agent tries again later to store its network map");
        }
    }

    /// Deletes the file of a device that left the mesh, so that no map brings it back at the next start.
    pub(super) fn delete(&self) {
        self.file.delete();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn peers_that_moved_once_are_on_disk_soon_and_peers_that_never_rest_seldom() {
        let start = Instant::now();
        let (mut waits, mut now) = (Waits::new(), start);
        let ends = (0..9).map(|_| {
            now = waits.begin(now);
            (now - start).as_secs()
        });
        assert_eq!(
            ends.collect::<Vec<_>>(),
            [5, 15, 35, 75, 155, 315, 615, 915, 1215]
        );
        let soon = now + LONGEST_WAIT - seconds(1);
        assert_eq!(waits.begin(soon), soon + LONGEST_WAIT, "they hardly rested");
        let rested = soon + 2 * LONGEST_WAIT;
        assert_eq!(waits.begin(rested), rested + seconds(5));
    }
}
