//! One container in another's place: a pure plan over what the engine shows.
//!
//! Life cycle: the new container is created under a temporary name → the old one is stopped and set aside → the new one
//! takes its name, starts and shows that it works → the old one is removed. From any point before that last one, it
//! turns back: the new one is removed, and the old one gets its name back and runs as it did.
//!
//! The next step follows from the [`Swap`], which its owner keeps on disk, and from what the engine shows. So
//! recovery after a crash needs no code of its own: the next process computes the same next step.

use super::{copy_request::Network, proof::Proof};
use flotilla_protocol::Timestamp;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, time::Duration};

pub(super) const NEW: &str = ".flotilla-new";
pub(super) const OLD: &str = ".flotilla-old";

/// How long after a crash an engine may still carry out an earlier request.
const IN_FLIGHT: Duration = Duration::from_secs(3);

/// How much longer than a container's own grace its engine may take to stop it.
const KILLING: Duration = Duration::from_secs(5);

/// All that a process has to know to finish or undo an exchange of containers, beside what the engine shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Swap {
    /// Id of the container that is replaced.
    pub(super) old: String,
    /// The name that both containers have in turn.
    pub(super) name: String,
    /// Whether the old one ran, so that the new one has to run, too.
    pub(super) ran: bool,
    /// When the old one had been started; another time means that it was started since it was asked to stop.
    pub(super) started: Option<String>,
    pub(super) network: Network,
    pub(super) new: Replacement,
    /// The engine was asked to stop the old one, and has not answered: it may still stop it later.
    pub(super) stopping: bool,
    /// Seconds that the old one has to stop; `None` leaves that to its owner.
    pub(super) stop_seconds: Option<i32>,
    /// How long the old one may take to stop.
    pub(super) grace: Duration,
    pub(super) proof: Proof,
    pub(super) begun: Timestamp,
    /// Why it turned back, if it did.
    pub(super) back: Option<String>,
}

/// What is known of the container that takes the old one's place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Replacement {
    /// The engine may have been asked for it.
    Unknown,
    Made(String),
    /// The engine refused to make it.
    Refused,
}

/// A container as the engine shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SeenContainer {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) state: State,
    pub(super) health: Health,
    pub(super) started: Option<String>,
    pub(super) created: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Never started.
    Created,
    Running,
    Paused,
    /// It ends and is started again; the last exit code.
    Restarting(i64),
    Ended(i64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Health {
    /// It has no check.
    None,
    Starting,
    Good,
    Bad,
}

impl SeenContainer {
    pub(super) fn runs(&self) -> bool {
        matches!(self.state, State::Running | State::Paused | State::Restarting(_))
    }
}

/// Both containers as they are, and the time.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Facts {
    pub(super) old: Option<SeenContainer>,
    pub(super) new: Option<SeenContainer>,
    /// Time since this process took the exchange up.
    pub(super) since: Duration,
    /// The engine may have been asked for a container by a request whose answer was not received.
    pub(super) unheard: bool,
    /// Time since this process first saw the new one started.
    pub(super) up_for: Duration,
}

/// A request that changes something at the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    Create,
    StopOld,
    SetOldAside,
    NameNew,
    StartNew,
    RemoveOld,
    RemoveNew,
    NameOld,
    StartOld,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Next {
    Do(Step),
    /// Nothing to do; look again in a moment.
    Look,
    TurnBack(Fault),
    End(End),
}

/// What is wrong with the new container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    Gone,
    EndedWith(i64),
    Unhealthy,
    NotHealthyWithin(Duration),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    /// The container with this id stands in the old one's place.
    Replaced(String),
    /// Everything is as it was, except for steps that were left out.
    PutBack,
    /// Another program removed both.
    Gone,
}

impl Swap {
    pub(super) fn temporary_name(&self) -> String {
        format!("{}{NEW}", self.name)
    }

    pub(super) fn aside_name(&self) -> String {
        format!("{}{OLD}", self.name)
    }

    /// The container's real name, also when it was set aside.
    pub(super) fn name_of(shown: &str) -> String {
        let shown = shown.trim_start_matches('/');
        shown.strip_suffix(OLD).unwrap_or(shown).to_owned()
    }

