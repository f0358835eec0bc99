//! Jobs: acts that take long or take things apart. This state machine is told what happened, and answers what to do
//! next; control carries that out.
//!
//! Life cycle of a job: drafted → its record is kept → waiting (for a device that is away, or for a job that acts on
//! the same thing) → running → over: done, failed, undone or canceled. Between running and over it may be canceling.
//! When it is over, first its record is written again, then those who wait are told, and the devices may forget it.
//!
//! Nothing is lost and nothing is done twice, because a job's record is kept before the first call to a device, because
//! a device begins an act once however often it is told to, and because it keeps the outcome until control has written
//! it. So whenever control or an agent ends, [`Jobs::adopt`] goes on with what the record says.
//!
//! Its owner reports events with `handle_*`, drains [`Jobs::poll_todo`] until it is empty, and calls
//! [`Jobs::handle_timeout`] at the time that `poll_timeout` gives.

mod ahead;
mod job;
mod live_act;
mod poll;
mod record;
mod room;
mod todo;
mod work;

pub use live_act::{Call, CallFailure};
pub use record::{Act, ActOutcome, JobRecord, LINES};
pub use room::{CALLER_ACTS, DEVICE_ACTS, MOST_ACTS};
pub use todo::{Now, Obstacle, Origin, Todo};
pub use work::{Target, Work};

use ahead::{Ahead, Turns};
use flotilla_protocol::{
    Code, Problem,
    id::{DeviceId, JobId},
    job::JobReport,
};
use job::Job;
use live_act::{Begun, LiveAct};
use poll::poll_job;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

/// Short acts that a device carries out at once: enough to keep it busy, and few enough for a small board.
pub const AT_ONCE: usize = 4;

/// All jobs that are not over, and those whose end is not told everywhere.
#[derive(Debug, Default)]
pub struct Jobs {
    /// In the order in which they were begun, by their number.
    live: BTreeMap<u64, Job>,
    numbers: BTreeMap<JobId, u64>,
    next: u64,
    reachable: BTreeSet<DeviceId>,
    /// Jobs of which people shall read anew.
    changed: BTreeSet<JobId>,
    /// What is to be done after that.
    postponed: Option<Todo>,
}

impl Jobs {
    /// What keeps a job from being begun.
    pub fn find_obstacle(&self, draft: &JobRecord) -> Option<Obstacle> {
        self.find_job_in_the_way(draft).or_else(|| self.find_crowd(draft))
    }

    fn find_job_in_the_way(&self, draft: &JobRecord) -> Option<Obstacle> {
        if draft.work.waits_for_others() {
            return None;
        }
        let is_held = |held: &Target| draft.acts.iter().any(|act| held.is_in_the_way_of(&act.target));
        let is_in_the_way =
            |job: &&Job| job.record.work.is_own() == draft.work.is_own() && job.held().any(is_held);
        let busy = &self.live.values().find(is_in_the_way)?.record;
        let joins = matches!(busy.work, Work::Placement { .. } | Work::Recreation);
        let is_same = joins && busy.work == draft.work;
        Some(if is_same {
            Obstacle::Same(busy.id)
        } else {
            Obstacle::Busy(busy.id)
        })
    }

    /// A running job that places the container with this name or id in or out of the pod.
    pub fn lookup_placement(&self, device: DeviceId, container: &str, member: bool) -> Option<JobId> {
        self.lookup_running(device, |record, target| {
            let names = [&target.container, &target.name];
            record.work == Work::Placement { member }
                && names.into_iter().flatten().any(|name| name == container)
        })
    }

    /// A job that installs an agent on a device.
    pub fn lookup_push(&self, device: DeviceId) -> Option<JobId> {
        self.lookup_running(device, |record, _| record.work.is_own())
    }

    fn lookup_running(&self, device: DeviceId, is_it: impl Fn(&JobRecord, &Target) -> bool) -> Option<JobId> {
        let mut live = self.live.values().filter(|job| !job.is_over());
        let found = live.find(|job| {
            let targets = job.record.acts.iter().map(|act| &act.target);
            let mut here = targets.filter(|target| target.device == device);
            here.any(|target| is_it(&job.record, target))
        });
        found.map(|job| job.record.id)
    }

