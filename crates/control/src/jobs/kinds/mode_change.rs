//! A device's network mode, changed while the device runs.
//!
//! Life of a change: recorded, and applied to maps and filters → ordered from the agent as a job: an agent in a
//! container moves by itself → or, where it can't, made by a person, who gets the texts of a new token.

use crate::{
    cache::DeviceEntry,
    change::devices::{by_owner, get, rotate},
    core::Core,
    jobs,
    refusal::Refusal,
};
use flotilla_fleet::{Life, enrollment};
use flotilla_protocol::{
    Code,
    activity::Action,
    api::{ByHand, ChangeMode, ModeChanged, RotateDevice},
    device::NetworkMode,
    job::JobRequest,
};
use std::{sync::Arc, time::Duration};

/// How long an agent may take to prepare its move: it looks at its own container and starts another one.
const PREPARES: Duration = Duration::from_secs(20);

/// Puts a device into another mode.
pub(crate) async fn change_mode(core: &Arc<Core>, request: ChangeMode) -> Result<ModeChanged, Refusal> {
    enrollment::lifetime(request.expires_seconds)?;
    let before = record(core, &request).await?;
    let by_hand = match before {
        None => None,
        Some(entry) => match order(core, &entry, request.mode).await {
            Ok(()) => None,
            Err(reason) => {
                let rotate_device = RotateDevice {
                    device: entry.row.id.to_string(),
                    expires_seconds: request.expires_seconds,
                };
                let texts = Box::new(rotate(core, rotate_device).await?);
                Some(ByHand { reason, texts })
            }
        },
    };
    let entry = get(core, &request.device)?;
    let device = Box::new(core.cache.lock().view(&entry, core.clock.now()));
    Ok(ModeChanged { device, by_hand })
}

/// Writes the mode and applies it to what control decides by itself. Answers the device as it was before; `None` when
/// its agent need not move.
async fn record(core: &Core, request: &ChangeMode) -> Result<Option<DeviceEntry>, Refusal> {
    let _write_guard = core.write_lock.lock().await;
    let entry = get(core, &request.device)?;
    check(&entry, request.mode)?;
    if entry.row.mode == request.mode {
        if !entry.has_mode_mismatch() {
            return Ok(None);
        }
        let details = format!("Network mode: {}, ordered again.", request.mode);
        core.record(by_owner(
            Action::DeviceUpdated,
            entry.row.id,
            &entry.row.name,
            details,
        ))
        .await;
        return Ok(Some(entry));
    }
    let mut row = entry.row.clone();
    row.mode = request.mode;
    // The decision to keep host networking covers this stay in host mode only.
    row.host_kept = false;
    core.store.save_device(&row).await?;
    let now = core.clock.now();
    {
        let mut state = core.cache.lock();
        state.change(row.id, now, |entry| {
            entry.row.mode = row.mode;
            entry.row.host_kept = row.host_kept;
        });
        state.publish_paths_of(row.id, now);
    }
    let details = format!("Network mode: {}, before: {}.", row.mode, entry.row.mode);
    core.record(by_owner(Action::DeviceUpdated, row.id, &row.name, details))
        .await;
    Ok(Some(entry))
}

fn check(entry: &DeviceEntry, mode: NetworkMode) -> Result<(), Refusal> {
    let name = &entry.row.name;
    if entry.life() == Life::Revoked {
        return Err(Refusal::new(
            Code::Conflict,
            format!("{name} is revoked. Make a new command for it first: then it can be changed."),
        ));
    }
    if entry.row.relaying.is_some() && mode == NetworkMode::Bridge {
        return Err(Refusal::new(
            Code::Conflict,
            format!(
                "{name} is a relay, and nothing could reach it with Bridge networking. Let it be a relay no longer first."
            ),
        ));
    }
    Ok(())
}

/// Orders the agent to move by itself. The error says why it can't.
async fn order(core: &Arc<Core>, entry: &DeviceEntry, mode: NetworkMode) -> Result<(), String> {
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
    let mut handle = jobs::begin(core, entry, link, (JobRequest::ModeChange { mode }, None));
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

/// The name of a mode in sentences for people.
pub(crate) fn mode_label(mode: NetworkMode) -> &'static str {
    match mode {
        NetworkMode::Host => "Host networking",
        NetworkMode::Bridge => "Bridge networking",
        NetworkMode::Pause => "Pause container",
        NetworkMode::Unknown => "another mode",
    }
}
