//! A device's network mode, changed while the device runs.
//!
//! Life of a change: recorded, and applied to maps and filters → ordered from the agent as a job: an agent in a
//! container moves by itself → or, where it can't, made by a person, who gets the texts of a new token.

use crate::{
    cache::{DeviceEntry, JobHandle},
    change::devices::{mode_label, rotate, set_mode},
    core::Core,
    effects::complete,
    jobs::begin::{adopt, crowded, draft},
    refusal::Refusal,
};
use flotilla_fleet::{
    Life,
    access::Caller,
    enrollment,
    jobs::{JobRecord, Obstacle, Origin, Target, Work},
};
use flotilla_protocol::{
    Code,
    api::{ByHand, ModeChange, ModeChanged, TokenLifetime, Verb},
    device::NetworkMode,
    id::DeviceId,
};
use std::time::Duration;

/// How long an agent may take to prepare its move: it looks at its own container and starts another one.
const PREPARES: Duration = Duration::from_secs(20);

/// Puts a device into another mode.
pub(crate) async fn change_mode(
    core: &Core,
    caller: &Caller,
    device: DeviceId,
    change: ModeChange,
) -> Result<ModeChanged, Refusal> {
    enrollment::lifetime(change.expires_seconds)?;
    let order = |entry: &DeviceEntry| order(core, caller, entry, change.mode);
    let set = complete(core, set_mode(core, caller, (device, change.mode), order)).await?;
    let mut job = None;
    let reason = match set {
        None => None,
        Some((entry, None)) => find_obstacle(core, &entry, change.mode).err(),
        Some((entry, Some(record))) => {
            let mut handle = adopt(core, record, Origin::New);
            job = Some(handle.job().id);
            wait(&mut handle, entry.row.name.as_str()).await.err()
        }
    };
    let by_hand = match reason {
        Some(reason) => Some(make_by_hand(core, caller, (device, &change), reason).await?),
        None => None,
    };
    let entry = core.device(device)?;
    let device = Box::new(
        core.cache
            .lock()
            .view(&entry, &caller.scope(Verb::View), core.clock.now()),
    );
    Ok(ModeChanged { device, job, by_hand })
}

/// The job that moves an agent that can be told to.
///
/// # Errors
/// There are too many jobs.
fn order(
    core: &Core,
    caller: &Caller,
    entry: &DeviceEntry,
    mode: NetworkMode,
) -> Result<Option<JobRecord>, Refusal> {
    let target = Target::agent(entry.row.id, entry.row.name.clone());
    let work = (Work::ModeChange { mode }, vec![target]);
    if find_obstacle(core, entry, mode) != Ok(true) {
        return Ok(None);
    }
    let draft = draft(core, work, caller.actor());
    match core.jobs.read(|jobs| jobs.find_obstacle(&draft)) {
        Some(Obstacle::Crowd { most, is_own }) => Err(crowded(most, is_own)),
        _ => Ok(Some(draft)),
    }
}

async fn make_by_hand(
    core: &Core,
    caller: &Caller,
    (device, change): (DeviceId, &ModeChange),
    reason: String,
) -> Result<ByHand, Refusal> {
    let lifetime = TokenLifetime {
        expires_seconds: change.expires_seconds,
    };
    let texts = Box::new(complete(core, rotate(core, caller, device, lifetime)).await?);
    Ok(ByHand { reason, texts })
}

/// Whether there is an agent to be moved that can be told so. The error says why a person has to do it.
fn find_obstacle(core: &Core, entry: &DeviceEntry, mode: NetworkMode) -> Result<bool, String> {
    let name = &entry.row.name;
    if entry.life() == Life::Pending {
        return Err(format!(
            "{name} has not joined yet. Its earlier commands no longer count."
        ));
    }
    let facts = entry.last_report.facts.as_ref();
    if !facts.is_some_and(|facts| facts.containerized) {
        // An agent outside of a container is in host networking already.
        return match mode {
            NetworkMode::Host => Ok(false),
            NetworkMode::Bridge | NetworkMode::Pause | NetworkMode::Unknown => Err(format!(
                "The agent of {name} runs directly on the device, and {} needs one in a container. Once that is online, end the one on the device: sudo flotilla-agent uninstall",
                mode_label(mode)
            )),
        };
    }
    if core.links.lookup(entry.row.id).is_none() {
        return Err(format!("{name} is offline, so its agent can't be told to move."));
    }
    Ok(true)
}

/// Waits until the agent is about to move. The error says why it can't.
async fn wait(handle: &mut JobHandle, name: &str) -> Result<(), String> {
    match handle.underway(PREPARES).await {
        Ok(Some(())) => Ok(()),
        Ok(None) => Err(format!(
            "The agent of {name} did not answer when it was told to move."
        )),
        Err(problem) if problem.code == Code::NotFound => Err(format!(
            "The agent of {name} is of a version that can't move by itself."
        )),
        Err(problem) => Err(format!(
            "The agent of {name} can't move by itself: {}",
            problem.message
        )),
    }
}
