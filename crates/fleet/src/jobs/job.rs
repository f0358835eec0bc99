//! One job while it is not over: its acts, its state, and what people read of it.

use super::{
    live_act::{Begun, LiveAct, canceled_in_time},
    record::{Act, ActOutcome, JobRecord},
    work::{Target, Work},
};
use flotilla_protocol::{Code, Problem, Timestamp, id::DeviceId, job::JobState};
use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

/// The pause before a record is written again that could not be written.
const RETRY: Duration = Duration::from_secs(5);

/// Problems of containers that the problem of a bulk job names.
const NAMED: usize = 3;

#[derive(Debug)]
pub(super) struct Job {
    pub(super) record: JobRecord,
    /// One for each act of the record, in the same order.
    pub(super) acts: Vec<LiveAct>,
    /// Counts changes of what is kept.
    version: u64,
    pub(super) saved: u64,
    /// The version that is being written.
    saving: Option<u64>,
    retry_at: Option<Instant>,
    /// The version that first says that it was asked to end.
    canceled: Option<u64>,
    /// Control was told to carry it out, and then to stop that.
    pub(super) is_run: bool,
    pub(super) is_stopped: bool,
    /// Its outcome was told to who waits for it.
    pub(super) is_told: bool,
}

impl Job {
    /// A job whose record is kept as it is here.
    pub(super) fn new(record: JobRecord, acts: Vec<LiveAct>) -> Self {
        Self {
            canceled: (record.state == JobState::Canceling).then_some(0),
            record,
            acts,
            version: 0,
            saved: 0,
            saving: None,
            retry_at: None,
            is_run: false,
            is_stopped: false,
            is_told: false,
        }
    }

    /// Its acts.
    pub(super) fn each(&self) -> impl Iterator<Item = (&Act, &LiveAct)> {
        self.record.acts.iter().zip(&self.acts)
    }

    /// Its acts whose outcome is not kept: also one that is over may have to be asked for again.
    pub(super) fn open(&self) -> impl Iterator<Item = (&Act, &LiveAct)> {
        self.each()
            .filter(|(_, live)| live.ended.is_none_or(|version| version > self.saved))
    }

    /// What it acts on until that is kept.
    pub(super) fn held(&self) -> impl Iterator<Item = &Target> {
        self.open().map(|(act, _)| &act.target)
    }

    pub(super) fn is_over(&self) -> bool {
        self.acts.iter().all(|act| act.ended.is_some())
    }

    /// Whether its outcome is kept.
    pub(super) fn is_over_for_good(&self) -> bool {
        self.is_over() && self.saved == self.version
    }

    /// Whether it was asked to end.
    pub(super) fn is_canceling(&self) -> bool {
        self.canceled.is_some()
    }

    /// Whether a request to end may be passed on to a device or to control's own work: once it is kept.
    pub(super) fn may_pass_cancel_on(&self) -> bool {
        self.canceled.is_some_and(|version| version <= self.saved)
    }

    /// Ends an act, unless it is over already.
    pub(super) fn end_act(&mut self, nth: usize, outcome: ActOutcome, now: Timestamp) {
        if self.acts[nth].ended.is_some() {
            return;
        }
        let act = &mut self.record.acts[nth];
        let done = self.record.work.done_to_each();
        let line = done.map(|done| match outcome.message() {
            Some(why) => format!("{}: {why}", act.target),
            None => format!("{}: {done}.", act.target),
        });
        act.outcome = Some(outcome);
        self.version += 1;
        self.acts[nth].ended = Some(self.version);
        line.into_iter().for_each(|line| self.record.add_line(line));
        if self.is_over() {
            self.record.ended = Some(now);
            (self.record.state, self.record.problem) = self.sum();
        }
    }

    /// The record to write, if it is to be written.
    pub(super) fn poll_save(&mut self, now: Instant) -> Option<(JobRecord, Vec<usize>)> {
        let is_paused = self.retry_at.is_some_and(|at| now < at);
        if self.saving.is_some() || self.saved == self.version || is_paused {
            return None;
        }
        self.saving = Some(self.version);
        self.retry_at = None;
        let acts = self.acts.iter().enumerate();
        let ended = acts.filter(|(_, act)| act.ended.is_some_and(|version| version > self.saved));
        Some((self.record.clone(), ended.map(|(nth, _)| nth).collect()))
    }

