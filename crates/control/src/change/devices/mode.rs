//! The network mode that a device is to have. Maps and filters follow it at once; its agent moves later, by a job or by
//! hand.

use super::done_by;
use crate::{
    cache::DeviceEntry,
    change::{Change, Effect, Effects},
    core::Core,
    refusal::Refusal,
};
use flotilla_fleet::{Life, access::Caller};
use flotilla_protocol::{Code, activity::Action, device::NetworkMode, id::DeviceId};

/// Writes the mode and applies it to what control decides by itself. Answers the device as it was before; `None` when
/// its agent need not move.
pub(crate) async fn set_mode(
    core: &Core,
    caller: &Caller,
    device: DeviceId,
    mode: NetworkMode,
) -> Change<Option<DeviceEntry>> {
    let _write_guard = core.write_lock.lock().await;
    let entry = core.device(device)?;
    check(&entry, mode)?;
    if entry.row.mode == mode {
        if !entry.has_mode_mismatch() {
            return Ok((None, Effects::default()));
        }
        let details = format!("Network mode: {mode}, ordered again.");
        return Ok(recorded(caller, entry, details));
    }
    let mut row = entry.row.clone();
    row.mode = mode;
    // The decision to keep host networking covers this stay in host mode only.
    row.host_kept = false;
    core.store.save_device(&row).await?;
    let now = core.clock.now();
    {
        let mut state = core.cache.lock();
        state.set_row(&row, now);
        state.publish_paths_of(row.id, now);
    }
    let details = format!("Network mode: {}, before: {}.", row.mode, entry.row.mode);
    Ok(recorded(caller, entry, details))
}

fn recorded(caller: &Caller, entry: DeviceEntry, details: String) -> (Option<DeviceEntry>, Effects) {
    let record = done_by(
        caller.actor(),
        Action::DeviceUpdated,
        (entry.row.id, &entry.row.name),
        details,
    );
    (Some(entry), Effects(vec![Effect::Record(record)]))
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

/// The name of a mode in sentences for people.
pub(crate) fn mode_label(mode: NetworkMode) -> &'static str {
    match mode {
        NetworkMode::Host => "Host networking",
        NetworkMode::Bridge => "Bridge networking",
        NetworkMode::Pause => "Pause container",
        NetworkMode::Unknown => "another mode",
    }
}
