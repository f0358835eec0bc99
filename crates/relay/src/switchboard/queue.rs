//! What waits for one client: runs of datagrams, bounded in bytes. Where there is no room, whoever has the most
//! waiting gives way, so that one who floods a client drowns out itself. Of its runs the oldest go, because the
//! newest are worth the most to whoever waits.

use flotilla_wire::SessionId;
use std::collections::{BTreeMap, VecDeque};

/// A run: datagrams of one length, the last may be shorter.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) from: SessionId,
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
    /// Bytes by who sent them.
    shares: BTreeMap<SessionId, usize>,
}

impl Queue {
    pub(super) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Makes room for `bytes` of somebody within `limit`; answers how many datagrams gave way.
    pub(super) fn make_room(&mut self, from: SessionId, bytes: usize, limit: usize) -> u64 {
        let mut dropped = 0;
        while self.bytes + bytes > limit {
            let Some(run) = self.give_way(from) else { break };
            dropped += run.datagrams();
        }
        dropped
    }

    fn give_way(&mut self, newcomer: SessionId) -> Option<Run> {
        // A newcomer that has as much as any other gives way itself.
        let weight = |(session, share): &(&SessionId, &usize)| (**share, **session == newcomer);
        let heaviest = *self.shares.iter().max_by_key(weight)?.0;
        let place = self.runs.iter().position(|run| run.from == heaviest)?;
        let run = self.runs.remove(place)?;
        self.took(&run);
        Some(run)
    }

    pub(super) fn push(&mut self, run: Run) {
        self.bytes += run.bytes.len();
        *self.shares.entry(run.from).or_default() += run.bytes.len();
        self.runs.push_back(run);
    }

    pub(super) fn pop(&mut self) -> Option<Run> {
        let run = self.runs.pop_front()?;
        self.took(&run);
        Some(run)
    }

    fn took(&mut self, run: &Run) {
        self.bytes -= run.bytes.len();
        if let Some(share) = self.shares.get_mut(&run.from) {
            *share -= run.bytes.len();
            if *share == 0 {
                self.shares.remove(&run.from);
            }
        }
    }
}
