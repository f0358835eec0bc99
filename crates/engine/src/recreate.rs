//! Recreates a container where it is or in another network; if that fails, everything is as it was.
//!
//! [`swap`] decides the next step, [`proof`] when the new container is accepted, [`new_container`] what speaks against it,
//! [`copy_request`] the request that creates the new one. This file takes one step at a time, each after a fresh look at the
//! engine. A [`Swap`] that a [`Ledger`] kept on disk can be taken up again after any crash.

mod conflicts;
mod copy_request;
mod facts;
mod mounts;
mod new_container;
mod proof;
mod step;
mod swap;

pub(crate) use copy_request::Network;
pub use swap::Swap;

use crate::{action::ActionError, connection::inspect, engine_errors::explain, fuse::Fuse};
use bollard::{Docker, errors::Error, models::ContainerInspectResponse};
use flotilla_protocol::Timestamp;
use new_container::NewContainer;
use proof::Proof;
use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    io,
    time::Duration,
};
use swap::{End, Fault, Next, Replacement, State, Step};
use tokio::time::{Instant, sleep};

pub(crate) use step::remove;

/// How often containers are looked at while there is nothing to do but wait.
const LOOK_INTERVAL: Duration = Duration::from_millis(200);

/// The longest pause between two looks at an engine that does not answer.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// How often a step is tried that the engine refuses, where turning back is no way out.
const TRIES: u32 = 3;

/// How long a container has to stop where its owner sets no time (Docker's own figure).
const GRACE: Duration = Duration::from_secs(10);

/// Stands in for an endless stop timeout (-1), so that every wait has a limit.
const ENDLESS_GRACE: Duration = Duration::from_secs(3600);

/// How much time a container gets while it is recreated.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// Seconds that the old one has to stop; `None` leaves that to its owner.
    pub(crate) stop_seconds: Option<i32>,
    /// How long the new one must have run to be accepted.
    pub(crate) settle: Duration,
}

impl Pace {
    /// For a container that a person waits for.
    pub(crate) const PATIENT: Self = Self {
        stop_seconds: None,
        settle: Duration::from_secs(1),
    };
    /// For a container in a network that is gone: it can't be reached there, so going back would not help it.
    pub(crate) const URGENT: Self = Self {
        stop_seconds: Some(3),
        settle: Duration::ZERO,
    };
}

/// Keeps an exchange on disk, and reports its steps, while it is carried out.
pub trait Ledger: Send {
    /// Keeps the swap; returns when it would survive a power cut.
    fn keep(&mut self, swap: &Swap) -> impl Future<Output = io::Result<()>> + Send;
    /// Reports what is done next, as a sentence.
    fn tell(&mut self, act: &str);
    /// Whether the exchange should turn back, if it still can.
    fn is_canceled(&self) -> bool;
    /// The fuse that burns with each step.
    fn fuse(&mut self) -> &mut Fuse;
}

/// A ledger that keeps nothing, for an exchange that can be taken up from what the engine shows.
#[derive(Debug, Default)]
pub(crate) struct NoLedger(pub(crate) Fuse);

impl Ledger for NoLedger {
    async fn keep(&mut self, _swap: &Swap) -> io::Result<()> {
        Ok(())
    }

    fn tell(&mut self, act: &str) {
        tracing::info!(act, "a container is recreated");
    }

    fn is_canceled(&self) -> bool {
        false
    }

    fn fuse(&mut self) -> &mut Fuse {
        &mut self.0
    }
}

impl Swap {
    /// Plans the exchange of a container. Nothing is changed.
    ///
    /// # Errors
    /// Why it can't be recreated.
    pub(crate) async fn prepare(
        docker: &Docker,
        id: &str,
        network: Network,
        pace: Pace,
        now: Timestamp,
    ) -> Result<Self, ActionError> {
        let answer = inspect(docker, id).await.map_err(|error| explain(error, id))?;
        let swap = Self::of(&answer, network, pace, now);
        if facts::seen(&answer).state == State::Paused {
            return Err(ActionError::Paused(swap.name));
        }
        NewContainer::of(docker, &swap.old, &swap.network).await?;
        Ok(swap)
    }

