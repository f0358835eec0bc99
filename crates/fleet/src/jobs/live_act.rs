//! One act of a job that is not over: the next call to its device, and its outcome.
//!
//! Life of an act: not begun → (told to begin) → begun → followed → its outcome is known → the outcome is kept → the
//! device may forget it. The outcome is kept before the device forgets its own record, so that whenever control ends,
//! one of the two still knows it. A device begins an act once however often it is told to, by the act's id.

use super::record::ActOutcome;
use flotilla_protocol::{
    Code, Problem,
    job::{JobReport, JobRequest},
    name::DeviceName,
};
use std::time::{Duration, Instant};

/// How long an act that has not begun waits for its device: long enough for a restart of the device, and short enough that
/// a request of the morning is not carried out in the evening.
pub(super) const AWAY: Duration = Duration::from_secs(5 * 60);

/// How long control waits for a device that may have begun an act. A day covers a power cut; after a longer outage the
/// device still reports the outcome, and the job is taken up again.
pub(super) const LOST: Duration = Duration::from_secs(24 * 3_600);

/// Attempts of a call that gets no answer while the device's link lives.
const TRIES: u32 = 3;

/// The pause before a call that was cut off is made again. A link may notice its own end later than its calls do.
const CUT_OFF: Duration = Duration::from_millis(200);

/// The pause before a device that is full of jobs or of streams is called again.
const FULL: Duration = Duration::from_secs(2);

/// A call to a device about one act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// Begins it; begins nothing when the device has an act with this id.
    Begin(JobRequest),
    /// Waits for news, with the lines from this number on.
    Follow { from: u32 },
    /// Ends it early where that is safe.
    Cancel,
    /// Lets the device forget it.
    Forget,
}

/// Why a call has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallFailure {
    /// The link ended. The device may have got the call.
    CutOff,
    /// The device did not answer in time.
    Silent,
    /// The call was not made, because too many go on at the device.
    Crowded,
    /// The device answered that it does not do it, or an answer that means nothing.
    Refused(Problem),
}

/// What is known of an act at its device.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Begun {
    #[default]
    No,
    /// It was told to, by this run of control or an earlier one.
    Maybe,
    Yes,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Cancel {
    #[default]
    No,
    Wanted,
    Out,
    Told,
}

/// What an act may do next.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Its outcome is kept.
    pub(super) is_saved: bool,
    /// Its device has room for it.
    pub(super) has_room: bool,
    /// Nothing else acts on the same thing.
    pub(super) is_free: bool,
    pub(super) is_canceling: bool,
    /// The request to end its job is kept.
    pub(super) may_cancel: bool,
}

#[derive(Debug, Clone, Default)]
pub(super) struct LiveAct {
    pub(super) begun: Begun,
    /// The device has written it down, and finishes or undoes it whatever happens.
    pub(super) underway: bool,
    /// A call that begins, follows or forgets is on its way.
    pub(super) is_out: bool,
    /// This run of control has called its device about it, so it counts among those that the device is busy with.
    pub(super) has_turn: bool,
    /// The version of its job's record that first had its outcome.
    pub(super) ended: Option<u64>,
    /// Its device keeps the outcome until it is told to forget it.
    pub(super) is_kept_there: bool,
    /// Since when its device is away.
    away_since: Option<Instant>,
    /// Its device was away for so long that it must not begin any more.
    is_late: bool,
    cancel: Cancel,
    paused_until: Option<Instant>,
    tries: u32,
    /// How often the device had lost it before it wrote it down.
    losses: u32,
    next_line: u32,
}

impl LiveAct {
    pub(super) fn new(begun: Begun, is_reachable: bool, now: Instant) -> Self {
        Self {
            begun,
            away_since: (!is_reachable).then_some(now),
            ..Self::default()
        }
    }

    /// An act whose outcome is kept, of a job that is taken up again. Whatever the device still has of it, it lists when
    /// its link begins.
    pub(super) fn over() -> Self {
        Self {
            begun: Begun::Yes,
            ended: Some(0),
            ..Self::default()
        }
    }

    /// Its device can be called, and has begun it if it lists it.
    pub(super) fn handle_link_up(&mut self, is_listed: bool, now: Instant) {
        if is_listed {
            (self.begun, self.has_turn) = (Begun::Yes, true);
        }
        self.is_late |= self.away_since.is_some_and(|since| since + AWAY <= now);
        (self.away_since, self.paused_until, self.tries) = (None, None, 0);
    }

    pub(super) fn handle_link_down(&mut self, now: Instant) {
        self.away_since.get_or_insert(now);
    }

    /// Wants the act to end early; false when the device has not begun it and need not hear of it.
    pub(super) fn handle_cancel(&mut self, ends_early: bool) -> bool {
        let is_untouched = self.begun == Begun::No && !self.is_out;
        if !is_untouched && ends_early && self.cancel == Cancel::No {
            self.cancel = Cancel::Wanted;
        }
        !is_untouched
    }

    pub(super) fn is_begun(&self) -> bool {
        self.is_out || self.begun != Begun::No
    }

    /// The next call to its device, which can be reached.
    pub(super) fn poll_call(
        &mut self,
        request: impl FnOnce() -> Option<JobRequest>,
        bounds: Bounds,
        now: Instant,
    ) -> Option<Call> {
        let is_over = self.ended.is_some();
        if !is_over && bounds.may_cancel && self.cancel == Cancel::Wanted && self.begun == Begun::Yes {
            self.cancel = Cancel::Out;
            return Some(Call::Cancel);
        }
        if self.is_out || self.paused_until.is_some_and(|until| now < until) {
            return None;
        }
        let call = if is_over {
            (bounds.is_saved && self.is_kept_there).then_some(Call::Forget)
        } else if self.begun == Begun::Yes {
            Some(Call::Follow { from: self.next_line })
        } else if !bounds.has_room {
            None
        } else if bounds.is_canceling || self.is_late {
            // Only asked for: it must not begin any more.
            (self.begun == Begun::Maybe).then_some(Call::Follow { from: 0 })
        } else if bounds.is_free {
            request().map(Call::Begin)
        } else {
            None
        };
        self.is_out = call.is_some();
        self.has_turn |= self.is_out;
        call
    }

