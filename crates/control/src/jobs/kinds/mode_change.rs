//! A device's network mode, changed while the device runs.
//!
//! Life of a change: recorded, and applied to maps and filters → ordered from the agent as a job: an agent in a
//! container moves by itself → or, where it can't, made by a person, who gets the texts of a new token.

use crate::{
    cache::DeviceEntry,
    change::devices::{mode_label, rotate, set_mode},
    core::Core,
    effects::complete,
    jobs,
    refusal::Refusal,
};
use flotilla_fleet::{Life, access::Caller, enrollment};
use flotilla_protocol::{
    Code,
    api::{ByHand, ModeChange, ModeChanged, TokenLifetime, Verb},
    device::NetworkMode,
    id::DeviceId,
    job::JobRequest,
};
use std::{sync::Arc, time::Duration};

/// How long an agent may take to prepare its move: it looks at its own container and starts another one.
const PREPARES: Duration = Duration::from_secs(20);

/// Puts a device into another mode.
pub(crate) async fn change_mode(
    core: &Arc<Core>,
    caller: &Caller,
    device: DeviceId,
    change: ModeChange,
) -> Result<ModeChanged, Refusal> {
    enrollment::lifetime(change.expires_seconds)?;
    let before = complete(core, set_mode(core, caller, device, change.mode)).await?;
    let by_hand = match before {
        None => None,
        Some(entry) => match order(core, caller, &entry, change.mode).await {
            Ok(()) => None,
            Err(reason) => {
                let lifetime = TokenLifetime {
                    expires_seconds: change.expires_seconds,
                };
                let texts = complete(core, rotate(core, caller, entry.row.id, lifetime));
                let texts = Box::new(texts.await?);
                Some(ByHand { reason, texts })
            }
        },
    };
    let entry = core.device(device)?;
    let device = Box::new(
        core.cache
            .lock()
            .view(&entry, &caller.scope(Verb::View), core.clock.now()),
    );
    Ok(ModeChanged { device, by_hand })
}

/// Orders the agent to move by itself. The error says why it can't.
async fn order(
    core: &Arc<Core>,
    caller: &Caller,
    entry: &DeviceEntry,
    mode: NetworkMode,
) -> Result<(), String> {
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
            NetworkMode::Host => Ok(()),
            NetworkMode::Bridge | NetworkMode::Pause | NetworkMode::Unknown => Err(format!(
                "The agent of {name} runs directly on the device, and {} needs one in a container. Once that is online, end the one on the device: sudo flotilla-agent uninstall",
                mode_label(mode)
            )),
        };
    }
    let Some(link) = core.links.lookup(entry.row.id) else {
        return Err(format!("{name} is offline, so its agent can't be told to move."));
    };
    let mut handle = jobs::begin(
        core,
        (entry, link),
        caller.actor(),
        (JobRequest::ModeChange { mode }, None),
    );
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
