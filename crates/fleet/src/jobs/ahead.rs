//! What the jobs that were begun earlier hold, and how busy each device is: whether an act may begin.

use super::{
    AT_ONCE,
    job::Job,
    work::{Target, Work},
};
use flotilla_protocol::id::DeviceId;
use std::collections::BTreeMap;

/// What the earlier jobs hold of each device.
#[derive(Debug, Default)]
pub(super) struct Ahead(BTreeMap<DeviceId, Held>);

/// What jobs hold of one device, each with its title.
#[derive(Debug, Default)]
struct Held {
    containers: BTreeMap<String, String>,
    /// The job that moves its agent.
    agent: Option<String>,
    /// A job that its agent carries out.
    any: Option<String>,
    /// An agent is being installed there.
    is_installed: bool,
}

impl Ahead {
    pub(super) fn add(&mut self, job: &Job) {
        let title = job.record.title();
        for target in job.held() {
            let held = self.0.entry(target.device).or_default();
            if job.record.work.is_own() {
                held.is_installed = true;
                continue;
            }
            held.any = Some(title.clone());
            match &target.container {
                Some(container) => drop(held.containers.insert(container.clone(), title.clone())),
                None => held.agent = Some(title.clone()),
            }
        }
    }

    /// The title of the job that an act has to wait for.
    pub(super) fn blocks(&self, work: &Work, target: &Target) -> Option<&str> {
        let held = self.0.get(&target.device)?;
        let title = match &target.container {
            _ if work.is_own() => return held.is_installed.then_some("another installation"),
            Some(container) => held.containers.get(container).or(held.agent.as_ref()),
            None => held.any.as_ref(),
        };
        title.map(String::as_str)
    }

    /// The title of the job that an act of this one has to wait for.
    pub(super) fn blocks_job(&self, job: &Job) -> Option<&str> {
        let mut waiting = job
            .each()
            .filter(|(_, live)| live.ended.is_none() && !live.is_begun());
        waiting.find_map(|(act, _)| self.blocks(&job.record.work, &act.target))
    }
}

/// How many short acts each device carries out.
#[derive(Debug)]
pub(super) struct Turns(BTreeMap<DeviceId, usize>);

impl Turns {
    pub(super) fn of<'a>(jobs: impl Iterator<Item = &'a Job>) -> Self {
        let mut going = BTreeMap::<_, usize>::new();
        let jobs = jobs.filter(|job| job.record.work.takes_turns());
        for (act, _) in jobs.flat_map(Job::open).filter(|(_, live)| live.has_turn) {
            *going.entry(act.target.device).or_default() += 1;
        }
        Self(going)
    }

    /// Whether its device has room for an act. One that has its turn keeps it.
    pub(super) fn has_room(&self, work: &Work, device: DeviceId, has_turn: bool) -> bool {
        let going = self.0.get(&device).copied().unwrap_or(0);
        !work.takes_turns() || has_turn || going < AT_ONCE
    }
}