    /// Whether a container with the temporary name is the one that this exchange created, where its id was not kept: it
    /// is younger than the exchange, and was never started.
    pub(super) fn is_ours(&self, seen: &SeenContainer) -> bool {
        let younger = seen.created.is_none_or(|created| created >= self.begun);
        self.new == Replacement::Unknown && seen.state == State::Created && younger
    }

    /// Notes that the process which carried the exchange out has ended. The exchange turns back if the old container
    /// still has its name, since that is the shorter way, and goes on otherwise.
    pub(super) fn handle_interruption(&mut self, facts: &Facts) {
        let has_name = facts.old.as_ref().is_some_and(|old| old.name == self.name);
        if self.back.is_none() && has_name {
            self.back = Some(format!(
                "Recreating {} was interrupted, so it was left as it was.",
                self.name
            ));
        }
    }

    /// Notes that the old container is asked to stop, and its present start, by which a later start is recognized. The
    /// engine may have started it again since the exchange began.
    pub(super) fn handle_stop(&mut self, facts: &Facts) {
        self.stopping = true;
        self.started = facts.old.as_ref().and_then(|old| old.started.clone());
    }

    /// What to do next, leaving out the steps that were refused for good.
    pub(super) fn next(&self, facts: &Facts, left_out: &BTreeSet<Step>) -> Next {
        let may = |step| !left_out.contains(&step);
        match (&facts.old, &facts.new) {
            (None, None) => Next::End(End::Gone),
            (None, Some(new)) => self.only_new(new, may),
            (Some(old), new) if self.back.is_some() => self.back(old, new.as_ref(), facts, may),
            (Some(_), None) if self.new == Replacement::Unknown => Next::Do(Step::Create),
            (Some(_), None) => Next::TurnBack(Fault::Gone),
            (Some(old), Some(new)) => self.forward(old, new, facts),
        }
    }

    fn forward(&self, old: &SeenContainer, new: &SeenContainer, facts: &Facts) -> Next {
        // Both must never run at once, and an engine that was restarted may have started the old one, too.
        if self.ran && old.runs() {
            Next::Do(Step::StopOld)
        } else if old.name == self.name {
            Next::Do(Step::SetOldAside)
        } else if new.name != self.name {
            Next::Do(Step::NameNew)
        } else if !self.ran {
            Next::Do(Step::RemoveOld)
        } else if new.state == State::Created {
            Next::Do(Step::StartNew)
        } else {
            match self.proof.judge(new, facts.up_for) {
                Ok(true) => Next::Do(Step::RemoveOld),
                Ok(false) => Next::Look,
                Err(fault) => Next::TurnBack(fault),
            }
        }
    }

    fn back(
        &self,
        old: &SeenContainer,
        new: Option<&SeenContainer>,
        facts: &Facts,
        may: impl Fn(Step) -> bool,
    ) -> Next {
        let in_doubt = facts.unheard && self.new == Replacement::Unknown && facts.since < IN_FLIGHT;
        let was_started = old.started != self.started;
        let may_yet_stop = self.stopping && !was_started && facts.since < self.grace + KILLING;
        if new.is_some() && may(Step::RemoveNew) {
            Next::Do(Step::RemoveNew)
        } else if old.name != self.name && may(Step::NameOld) {
            Next::Do(Step::NameOld)
        } else if self.ran && !old.runs() && may(Step::StartOld) {
            Next::Do(Step::StartOld)
        } else if in_doubt || (self.ran && old.runs() && may_yet_stop) {
            Next::Look
        } else {
            Next::End(End::PutBack)
        }
    }

    /// What to do when another program removed the old container, so that there is no way back.
    fn only_new(&self, new: &SeenContainer, may: impl Fn(Step) -> bool) -> Next {
        if new.name != self.name && may(Step::NameNew) {
            Next::Do(Step::NameNew)
        } else if self.ran && new.state == State::Created && may(Step::StartNew) {
            Next::Do(Step::StartNew)
        } else {
            Next::End(End::Replaced(new.id.clone()))
        }
    }
}

#[cfg(test)]
mod tests;