    /// Takes a job whose record is kept.
    pub fn adopt(&mut self, record: JobRecord, origin: Origin, (at, now): Now) {
        let is_own = record.work.is_own();
        let begun = match origin {
            // What control itself carried out has ended with it.
            _ if is_own => Begun::No,
            Origin::New => Begun::No,
            Origin::Kept => Begun::Maybe,
            Origin::Listed => Begun::Yes,
        };
        let acts = record.acts.iter().map(|act| {
            let is_reachable = is_own || self.reachable.contains(&act.target.device);
            match act.outcome {
                Some(_) => LiveAct::over(),
                None => LiveAct::new(begun, is_reachable, now),
            }
        });
        let acts = acts.collect();
        let id = record.id;
        let mut job = Job::new(record, acts);
        if job.is_canceling() {
            job.cancel_acts(at);
        }
        self.numbers.insert(id, self.next);
        self.live.insert(self.next, job);
        self.next += 1;
        self.changed.insert(id);
    }

    /// A job, while it is not over or its end is not told everywhere.
    pub fn lookup(&self, id: JobId) -> Option<&JobRecord> {
        self.get(id).map(|job| &job.record)
    }

    /// Whether a job can be ended early.
    #[must_use]
    pub fn is_cancelable(&self, id: JobId) -> bool {
        self.get(id).is_some_and(Job::is_cancelable)
    }

    /// Whether a job is over and its record is written.
    #[must_use]
    pub fn is_over(&self, id: JobId) -> bool {
        self.get(id).is_none_or(Job::is_over_for_good)
    }

    /// Whether a device has written a job down: it finishes or undoes it, whatever happens.
    #[must_use]
    pub fn is_underway(&self, id: JobId) -> bool {
        self.get(id)
            .is_some_and(|job| job.acts.iter().any(|act| act.underway))
    }

    /// Whether the outcome of an act of this job is not known.
    #[must_use]
    pub fn is_followed(&self, job: JobId, act: JobId) -> bool {
        let job = self.get(job);
        job.is_some_and(|job| {
            job.each()
                .any(|(known, live)| known.id == act && live.ended.is_none())
        })
    }

    /// Whether an act of this id belongs to a job here.
    #[must_use]
    pub fn has_act(&self, act: JobId) -> bool {
        let mut acts = self.live.values().flat_map(|job| &job.record.acts);
        acts.any(|known| known.id == act)
    }

    /// A device can be called, and lists these acts.
    pub fn handle_link_up(&mut self, device: DeviceId, listed: &[JobId], now: Now) {
        // What it did not begin in time is not begun now either.
        self.handle_timeout(now);
        let (_, now) = now;
        self.reachable.insert(device);
        self.each_act_of(device, |id, act| act.handle_link_up(listed.contains(&id), now));
    }

    /// A device can't be called.
    pub fn handle_link_down(&mut self, device: DeviceId, (_, now): Now) {
        self.reachable.remove(&device);
        self.each_act_of(device, |_, act| act.handle_link_down(now));
    }

    /// A device was revoked or removed. What control itself does for it is ended early.
    pub fn handle_gone(&mut self, device: DeviceId, (at, _): Now) {
        self.reachable.remove(&device);
        for job in self.live.values_mut() {
            for nth in 0..job.acts.len() {
                let target = &job.record.acts[nth].target;
                if target.device != device {
                    continue;
                }
                if job.record.work.is_own() {
                    drop(job.cancel(at));
                } else {
                    let outcome = job.acts[nth].left(&target.device_name);
                    job.end_act(nth, outcome, at);
                }
            }
        }
    }

    /// A record was written, or could not be.
    pub fn handle_saved(&mut self, id: JobId, is_written: bool, (_, now): Now) {
        let Some(job) = self.get_mut(id) else { return };
        job.handle_saved(is_written, now);
        if job.is_over_for_good() && !job.is_told {
            job.is_told = true;
            self.changed.insert(id);
        }
    }

    /// A device answered a call about an act, or did not. The words in a report are safe to show, and bounded.
    pub fn handle_answer(
        &mut self,
        id: JobId,
        (act, call): (JobId, &Call),
        answer: Result<JobReport, CallFailure>,
        (at, now): Now,
    ) {
        let Some(job) = self.get_mut(id) else { return };
        let Some(nth) = job.record.acts.iter().position(|known| known.id == act) else {
            return;
        };
        let is_canceling = job.is_canceling();
        let mut is_new = false;
        let outcome = match answer {
            Ok(mut report) => {
                // What is done to one of many containers is told in one line, when it is done.
                let lines = std::mem::take(&mut report.lines);
                if !job.is_over() && !job.record.work.takes_turns() {
                    is_new = !lines.is_empty();
                    lines.into_iter().for_each(|line| job.record.add_line(line));
                }
                job.acts[nth].handle_report(call, report)
            }
            Err(failure) => job.acts[nth].handle_failure(call, failure, (is_canceling, now)),
        };
        if let Some(outcome) = outcome {
            let replaced = outcome.container.clone();
            let target = job.record.acts[nth].target.clone();
            job.end_act(nth, outcome, at);
            self.follow_container(&target, replaced);
        }
        if is_new {
            self.changed.insert(id);
        }
    }