    /// The exchange of a container that an earlier process may have begun. What would speak against beginning it is not
    /// checked: the traces of that process are among it.
    pub(crate) fn of(
        answer: &ContainerInspectResponse,
        network: Network,
        pace: Pace,
        now: Timestamp,
    ) -> Self {
        let old = facts::seen(answer);
        Self {
            ran: old.runs(),
            grace: grace(answer, pace),
            proof: Proof::of(answer, old.health, pace.settle),
            name: Self::name_of(&old.name),
            old: old.id,
            started: old.started,
            network,
            new: Replacement::Unknown,
            stopping: false,
            stop_seconds: pace.stop_seconds,
            begun: now,
            back: None,
        }
    }

    /// The same exchange, with `ran` from an earlier look: an interrupted exchange may have stopped the container
    /// since.
    pub(crate) fn of_one_that_ran(self, ran: bool) -> Self {
        Self { ran, ..self }
    }

    /// Whether the container with this id is the old or the new one.
    #[must_use]
    pub fn involves(&self, id: &str) -> bool {
        self.old == id || self.new == Replacement::Made(id.to_owned())
    }

    pub(crate) fn old(&self) -> &str {
        &self.old
    }

    /// The container's name, which the new one gets.
    pub fn name(&self) -> &str {
        &self.name
    }
}

fn grace(answer: &ContainerInspectResponse, pace: Pace) -> Duration {
    let own = answer.config.as_ref().and_then(|config| config.stop_timeout);
    let seconds = pace.stop_seconds.map(i64::from).or(own);
    seconds.map_or(GRACE, |seconds| {
        u64::try_from(seconds).map_or(ENDLESS_GRACE, Duration::from_secs)
    })
}

/// Carries out an exchange that was just prepared; returns the id of the new container.
///
/// # Errors
/// Why it was not done. The old container is as it was, or the error says what is not.
pub(crate) async fn begin(
    docker: &Docker,
    swap: Swap,
    ledger: &mut impl Ledger,
) -> Result<String, ActionError> {
    let kept = ledger.keep(&swap).await;
    kept.map_err(|error| ActionError::Unwritten(error.to_string()))?;
    Exchange::new(docker, swap, ledger).run().await
}

/// Takes up an interrupted exchange, and finishes or undoes it; returns as [`begin`] does.
pub(crate) async fn resume(
    docker: &Docker,
    swap: Swap,
    ledger: &mut impl Ledger,
) -> Result<String, ActionError> {
    let mut exchange = Exchange::new(docker, swap, ledger);
    exchange.looks_by_name = true;
    let facts = exchange.look().await;
    if exchange.swap.back.is_none() {
        exchange.swap.handle_interruption(&facts);
        exchange.keep_or_warn().await;
    }
    exchange.run().await
}

/// One process's run of an exchange.
struct Exchange<'a, L> {
    docker: &'a Docker,
    swap: Swap,
    ledger: &'a mut L,
    since: Instant,
    /// When the new container was first seen started.
    up_since: Option<Instant>,
    /// Whether a container may have been created whose id is not known.
    looks_by_name: bool,
    /// Id of the new container, as it was last seen.
    found: Option<String>,
    failures: BTreeMap<Step, u32>,
    /// Steps that the engine refuses for good, and its reason.
    left_out: BTreeSet<Step>,
    refusal: Option<ActionError>,
    /// Why this run turned back.
    reason: Option<ActionError>,
}

impl<'a, L: Ledger> Exchange<'a, L> {
    fn new(docker: &'a Docker, swap: Swap, ledger: &'a mut L) -> Self {
        Self {
            docker,
            swap,
            ledger,
            since: Instant::now(),
            up_since: None,
            looks_by_name: false,
            found: None,
            failures: BTreeMap::new(),
            left_out: BTreeSet::new(),
            refusal: None,
            reason: None,
        }
    }

    async fn run(mut self) -> Result<String, ActionError> {
        loop {
            let facts = self.look().await;
            if self.ledger.is_canceled() && self.swap.back.is_none() && facts.old.is_some() {
                self.turn_back(ActionError::Canceled(self.swap.name.clone()))
                    .await;
            }
            match self.swap.next(&facts, &self.left_out) {
                Next::Do(step) => {
                    self.ledger.tell(&self.swap.describe(step));
                    if step == Step::StopOld {
                        self.swap.handle_stop(&facts);
                    }
                    match self.take(step).await {
                        Ok(()) => self.ledger.fuse().burn(),
                        Err(error) => self.handle_failure(step, error).await,
                    }
                }
                Next::Look => sleep(LOOK_INTERVAL).await,
                Next::TurnBack(fault) => {
                    let error = fault.explain(&self.swap.name);
                    self.turn_back(error).await;
                }
                Next::End(end) => return self.end(end),
            }
        }
    }

