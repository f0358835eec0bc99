//! Acts on containers, and puts it into its device's pod. Where that is not possible, the refusal
//! says why and what to do.

pub(super) mod log;

use super::{
    body::Body,
    caller::{Answer, Asks, OnDevice},
};
use crate::{
    cache::{DeviceEntry, JobHandle},
    core::Core,
    jobs,
    refusal::Refusal,
    store::NewActivity,
};
use axum::{Json, extract::Path};
use flotilla_fleet::jobs::{self as fleet, Work};
use flotilla_link::{AgentLink, CallError};
use flotilla_protocol::{
    Code, Problem,
    activity::{Action, Actor},
    agent::{CONTAINERS_PATH, PodPlacement},
    api::{
        ActOnContainers, BeginPlacement, ContainerRef, Empty, Job, NoFields, Placed, RecreateContainer,
        RemoveContainers,
    },
    device::NetworkMode,
    id::DeviceId,
    inventory::{self, Container, ContainerAction, ContainerState, FindError, PodRole},
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, time::Duration};

/// How long an agent may take for an action: Docker waits 10 s for a container to stop, and a busy disk makes that
/// longer.
const ACTION_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a request waits for a container to be recreated; after that it is answered that the work goes on. Some
/// containers take minutes to stop; the command line and browsers wait for an answer for 90 s at most.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// Containers of one job: more than a person selects, and few enough for one record.
const MOST_CONTAINERS: usize = 1_000;

/// What the path of [`act`] names besides the device.
#[derive(Deserialize)]
pub(super) struct ActPath {
    container: String,
    action: String,
}

/// What the path of [`place`] names besides the device.
#[derive(Deserialize)]
pub(super) struct PlacePath {
    container: String,
}

pub(super) async fn act(
    asks: Asks,
    OnDevice(device): OnDevice,
    Path(ActPath { container, action }): Path<ActPath>,
    Body(NoFields {}): Body<NoFields>,
) -> Answer<Empty> {
    let action = ContainerAction::ALL
        .iter()
        .copied()
        .find(|candidate| candidate.as_str() == action)
        .ok_or_else(|| {
            Refusal(Code::NotFound.because(format!(
                "A container can be started, stopped, restarted, paused, unpaused or killed; \"{action}\" is none of these."
            )))
        })?;
    let target = Target::find(&asks, device, &container)?;
    let done = action.done();
    let outcome = match target.stoppable(action) {
        Ok(()) => {
            target
                .call_agent(&asks.core, (action.as_str(), &Empty {}), (done, ACTION_TIMEOUT))
                .await
        }
        Err(problem) => Err(problem),
    };
    target
        .record(
            &asks.core,
            jobs::activity_word(action),
            &outcome,
            format!("{}.", jobs::capitalized(done)),
        )
        .await;
    outcome?;
    Ok(Json(Empty {}))
}

pub(super) async fn place(
    asks: Asks,
    OnDevice(device): OnDevice,
    Path(PlacePath { container }): Path<PlacePath>,
    Body(PodPlacement { member }): Body<PodPlacement>,
) -> Answer<Placed> {
    let mut handle = begin_or_join(&asks, (device, &container), member).await?;
    let goes_on = match handle.over(ANSWER_WITHIN).await? {
        Some(()) => None,
        None => Some(handle.job().step),
    };
    Ok(Json(Placed { goes_on }))
}

pub(super) async fn begin_placement(asks: Asks, Body(request): Body<BeginPlacement>) -> Answer<Job> {
    let device = named(&asks, &request.device)?;
    let handle = begin_or_join(&asks, (device, &request.container), request.member).await?;
    Ok(Json(handle.job()))
}

/// Begins one job for several containers, or none when one of them can't be acted on.
pub(super) async fn act_on_several(asks: Asks, Body(request): Body<ActOnContainers>) -> Answer<Job> {
    let ActOnContainers { action, containers } = request;
    let targets = several(&asks, &containers, |target| target.stoppable(action))?;
    let handle = jobs::begin(&asks.core, (Work::Bulk { action }, targets), asks.caller.actor()).await?;
    Ok(Json(handle.job()))
}

/// Begins one job that removes containers, or none when one of them can't be removed.
pub(super) async fn remove(asks: Asks, Body(request): Body<RemoveContainers>) -> Answer<Job> {
    let RemoveContainers { containers, volumes } = request;
    let targets = several(&asks, &containers, Target::removable)?;
    let work = (Work::Removal { volumes }, targets);
    let handle = jobs::begin(&asks.core, work, asks.caller.actor()).await?;
    Ok(Json(handle.job()))
}

