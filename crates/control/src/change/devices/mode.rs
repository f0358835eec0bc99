//! The network mode that a device is to have. Maps and filters follow it at once; its agent moves later, by a job or by
//! hand.

use crate::{
    cache::DeviceEntry,
    change::{Change, Effect, Effects},
    core::Core,
    refusal::Refusal,
    store::NewActivity,
};
use flotilla_fleet::{Life, access::Caller, jobs::JobRecord};
use flotilla_protocol::{Code, activity::Action, device::NetworkMode, id::DeviceId};

/// A device before its mode was changed, and the job that was written with the change.
pub(crate) type ModeSet = (DeviceEntry, Option<JobRecord>);

/// Writes the mode, together with the job that `order` answers for the device as it was, and applies it to what control
/// decides by itself. `None` when the agent need not move. Since both are written at once, an agent is told what its
/// device's record says whenever control ends.
pub(crate) async fn set_mode(
    core: &Core,
    caller: &Caller,
    (device, mode): (DeviceId, NetworkMode),
    order: impl FnOnce(&DeviceEntry) -> Result<Option<JobRecord>, Refusal>,
) -> Change<Option<ModeSet>> {
    let _write_guard = core.write_lock.lock().await;
    let entry = core.device(device)?;
    check(&entry, mode)?;
    if entry.row.mode == mode {
        if !entry.has_mode_mismatch() {
            return Ok((None, Effects::default()));
        }
        let job = order(&entry)?;
        core.store.save_mode(&entry.row, job.as_ref()).await?;
        let details = format!("Network mode: {mode}, ordered again.");
        return Ok(recorded(caller, (entry, job), details));
    }
    let mut row = entry.row.clone();
    row.mode = mode;
    // The decision to keep host networking covers this stay in host mode only.
    row.host_kept = false;
    let job = order(&entry)?;
    core.store.save_mode(&row, job.as_ref()).await?;
    let now = core.clock.now();
    {
        let mut state = core.cache.lock();
        state.set_row(&row, now);
        state.publish_paths_of(row.id, now);
    }
    let details = format!("Network mode: {}, before: {}.", row.mode, entry.row.mode);
    Ok(recorded(caller, (entry, job), details))
}

fn recorded(caller: &Caller, (entry, job): ModeSet, details: String) -> (Option<ModeSet>, Effects) {
    let record = NewActivity::new(caller.actor(), Action::DeviceUpdated, details);
    let record = record.on(entry.row.id, &entry.row.name);
    (Some((entry, job)), Effects(vec![Effect::Record(record)]))
}

fn check(entry: &DeviceEntry, mode: NetworkMode) -> Result<(), Refusal> {
    let name = &entry.row.name;
    if entry.life() == Life::Revoked {
        return Err(Refusal(Code::Conflict.because(format!(
            "{name} is revoked. Make a new command for it first: then it can be changed."
        ))));
    }
    if entry.row.relaying.is_some() && mode == NetworkMode::Bridge {
        return Err(Refusal(Code::Conflict.because(format!(
                "{name} is a relay, and nothing could reach it with Bridge networking. Let it be a relay no longer first."
            ))));
    }
    Ok(())
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