    /// Control's own work on a job has ended.
    pub fn handle_ran(&mut self, id: JobId, outcome: ActOutcome, (at, _): Now) {
        if let Some(job) = self.get_mut(id) {
            job.end_act(0, outcome, at);
        }
    }

    /// A line of control's own work.
    pub fn handle_line(&mut self, id: JobId, line: String) {
        if let Some(job) = self.get_mut(id) {
            job.record.add_line(line);
            self.changed.insert(id);
        }
    }

    /// Ends a job at the next point at which that is safe.
    ///
    /// # Errors
    /// Why it can't be ended.
    pub fn handle_cancel(&mut self, id: JobId, (at, _): Now) -> Result<(), Problem> {
        let over = || Code::Conflict.because("It is over already.");
        self.get_mut(id).ok_or_else(over)?.cancel(at)?;
        self.changed.insert(id);
        Ok(())
    }

    /// Ends acts whose devices were away for too long.
    pub fn handle_timeout(&mut self, (at, now): Now) {
        for job in self.live.values_mut() {
            for nth in 0..job.acts.len() {
                let name = &job.record.acts[nth].target.device_name;
                if let Some(outcome) = job.acts[nth].overdue(name, now) {
                    job.end_act(nth, outcome, at);
                }
            }
        }
    }

    /// When [`Jobs::handle_timeout`] and then [`Jobs::poll_todo`] are due without any other event.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.live.values().filter_map(Job::poll_timeout).min()
    }

    /// The next thing to do; `None` when nothing is to be done until something happens.
    pub fn poll_todo(&mut self, (_, now): Now) -> Option<Todo> {
        let polled = self.poll_jobs(now);
        if let Some(id) = self.changed.pop_first() {
            self.postponed = polled;
            return Some(Todo::Show(id));
        }
        if polled.is_none() {
            self.forget_settled();
        }
        polled
    }

    fn poll_jobs(&mut self, now: Instant) -> Option<Todo> {
        if self.postponed.is_some() {
            return self.postponed.take();
        }
        let turns = Turns::of(self.live.values());
        let mut ahead = Ahead::default();
        let last = self.live.keys().next_back().copied();
        for (number, job) in &mut self.live {
            let waits_for = ahead.blocks_job(job);
            if job.refresh(waits_for) {
                self.changed.insert(job.record.id);
            }
            if let Some((record, ended)) = job.poll_save(now) {
                let record = Box::new(record);
                return Some(Todo::Save { record, ended });
            }
            let polled = poll_job(job, (&ahead, &turns, &self.reachable), now);
            if polled.is_some() {
                return polled;
            }
            if Some(*number) != last {
                ahead.add(job);
            }
        }
        None
    }

    /// Lets the acts that wait for a placement go on with the container that it made.
    fn follow_container(&mut self, old: &Target, replaced: Option<String>) {
        let Some(new) = replaced else { return };
        let jobs = self.live.values_mut();
        let acts = jobs.flat_map(|job| job.record.acts.iter_mut().zip(&job.acts));
        let waiting = acts.filter(|(_, live)| !live.is_begun() && live.ended.is_none());
        waiting.for_each(|(act, _)| act.target.follow(old, &new));
    }

    fn forget_settled(&mut self) {
        let reachable = &self.reachable;
        self.live.retain(|_, job| !job.is_settled(reachable));
        let live = &self.live;
        self.numbers.retain(|_, number| live.contains_key(number));
    }

    fn each_act_of(&mut self, device: DeviceId, mut change: impl FnMut(JobId, &mut LiveAct)) {
        let jobs = self.live.values_mut().filter(|job| !job.record.work.is_own());
        let acts = jobs.flat_map(|job| job.record.acts.iter().zip(&mut job.acts));
        acts.filter(|(act, _)| act.target.device == device)
            .for_each(|(act, live)| change(act.id, live));
    }

    fn get(&self, id: JobId) -> Option<&Job> {
        self.live.get(self.numbers.get(&id)?)
    }

    fn get_mut(&mut self, id: JobId) -> Option<&mut Job> {
        self.live.get_mut(self.numbers.get(&id)?)
    }
}

#[cfg(test)]
mod tests;
