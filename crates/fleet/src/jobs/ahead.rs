//! What the jobs that were begun earlier hold, and how busy each device is: whether an act may begin.

use super::{
    AT_ONCE,
    job::Job,
    work::{Act, Order},
};
use flotilla_protocol::id::DeviceId;
use std::collections::{BTreeMap, BTreeSet};

/// What the earlier jobs act on that are not over, with the title of each.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    containers: BTreeMap<DeviceId, BTreeMap<String, String>>,
    /// Devices whose agents move.
    moves: BTreeMap<DeviceId, String>,
    /// Devices on which something is done by their agents.
    calls: BTreeMap<DeviceId, String>,
    runs: BTreeSet<DeviceId>,
}

impl Ahead {
    pub(super) fn add(&mut self, job: &Job) {
        let title = job.record.work.title();
        // Until its outcome is kept, an act that is over may have to be asked for again.
        let acts = job.record.acts.iter().zip(&job.acts);
        for (kept, _) in acts.filter(|(_, live)| !live.is_saved) {
            let device = kept.act.device;
            if kept.act.order == Order::Run {
                self.runs.insert(device);
                continue;
            }
            self.calls.insert(device, title.clone());
            match kept.act.container() {
                Some(container) => {
                    let held = self.containers.entry(device).or_default();
                    held.insert(container.to_owned(), title.clone());
                }
                None => drop(self.moves.insert(device, title.clone())),
            }
        }
    }

    /// The title of the job that an act has to wait for.
    pub(super) fn blocks(&self, act: &Act) -> Option<&str> {
        let device = &act.device;
        match (&act.order, act.container()) {
            (Order::Run, _) => self.runs.get(device).map(|_| "another installation"),
            (Order::Call(_), None) => self.calls.get(device).map(String::as_str),
            (Order::Call(_), Some(container)) => {
                let holder = self.containers.get(device).and_then(|held| held.get(container));
                holder.or_else(|| self.moves.get(device)).map(String::as_str)
            }
        }
    }

    /// The title of the job that an act of this one has to wait for.
    pub(super) fn blocks_job(&self, job: &Job) -> Option<&str> {
        let acts = job.record.acts.iter().zip(&job.acts);
        let mut waiting = acts.filter(|(kept, live)| kept.outcome.is_none() && !live.is_begun());
        waiting.find_map(|(kept, _)| self.blocks(&kept.act))
    }
}

/// How many short acts each device carries out.
#[derive(Debug)]
pub(super) struct Turns(BTreeMap<DeviceId, usize>);

impl Turns {
    pub(super) fn of<'a>(jobs: impl Iterator<Item = &'a Job>) -> Self {
        let mut going = BTreeMap::<_, usize>::new();
        for (kept, live) in jobs.flat_map(|job| job.record.acts.iter().zip(&job.acts)) {
            if kept.outcome.is_none() && kept.act.takes_a_turn() && live.has_turn {
                *going.entry(kept.act.device).or_default() += 1;
            }
        }
        Self(going)
    }

    /// Whether its device has room for an act. One that has its turn keeps it.
    pub(super) fn has_room(&self, act: &Act, has_turn: bool) -> bool {
        let going = self.0.get(&act.device).copied().unwrap_or(0);
        !act.takes_a_turn() || has_turn || going < AT_ONCE
    }
}