    pub(super) fn handle_saved(&mut self, is_written: bool, now: Instant) {
        let Some(version) = self.saving.take() else { return };
        if is_written {
            self.saved = version;
        } else {
            self.retry_at = Some(now + RETRY);
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let acts = self.acts.iter().filter_map(LiveAct::poll_timeout);
        acts.chain(self.retry_at).min()
    }

    /// Whether nothing is left to do. A device that is away lists what it has to forget when it is back.
    pub(super) fn is_settled(&self, reachable: &BTreeSet<DeviceId>) -> bool {
        let mut each = self.each();
        let is_reachable = |act: &Act| reachable.contains(&act.target.device);
        self.is_told && each.all(|(act, live)| !(live.is_out || live.is_kept_there && is_reachable(act)))
    }

    /// Brings the state up to date, and what people read while nothing was said; returns whether that changes anything.
    pub(super) fn refresh(&mut self, waits_for: Option<&str>) -> bool {
        if self.is_over() {
            return false;
        }
        let has_begun = |act: &LiveAct| act.is_begun() || act.ended.is_some();
        let state = if self.is_canceling() {
            JobState::Canceling
        } else if self.is_run || self.acts.iter().any(has_begun) {
            JobState::Running
        } else {
            JobState::Waiting
        };
        let step = self.step(waits_for);
        let is_new = (state, &step) != (self.record.state, &self.record.step);
        (self.record.state, self.record.step) = (state, step);
        is_new
    }

    fn step(&self, waits_for: Option<&str>) -> String {
        let away = self
            .each()
            .find(|(_, live)| live.is_away() && live.ended.is_none());
        if let Some((act, live)) = away {
            let name = &act.target.device_name;
            return match live.begun {
                Begun::No => format!("It waits for {name}, which is offline."),
                Begun::Maybe | Begun::Yes => {
                    format!("{name} is offline. What it began there goes on without this controller.")
                }
            };
        }
        if let Some(other) = waits_for {
            return format!("It waits until this is over: {other}.");
        }
        if self.record.work.done_to_each().is_some() {
            let over = self.acts.iter().filter(|act| act.ended.is_some()).count();
            return format!("{over} of {} are done.", self.acts.len());
        }
        let said = self.record.lines.last().cloned();
        said.unwrap_or_else(|| "It begins.".to_owned())
    }

    /// The state and the problem of a job whose acts are over.
    fn sum(&self) -> (JobState, Option<Problem>) {
        let acts = self.record.acts.iter();
        let mut outcomes = acts.filter_map(|act| Some((&act.target, act.outcome.as_ref()?)));
        let Some(done) = self.record.work.done_to_each() else {
            let only = outcomes.next().map(|(_, outcome)| outcome.clone());
            return only.map_or((JobState::Done, None), |outcome| (outcome.state, outcome.problem));
        };
        let not_done: Vec<_> = outcomes
            .filter(|(_, outcome)| outcome.state != JobState::Done)
            .collect();
        let Some((_, first)) = not_done.first() else {
            return (JobState::Done, None);
        };
        let is_canceled = |(_, outcome): &(_, &ActOutcome)| outcome.state == JobState::Canceled;
        let state = if not_done.iter().all(is_canceled) {
            JobState::Canceled
        } else {
            JobState::Failed
        };
        let code = first.problem.as_ref().map(|problem| problem.code);
        let named = not_done.iter().take(NAMED);
        let named = named.map(|(target, outcome)| format!("{target}: {}", outcome.message().unwrap_or("")));
        let message = format!(
            "{} of {} containers were not {}. {}",
            not_done.len(),
            self.acts.len(),
            done,
            named.collect::<Vec<_>>().join(" ")
        );
        (state, Some(code.unwrap_or(Code::Internal).because(message)))
    }

    /// Asks it to end: acts that have not begun are over at once.
    pub(super) fn cancel(&mut self, now: Timestamp) -> Result<(), Problem> {
        let conflict = |message: &str| Err(Code::Conflict.because(message));
        if self.is_over() {
            return conflict("It is over already.");
        }
        if !self.is_cancelable() {
            return conflict(
                "An agent that has begun to move can't be stopped half-way. Wait, then change the network mode back.",
            );
        }
        self.record.state = JobState::Canceling;
        self.version += 1;
        self.canceled = Some(self.version);
        self.cancel_acts(now);
        Ok(())
    }

    /// Passes a request to end on to the acts: those that have not begun are over.
    pub(super) fn cancel_acts(&mut self, now: Timestamp) {
        let ends_early = self.record.work.ends_early();
        for nth in 0..self.acts.len() {
            let act = &mut self.acts[nth];
            if act.ended.is_none() && !self.is_run && !act.handle_cancel(ends_early) {
                let outcome = ActOutcome::canceled(self.canceled_in_time());
                self.end_act(nth, outcome, now);
            }
        }
    }

    /// Why an act is over that was not begun by this run of control.
    fn canceled_in_time(&self) -> Problem {
        match &self.record.work {
            Work::Push { host, .. } if self.record.lines.last().is_some() => Code::Conflict.because(format!(
                "It was ended before it was done. What was installed on {host} by then is still there."
            )),
            _ => canceled_in_time(),
        }
    }

    pub(super) fn is_cancelable(&self) -> bool {
        let is_move = matches!(self.record.work, Work::ModeChange { .. });
        let is_untouched = !self.acts.iter().any(LiveAct::is_begun);
        !self.is_over() && !self.is_canceling() && (!is_move || is_untouched)
    }
}
