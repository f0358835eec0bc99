//! What a device's links change in its record and in the activity log.

use super::stage_reached;
use crate::{
    cache::DeviceEntry,
    change::relays,
    core::Core,
    repeats::RepeatKey,
    store::{Imposter, NewActivity},
};
use flotilla_fleet::Holder;
use flotilla_protocol::{
    activity::{Action, Actor},
    api::Stage,
    id::DeviceId,
};

/// Whether a link's certificate is the device's. The first link with a new certificate puts it in the place of the old
/// one.
pub(crate) async fn admit(core: &Core, device: DeviceId, fingerprint: &str) -> bool {
    let trusted = || {
        let state = core.cache.lock();
        let row = &state.device(device)?.row;
        row.revoked.is_none().then(|| row.clone())
    };
    // The usual case, decided without waiting for the write lock.
    if trusted().is_some_and(|row| row.trusts(fingerprint)) {
        return true;
    }
    let _write_guard = core.write_lock.lock().await;
    let Some(mut row) = trusted() else {
        return false;
    };
    let incoming = row.incoming.take();
    if incoming
        .as_ref()
        .is_none_or(|held| held.certificate.fingerprint != fingerprint)
    {
        // Another link with this certificate may have put it in place meanwhile.
        return row.trusts(fingerprint);
    }
    row.credential = incoming;
    let now = core.clock.now();
    if let Err(error) = core.store.save_superseded(&row, now).await {
        tracing::error!(device.id = %device, %error, "new certificate not recorded");
        return false;
    }
    let superseded = {
        let mut state = core.cache.lock();
        let key = state.device(device).and_then(DeviceEntry::public_key);
        state.note(device, |entry| {
            entry.row.credential = row.credential.clone();
            entry.row.incoming = None;
        });
        state.end_key(key, now);
        key
    };
    if superseded.is_some() {
        relays::send_ended_keys(core);
    }
    true
}

/// Records that a device stayed away for longer than a link takes to come back.
pub(crate) async fn went_offline(core: &Core, device: DeviceId) {
    let drop = core
        .cache
        .lock()
        .device(device)
        .and_then(|entry| entry.last_drop.clone());
    let details = match drop {
        Some(drop) => format!("Its link ended {}: {}.", core.clock.moment(drop.at), drop.reason),
        None => "It did not come back after the controller started.".to_owned(),
    };
    record(core, device, Action::DeviceOffline, true, details).await;
}

/// Records that a device has a link. `returned` means that it was away only for a moment, which is not recorded.
pub(crate) async fn came_online(core: &Core, device: DeviceId, remote: &str, returned: bool) {
    let entry = core.cache.lock().device(device).cloned();
    let Some(entry) = entry else { return };
    let first = entry.token.as_ref().filter(|token| {
        token.used.is_some() && !token.stages.iter().any(|reached| reached.stage == Stage::Online)
    });
    if let Some(token) = first {
        stage_reached(core, token, Stage::Online, remote).await;
    }
    if first.is_some() || !returned {
        record(
            core,
            device,
            Action::DeviceOnline,
            true,
            format!("Connected from {remote}."),
        )
        .await;
    }
}

/// Notes that another machine presented the device's identity and was turned away. It is recorded once per machine;
/// names that change each time are counted.
pub(crate) async fn quarantine(core: &Core, device: DeviceId, other: Imposter) {
    let _write_guard = core.write_lock.lock().await;
    let row = core.cache.lock().device(device).map(|entry| entry.row.clone());
    let Some(mut row) = row else { return };
    let news = row
        .imposter
        .as_ref()
        .is_none_or(|last| (&last.hostname, &last.address) != (&other.hostname, &other.address));
    row.imposter = Some(other.clone());
    core.cache.lock().change(device, core.clock.now(), |entry| {
        entry.row.imposter = Some(other.clone())
    });
    if !news {
        return;
    }
    let details = format!(
        "{} at {} presents this device's identity and was turned away.",
        other.hostname, other.address
    );
    let entry = entry(core, device, Action::DeviceQuarantined, false, details);
    let Some(entry) = core.repeats.handle(RepeatKey::Cloned(device), entry, other.at) else {
        return;
    };
    if let Err(error) = core.store.save_device(&row).await {
        tracing::error!(device.id = %device, %error, "quarantine not recorded");
    }
    tracing::warn!(device.id = %device, link.remote = %other.address, "a second machine presents a device's identity");
    core.record(entry).await;
}

/// Notes that two machines take turns with the device's identity. Both are turned away until a person decides, since an
/// action could be carried out on either of them.
pub(crate) async fn contest(core: &Core, device: DeviceId, [first, second]: [Holder; 2]) {
    let at = core.clock.now();
    let name = |holder: &Holder| {
        let hostname = if holder.hostname.is_empty() {
            "a machine"
        } else {
            &holder.hostname
        };
        format!("{hostname} at {}", holder.address)
    };
    let other = Imposter {
        contests: Some(name(&first)),
        at,
        hostname: second.hostname.clone(),
        address: second.address.clone(),
    };
    {
        let _write_guard = core.write_lock.lock().await;
        let row = core.cache.lock().device(device).map(|entry| entry.row.clone());
        let Some(mut row) = row else { return };
        row.imposter = Some(other.clone());
        core.cache
            .lock()
            .change(device, at, |entry| entry.row.imposter = Some(other));
        if let Err(error) = core.store.save_device(&row).await {
            tracing::error!(device.id = %device, %error, "quarantine not recorded");
        }
    }
    if let Some(link) = core.links.lookup(device) {
        link.abort();
    }
    tracing::warn!(device.id = %device, link.remote = %second.address, "two machines take turns with a device's identity");
    let details = format!(
        "{} and {} take turns with this device's identity. Nothing is done on either until the owner decides.",
        name(&first),
        name(&second)
    );
    record(core, device, Action::DeviceQuarantined, false, details).await;
}

async fn record(core: &Core, device: DeviceId, action: Action, succeeded: bool, details: String) {
    core.record(entry(core, device, action, succeeded, details)).await;
}

fn entry(core: &Core, device: DeviceId, action: Action, succeeded: bool, details: String) -> NewActivity {
    let name = core
        .cache
        .lock()
        .device(device)
        .map(|entry| entry.row.name.to_string())
        .unwrap_or_default();
    NewActivity {
        actor: Actor::Device { name: name.clone() },
        action,
        target: None,
        device: Some((device, name)),
        succeeded,
        details,
    }
}
