//! What waits for one client: runs of datagrams, bounded in bytes. The oldest give way, because the newest are
//! worth the most to whoever waits.

use std::collections::VecDeque;

/// A run: datagrams of one length, the last may be shorter.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) bytes: Vec<u8>,
    pub(super) segment: usize,
}

impl Run {
    pub(super) fn datagrams(&self) -> u64 {
        super::facts::datagrams(self.bytes.len(), self.segment)
    }
}

#[derive(Debug, Default)]
pub(super) struct Queue {
    runs: VecDeque<Run>,
    bytes: usize,
}

impl Queue {
    pub(super) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Makes room for `bytes` within `limit`, oldest first; answers how many datagrams gave way.
    pub(super) fn make_room(&mut self, bytes: usize, limit: usize) -> u64 {
        let mut dropped = 0;
        while self.bytes + bytes > limit {
            let Some(run) = self.pop() else { break };
            dropped += run.datagrams();
        }
        dropped
    }

    pub(super) fn push(&mut self, run: Run) {
        self.bytes += run.bytes.len();
        self.runs.push_back(run);
    }

    pub(super) fn pop(&mut self) -> Option<Run> {
        let run = self.runs.pop_front()?;
        self.bytes -= run.bytes.len();
        Some(run)
    }
}