/// Begins to recreate a container where it is.
pub(super) async fn recreate(asks: Asks, Body(request): Body<RecreateContainer>) -> Answer<Job> {
    let RecreateContainer { device, container } = request;
    let device = named(&asks, &device)?;
    let target = Target::find(&asks, device, &container)?;
    target.dispensable()?;
    let work = (Work::Recreation, vec![target.into_job()]);
    let handle = jobs::begin(&asks.core, work, asks.caller.actor()).await?;
    Ok(Json(handle.job()))
}

/// What a job on these containers acts on, each once.
fn several(
    asks: &Asks,
    containers: &[ContainerRef],
    allowed: impl Fn(&Target) -> Result<(), Problem>,
) -> Result<Vec<fleet::Target>, Refusal> {
    if !(1..=MOST_CONTAINERS).contains(&containers.len()) {
        let message = format!("Name at least one container, and at most {MOST_CONTAINERS}.");
        return Err(Refusal::invalid("containers", message));
    }
    let mut known = BTreeSet::new();
    let mut targets = Vec::new();
    for ContainerRef { device, container } in containers {
        let device = named(asks, device)?;
        let target = Target::find(asks, device, container)?;
        allowed(&target)?;
        if known.insert((device, target.container.id.clone())) {
            targets.push(target.into_job());
        }
    }
    Ok(targets)
}

/// The device that a body names, if the caller may do there what the route does.
fn named(asks: &Asks, device: &str) -> Result<DeviceId, Refusal> {
    let state = asks.core.cache.lock();
    Ok(asks.find(&state, device)?.row.id)
}

/// Begins a placement; joins one that does the same.
async fn begin_or_join(
    asks: &Asks,
    (device, container): (DeviceId, &str),
    member: bool,
) -> Result<JobHandle, Refusal> {
    let core = &asks.core;
    let running = core
        .jobs
        .read(|jobs| jobs.lookup_placement(device, container, member));
    match running.and_then(|job| core.jobs.handle(job)) {
        Some(handle) => Ok(handle),
        None => begin(core, Target::find(asks, device, container)?, member).await,
    }
}

async fn begin(core: &Core, target: Target, member: bool) -> Result<JobHandle, Refusal> {
    let done = if member {
        "put into the pod"
    } else {
        "taken out of the pod"
    };
    let link = target.placeable(member).and_then(|()| target.link(core, done));
    match link {
        Ok(_) => {
            let actor = target.actor.clone();
            let work = (Work::Placement { member }, vec![target.into_job()]);
            jobs::begin(core, work, actor).await
        }
        Err(problem) => {
            let outcome = Err(problem.clone());
            target
                .record(core, Action::ContainerMoved, &outcome, String::new())
                .await;
            Err(problem.into())
        }
    }
}

/// One container of one device, and who acts on it.
struct Target {
    entry: DeviceEntry,
    container: Container,
    actor: Actor,
}

impl Target {
    fn find(asks: &Asks, device: DeviceId, container: &str) -> Result<Self, Refusal> {
        let entry = asks.core.device(device)?;
        let container = find_container(&entry, container)?.clone();
        let actor = asks.caller.actor();
        Ok(Self {
            entry,
            container,
            actor,
        })
    }

    fn into_job(self) -> fleet::Target {
        fleet::Target {
            device: self.entry.row.id,
            device_name: self.entry.row.name,
            container: Some(self.container.id),
            name: Some(self.container.name),
        }
    }

    /// Refuses to stop, pause or kill what [`Self::dispensable`] refuses.
    fn stoppable(&self, action: ContainerAction) -> Result<(), Problem> {
        if action.interrupts() {
            self.dispensable()
        } else {
            Ok(())
        }
    }

    /// Refuses to remove what runs, and what [`Self::dispensable`] refuses.
    fn removable(&self) -> Result<(), Problem> {
        self.dispensable()?;
        let name = &self.container.name;
        match self.container.state {
            ContainerState::Running | ContainerState::Paused | ContainerState::Restarting => {
                Err(Code::Conflict.because(format!("{name} runs. Stop it first, and then remove it.")))
            }
            _ => Ok(()),
        }
    }