    fn end(self, end: End) -> Result<String, ActionError> {
        let name = self.swap.name;
        let why = self.swap.back.map(ActionError::Interrupted);
        let why = self.reason.or(why);
        match (end, self.refusal) {
            (End::Replaced(id), None) => Ok(id),
            (End::Replaced(id), Some(error)) => {
                tracing::warn!(container.name = name, %error, "a container that was replaced is still there");
                Ok(id)
            }
            (End::Gone, _) => Err(ActionError::BothGone(name)),
            (End::PutBack, None) => Err(why.unwrap_or(ActionError::BothGone(name))),
            (End::PutBack, Some(rest)) => {
                tracing::error!(container.name = name, error = %rest, "a container could not be put back");
                let why = why.map(|why| why.to_string()).unwrap_or_default();
                let rest = rest.to_string();
                Err(ActionError::NotPutBack { name, why, rest })
            }
        }
    }

    async fn turn_back(&mut self, error: ActionError) {
        self.swap.back = Some(error.to_string());
        self.reason = Some(error);
        self.keep_or_warn().await;
    }

    /// Notes that the engine may have created a container without answering.
    fn note_unanswered_create(&mut self) {
        self.looks_by_name = true;
        self.since = Instant::now();
    }

    async fn keep(&mut self) -> Result<(), StepFailure> {
        let kept = self.ledger.keep(&self.swap).await;
        kept.map_err(|error| StepFailure::Own(ActionError::Unwritten(error.to_string())))
    }

    /// Keeps the swap if possible: the way back is taken even where it can't be written down.
    async fn keep_or_warn(&mut self) {
        if let Err(StepFailure::Own(error)) = self.keep().await {
            tracing::warn!(container.name = self.swap.name, %error, "the journal can't be written");
        }
    }

    async fn handle_failure(&mut self, step: Step, failure: StepFailure) {
        let tries = self.failures.entry(step).or_default();
        *tries += 1;
        let again = *tries < TRIES;
        let is_answer = failure.is_answer();
        let error = failure.explain(&self.swap.name);
        let way_back = self.swap.back.is_none() && step != Step::RemoveOld;
        if way_back && (is_answer || !again) {
            self.turn_back(error).await;
        } else if !way_back && is_answer && !again {
            self.left_out.insert(step);
            self.refusal = Some(error);
        } else {
            sleep(LOOK_INTERVAL).await;
        }
    }
}

/// Why a step failed.
enum StepFailure {
    Engine(Error),
    /// The step can't be asked for, or not be written down.
    Own(ActionError),
}

impl StepFailure {
    /// Whether trying again would bring the same: the engine refused, or the step can't be asked for.
    fn is_answer(&self) -> bool {
        match self {
            Self::Engine(error) => matches!(error, Error::DockerResponseServerError { .. }),
            Self::Own(_) => true,
        }
    }

    fn explain(self, name: &str) -> ActionError {
        match self {
            Self::Engine(error) => explain(error, name),
            Self::Own(error) => error,
        }
    }
}

impl Fault {
    fn explain(self, name: &str) -> ActionError {
        let name = name.to_owned();
        match self {
            Self::Gone => ActionError::RemovedMeanwhile(name),
            Self::EndedWith(code) => ActionError::EndedAtOnce { name, code },
            Self::Unhealthy => ActionError::Unhealthy(name),
            Self::NotHealthyWithin(limit) => ActionError::NotHealthyWithin {
                name,
                seconds: limit.as_secs(),
            },
        }
    }
}

/// The name of a container's image, where that still names the same image; else the image's id.
pub(crate) async fn image(docker: &Docker, answer: &ContainerInspectResponse) -> String {
    let name = answer.config.as_ref().and_then(|config| config.image.as_deref());
    new_container::image_name(docker, answer.image.clone().unwrap_or_default(), name).await
}

pub(crate) fn is_conflict(error: &Error) -> bool {
    matches!(error, Error::DockerResponseServerError { status_code: 409, .. })
}
