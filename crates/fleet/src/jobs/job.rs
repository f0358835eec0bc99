//! One job while it is not over: its acts, its state, and what people read of it.

use super::{
    live_act::{Begun, LiveAct, canceled_in_time},
    record::{ActOutcome, JobRecord},
    work::{Order, Work},
};
use flotilla_protocol::{Code, Problem, Timestamp, id::DeviceId, inventory::ContainerAction, job::JobState};
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
    saved: u64,
    /// The version that is being written.
    saving: Option<u64>,
    retry_at: Option<Instant>,
    /// It was asked to end.
    pub(super) is_canceling: bool,
    /// The request to end is kept.
    is_cancel_saved: bool,
    /// Control was told to carry it out, and then to stop that.
    pub(super) is_run: bool,
    pub(super) is_stopped: bool,
    /// Its outcome was told to who waits for it.
    pub(super) is_told: bool,
}

impl Job {
    /// A job whose record is kept as it is here.
    pub(super) fn new(record: JobRecord, acts: Vec<LiveAct>) -> Self {
        let is_canceling = record.state == JobState::Canceling;
        Self {
            record,
            acts,
            version: 0,
            saved: 0,
            saving: None,
            retry_at: None,
            is_canceling,
            is_cancel_saved: is_canceling,
            is_run: false,
            is_stopped: false,
            is_told: false,
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.record.acts.iter().all(|kept| kept.outcome.is_some())
    }

    /// Whether its outcome is kept.
    pub(super) fn is_over_for_good(&self) -> bool {
        self.is_over() && self.saved == self.version
    }

    pub(super) fn is_over_act(&self, nth: usize) -> bool {
        self.record.acts[nth].outcome.is_some()
    }

    /// Whether a request to end may be passed on to a device or to control's own work.
    pub(super) fn may_pass_cancel_on(&self) -> bool {
        self.is_canceling && self.is_cancel_saved
    }

    /// Notes that what is kept has changed.
    pub(super) fn touch(&mut self) {
        self.version += 1;
    }

    /// Ends an act, unless it is over already.
    pub(super) fn end_act(&mut self, nth: usize, outcome: ActOutcome, now: Timestamp) {
        if self.is_over_act(nth) {
            return;
        }
        if let Work::Bulk { action, containers } = &self.record.work {
            let target = &containers[nth];
            let line = format!(
                "{} on {}: {}",
                target.label(),
                target.device_name,
                bulk_word(*action, &outcome)
            );
            self.record.add_line(line);
        }
        self.record.acts[nth].outcome = Some(outcome);
        self.touch();
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
        let mut ended = Vec::new();
        for (nth, act) in self.acts.iter_mut().enumerate() {
            if self.record.acts[nth].outcome.is_some() && !act.is_saved {
                act.is_saving = true;
                ended.push(nth);
            }
        }
        Some((self.record.clone(), ended))
    }

    pub(super) fn handle_saved(&mut self, is_written: bool, now: Instant) {
        let Some(version) = self.saving.take() else { return };
        for act in &mut self.acts {
            act.is_saved |= act.is_saving && is_written;
            act.is_saving = false;
        }
        if is_written {
            self.saved = version;
            // Nothing else changes the state to this one, so a record that was written since says so too.
            self.is_cancel_saved |= self.is_canceling && self.saved == self.version;
        } else {
            self.retry_at = Some(now + RETRY);
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let acts = self.acts.iter().enumerate();
        let acts = acts.filter_map(|(nth, act)| act.poll_timeout(self.is_over_act(nth)));
        acts.chain(self.retry_at).min()
    }

    /// Whether nothing is left to do. A device that is away lists what it has to forget when it is back.
    pub(super) fn is_settled(&self, reachable: &BTreeSet<DeviceId>) -> bool {
        let mut acts = self.record.acts.iter().zip(&self.acts);
        self.is_told
            && acts
                .all(|(kept, act)| !act.is_out && (act.is_forgotten || !reachable.contains(&kept.act.device)))
    }

    /// Brings the state up to date, and what people read while nothing was said; returns whether that changes anything.
    pub(super) fn refresh(&mut self, waits_for: Option<&str>) -> bool {
        if self.is_over() {
            return false;
        }
        let mut acts = self.acts.iter().enumerate();
        let has_begun = acts.any(|(nth, act)| act.is_begun() || self.is_over_act(nth));
        let state = if self.is_canceling {
            JobState::Canceling
        } else if has_begun || self.is_run {
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
        let away = self.acts.iter().enumerate();
        let mut away = away.filter(|(nth, act)| act.is_away() && !self.is_over_act(*nth));
        let away = away.next().map(|(nth, act)| {
            let name = &self.record.acts[nth].act.device_name;
            match act.begun {
                Begun::No => format!("It waits for {name}, which is offline."),
                Begun::Maybe | Begun::Yes => {
                    format!("{name} is offline. What it began there goes on without this controller.")
                }
            }
        });
        let waits = waits_for.map(|other| format!("It waits until this is over: {other}."));
        let said = self.record.lines.last().cloned();
        let bulk = match &self.record.work {
            Work::Bulk { containers, .. } => {
                let over = self
                    .record
                    .acts
                    .iter()
                    .filter(|kept| kept.outcome.is_some())
                    .count();
                Some(format!("{over} of {} are done.", containers.len()))
            }
            _ => None,
        };
        away.or(waits)
            .or(bulk)
            .or(said)
            .unwrap_or_else(|| "It begins.".to_owned())
    }

    /// The state and the problem of a job whose acts are over.
    fn sum(&self) -> (JobState, Option<Problem>) {
        let Work::Bulk { action, containers } = &self.record.work else {
            let outcome = self.record.acts.first().and_then(|kept| kept.outcome.clone());
            return outcome.map_or((JobState::Done, None), |outcome| (outcome.state, outcome.problem));
        };
        let outcomes = self.record.acts.iter().filter_map(|kept| kept.outcome.as_ref());
        let not_done: Vec<_> = containers
            .iter()
            .zip(outcomes)
            .filter(|(_, outcome)| outcome.state != JobState::Done)
            .collect();
        let Some((_, first)) = not_done.first() else {
            return (JobState::Done, None);
        };
        let all_canceled = not_done
            .iter()
            .all(|(_, outcome)| outcome.state == JobState::Canceled);
        let state = if all_canceled {
            JobState::Canceled
        } else {
            JobState::Failed
        };
        let code = first
            .problem
            .as_ref()
            .map_or(Code::Internal, |problem| problem.code);
        let named = not_done.iter().take(NAMED).map(|(target, outcome)| {
            let why = outcome.problem.as_ref();
            let why = why.map_or_else(String::new, |problem| problem.message.clone());
            format!("{} on {}: {why}", target.label(), target.device_name)
        });
        let named: Vec<_> = named.collect();
        let message = format!(
            "{} of {} containers were not {}. {}",
            not_done.len(),
            containers.len(),
            past_tense(*action),
            named.join(" ")
        );
        (state, Some(Problem::new(code, message)))
    }

    /// Asks it to end: acts that have not begun are over at once.
    pub(super) fn cancel(&mut self, now: Timestamp) -> Result<(), Problem> {
        let conflict = |message: &str| Err(Problem::new(Code::Conflict, message));
        if self.is_over() {
            return conflict("It is over already.");
        }
        if !self.is_cancelable() {
            return conflict(
                "An agent that has begun to move can't be stopped half-way. Wait, then change the network mode back.",
            );
        }
        self.is_canceling = true;
        self.record.state = JobState::Canceling;
        self.touch();
        self.cancel_acts(now);
        Ok(())
    }

    /// Passes a request to end on to the acts: those that have not begun are over.
    pub(super) fn cancel_acts(&mut self, now: Timestamp) {
        for nth in 0..self.acts.len() {
            if self.is_over_act(nth) || self.record.acts[nth].act.order == Order::Run && self.is_run {
                continue;
            }
            let ends_early = self.record.acts[nth].act.ends_early();
            if !self.acts[nth].handle_cancel(ends_early) {
                self.acts[nth].is_forgotten = true;
                self.end_act(nth, ActOutcome::canceled(self.canceled()), now);
            }
        }
    }

    /// Why an act is over that was not begun by this run of control.
    fn canceled(&self) -> Problem {
        match &self.record.work {
            Work::Push { host, .. } if !self.record.lines.is_empty() => Problem::new(
                Code::Conflict,
                format!(
                    "It was ended before it was done. What was installed on {host} by then is still there."
                ),
            ),
            _ => canceled_in_time(),
        }
    }

    pub(super) fn is_cancelable(&self) -> bool {
        let is_move = matches!(self.record.work, Work::ModeChange { .. });
        let is_untouched = !self.acts.iter().any(LiveAct::is_begun);
        !self.is_over() && !self.is_canceling && (!is_move || is_untouched)
    }
}

fn bulk_word(action: ContainerAction, outcome: &ActOutcome) -> String {
    match &outcome.problem {
        None => format!("{}.", past_tense(action)),
        Some(problem) => problem.message.clone(),
    }
}

/// What a container is when an action is done.
#[must_use]
pub fn past_tense(action: ContainerAction) -> &'static str {
    match action {
        ContainerAction::Start => "started",
        ContainerAction::Stop => "stopped",
        ContainerAction::Restart => "restarted",
    }
}