    /// Refuses to do without the agent, and without the container whose network the pod shares.
    fn dispensable(&self) -> Result<(), Problem> {
        let (device, name) = (&self.entry.row.name, &self.container.name);
        let why = if self.container.is_agent {
            format!(
                "{name} is the Flotilla agent of {device}. Without it, {device} is cut off; revoke {device} instead."
            )
        } else if self.container.pod == Some(PodRole::Pause) {
            format!(
                "{name} holds the network of the pod on {device}. Without it, the pod with the agent in it is cut off."
            )
        } else {
            return Ok(());
        };
        Err(Code::Conflict.because(why))
    }

    fn placeable(&self, member: bool) -> Result<(), Problem> {
        let (device, name) = (&self.entry.row.name, &self.container.name);
        let why = if self.container.is_agent {
            format!("{name} is the Flotilla agent of {device}. It follows the network mode of {device}.")
        } else if self.container.pod == Some(PodRole::Pause) {
            format!("{name} holds the network of the pod on {device}, so it is in the pod by itself.")
        } else if member && self.entry.row.mode != NetworkMode::Pause {
            format!("{device} has no pod. Change its network mode to Pause container first.")
        } else {
            return Ok(());
        };
        Err(Code::Conflict.because(why))
    }

    /// Calls the agent, which has `limit` to answer. `done` completes the messages "NAME can't be …" and "NAME may
    /// still be …".
    async fn call_agent(
        &self,
        core: &Core,
        (path, body): (&str, &impl Serialize),
        (done, limit): (&str, Duration),
    ) -> Result<(), Problem> {
        let (device, name) = (&self.entry.row.name, &self.container.name);
        let link = self.link(core, done)?;
        let path = format!("{CONTAINERS_PATH}/{}/{path}", self.container.id);
        let answer = link.post::<serde::de::IgnoredAny>(&path, body, limit).await;
        answer.map(|_| ()).map_err(|error| match error {
            CallError::Closed => self.offline(core, &format!("{name} can't be {done}")),
            CallError::TimedOut(_) => Code::NoAnswer.because(format!("{device} didn't answer within {} s. {name} may still be {done}.", limit.as_secs())),
            CallError::Malformed(what) => {
                tracing::warn!(device.id = %self.entry.row.id, problem = what, "an answer of an agent is not understood");
                Code::Internal.because(format!("{device} gave an answer that can't be understood. Update its agent."))
            }
            refused => refused.into(),
        })
    }

    /// The device's link. `done` completes the refusal of a device without one, "NAME can't be …".
    fn link(&self, core: &Core, done: &str) -> Result<AgentLink, Problem> {
        let link = core.links.lookup(self.entry.row.id);
        link.ok_or_else(|| self.offline(core, &format!("{} can't be {done}", self.container.name)))
    }

    /// `consequence` completes "DEVICE is offline, so".
    fn offline(&self, core: &Core, consequence: &str) -> Problem {
        let device = &self.entry.row.name;
        let seen = self.entry.row.last_seen;
        let seen = seen.map(|at| format!(" It was last seen {}.", core.clock.moment(at)));
        Code::DeviceOffline.because(format!(
            "{device} is offline, so {consequence}.{}",
            seen.unwrap_or_default()
        ))
    }

    async fn record(&self, core: &Core, action: Action, outcome: &Result<(), Problem>, done: String) {
        let details = match outcome {
            Ok(()) => done,
            Err(problem) => problem.message.clone(),
        };
        let entry = NewActivity::new(self.actor.clone(), action, details).succeeded(outcome.is_ok());
        let entry = entry.target(self.container.name.clone());
        core.record(entry.on(self.entry.row.id, &self.entry.row.name))
            .await;
    }
}

/// The container with this id, this name, or the only one whose id begins so.
fn find_container<'a>(entry: &'a DeviceEntry, text: &str) -> Result<&'a Container, Refusal> {
    let containers = entry.last_report.inventory.containers().values();
    let device = &entry.row.name;
    inventory::find_container(containers.map(|kept| &*kept.item), text).map_err(|error| match error {
        FindError::Several => Refusal(Code::InvalidInput.because(format!(
            "Several containers on {device} begin with {text}. Write more of the id."
        ))),
        FindError::NoSuchContainer => Refusal(Code::ContainerNotFound.because(format!(
            "There is no container {text} on {device}. It may have been removed."
        ))),
    })
}