    /// The device answered a call; the outcome if it tells one. `report` has the lines that are new.
    pub(super) fn handle_report(&mut self, call: &Call, report: JobReport) -> Option<ActOutcome> {
        match call {
            Call::Cancel => self.cancel = Cancel::Told,
            Call::Forget => {
                (self.is_out, self.is_kept_there) = (false, false);
                return None;
            }
            Call::Begin(_) | Call::Follow { .. } => {
                self.is_out = false;
                self.next_line = report.next_line;
            }
        }
        (self.tries, self.paused_until) = (0, None);
        self.begun = Begun::Yes;
        self.underway |= report.underway;
        let is_news = report.state.is_over() && self.ended.is_none();
        self.is_kept_there |= is_news;
        is_news.then(|| ActOutcome::reported(report))
    }

    /// A call has no answer; the outcome if that ends the act.
    pub(super) fn handle_failure(
        &mut self,
        call: &Call,
        failure: CallFailure,
        (is_canceling, now): (bool, Instant),
    ) -> Option<ActOutcome> {
        match call {
            Call::Cancel => {
                // One that was cut off is told again; to one that refuses there is nothing more to say.
                self.cancel = if failure == CallFailure::CutOff {
                    Cancel::Wanted
                } else {
                    Cancel::Told
                };
                return None;
            }
            Call::Forget => {
                // The device lists it when its next link begins, and is then told again.
                (self.is_out, self.is_kept_there) = (false, false);
                return None;
            }
            Call::Begin(_) | Call::Follow { .. } => self.is_out = false,
        }
        let is_begin = matches!(call, Call::Begin(_));
        match failure {
            CallFailure::Refused(problem) if is_begin && problem.code == Code::RateLimited => {
                self.handle_failure(call, CallFailure::Crowded, (is_canceling, now))
            }
            CallFailure::Crowded => {
                self.paused_until = Some(now + FULL);
                None
            }
            CallFailure::Refused(problem) if is_begin => Some(ActOutcome::failed(problem)),
            CallFailure::Refused(problem) => self.not_there(problem, is_canceling),
            CallFailure::CutOff | CallFailure::Silent => {
                self.begun = self.begun.max(Begun::Maybe);
                self.tries += 1;
                self.paused_until = (failure == CallFailure::CutOff).then(|| now + CUT_OFF);
                (self.tries >= TRIES && self.away_since.is_none()).then(|| {
                    ActOutcome::lost(
                        Code::NoAnswer.because(
                            "The device does not say what came of it. It may go on there; look again.",
                        ),
                    )
                })
            }
        }
    }

    /// What it becomes when its device was away for too long.
    pub(super) fn overdue(&self, device: &DeviceName, now: Instant) -> Option<ActOutcome> {
        if self.is_out || self.ended.is_some() {
            return None;
        }
        self.deadline().filter(|until| *until <= now)?;
        Some(match self.begun {
            Begun::No => ActOutcome::failed(Code::DeviceOffline.because(format!(
                    "{device} was offline for {} minutes, so it was not begun. Nothing was changed. Try again when {device} is online.",
                    AWAY.as_secs() / 60
                ))),
            Begun::Maybe | Begun::Yes => ActOutcome::lost(Code::NoAnswer.because(format!(
                    "{device} has been offline for a day, so nobody knows what came of it. It is told here when {device} is back."
                ))),
        })
    }

    /// When something about it is due without any news.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        if self.is_out {
            return None;
        }
        let deadline = self.deadline().filter(|_| self.ended.is_none());
        [deadline, self.paused_until].into_iter().flatten().min()
    }

    pub(super) fn is_away(&self) -> bool {
        self.away_since.is_some()
    }

    /// What it becomes when its device left the fleet.
    pub(super) fn left(&self, device: &DeviceName) -> ActOutcome {
        ActOutcome::failed(Code::Conflict.because(match self.begun {
            Begun::No => format!("{device} left the fleet before it was begun. Nothing was changed."),
            Begun::Maybe | Begun::Yes => {
                format!("{device} left the fleet before it told what came of it. Look there.")
            }
        }))
    }

    fn deadline(&self) -> Option<Instant> {
        let limit = if self.begun == Begun::No { AWAY } else { LOST };
        self.away_since.map(|since| since + limit)
    }

    /// The device was asked about an act, and refuses to answer: often, because it does not have it. A device that lost
    /// an act before it had written it down has changed nothing, so the act may begin again.
    fn not_there(&mut self, problem: Problem, is_canceling: bool) -> Option<ActOutcome> {
        let is_untouched = problem.code == Code::NotFound && !self.underway;
        if is_untouched && !is_canceling && !self.is_late && self.losses < TRIES {
            self.losses += 1;
            self.begun = Begun::Maybe;
            return None;
        }
        Some(if !is_untouched {
            ActOutcome::failed(problem)
        } else if is_canceling {
            ActOutcome::canceled(canceled_in_time())
        } else {
            ActOutcome::failed(
                Code::DeviceOffline.because(
                    "The link to the device ended before it had begun. Nothing was changed. Try again.",
                ),
            )
        })
    }
}

/// The problem of an act that was canceled before anything was done.
pub(super) fn canceled_in_time() -> Problem {
    Code::Conflict.because("It was canceled before it had begun. Nothing was changed.")
}
