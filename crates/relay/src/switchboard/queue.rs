//! The runs of datagrams that wait for one client, bounded in bytes. At the limit, the sender with the most bytes
//! waiting loses its oldest runs: a sender that floods a client so drops its own packets, and the newest are kept
//! because they are the most useful to the receiver.

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
    /// Bytes that wait, by the session that sent them.
    shares: BTreeMap<SessionId, usize>,
}

impl Queue {
    pub(super) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Drops runs until `bytes` of session `from` fit within `limit`; returns how many datagrams were dropped.
    pub(super) fn make_room(&mut self, from: SessionId, bytes: usize, limit: usize) -> u64 {
        let mut dropped = 0;
        while self.bytes + bytes > limit {
            let Some(run) = self.evict(from) else { break };
            dropped += run.datagrams();
        }
        dropped
    }

    fn evict(&mut self, newcomer: SessionId) -> Option<Run> {
        // Among senders with equal shares the newcomer loses first.
        let weight = |(session, share): &(&SessionId, &usize)| (**share, **session == newcomer);
        let heaviest = *self.shares.iter().max_by_key(weight)?.0;
        let place = self.runs.iter().position(|run| run.from == heaviest)?;
        let run = self.runs.remove(place)?;
        self.subtract(&run);
        Some(run)
    }

    pub(super) fn push(&mut self, run: Run) {
        self.bytes += run.bytes.len();
        *self.shares.entry(run.from).or_default() += run.bytes.len();
        self.runs.push_back(run);
    }

    pub(super) fn pop(&mut self) -> Option<Run> {
        let run = self.runs.pop_front()?;
        self.subtract(&run);
        Some(run)
    }

    fn subtract(&mut self, run: &Run) {
        self.bytes -= run.bytes.len();
        if let Some(share) = self.shares.get_mut(&run.from) {
            *share -= run.bytes.len();
            if *share == 0 {
                self.shares.remove(&run.from);
            }
        }
    }
}
