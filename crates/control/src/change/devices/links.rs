//! What a device's links change in its record and in the activity log.

use super::stage_reached;
use crate::{
    cache::DeviceEntry,
    change::{Effect, Effects},
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

/// Lets in a link whose certificate is the device's; `None` when it is not. The first link with a new certificate puts
/// it in the place of the old one.
pub(crate) async fn admit(core: &Core, device: DeviceId, fingerprint: &str) -> Option<Effects> {
    let trusted = || {
        let state = core.cache.lock();
        let row = &state.device(device)?.row;
        row.revoked.is_none().then(|| row.clone())
    };
    // The usual case, decided without waiting for the write lock.
    if trusted()?.trusts(fingerprint) {
        return Some(Effects::default());
    }
    let _write_guard = core.write_lock.lock().await;
    let mut row = trusted()?;
    let incoming = row.incoming.take();
    if incoming
        .as_ref()
        .is_none_or(|held| held.certificate.fingerprint != fingerprint)
    {
        // Another link with this certificate may have put it in place meanwhile.
        return row.trusts(fingerprint).then(Effects::default);
    }
    row.credential = incoming;
    let now = core.clock.now();
    if let Err(error) = core.store.save_superseded(&row, now).await {
        tracing::error!(device.id = %device, %error, "new certificate not recorded");
        return None;
    }
    let mut state = core.cache.lock();
    let superseded = state.device(device).and_then(DeviceEntry::public_key);
    state.note(device, |entry| {
        entry.row.credential = row.credential.clone();
        entry.row.incoming = None;
    });
    state.end_key(superseded, now);
    let ended = superseded.map(|_| Effect::SendEndedKeys);
    Some(Effects(ended.into_iter().collect()))
}

/// Records that a device stayed away for longer than a link takes to come back.
pub(crate) fn went_offline(core: &Core, device: DeviceId) -> Effects {
    let drop = core.cache.read(device, |entry| entry.last_drop.clone()).flatten();
    let details = match drop {
        Some(drop) => format!("Its link ended {}: {}.", core.clock.moment(drop.at), drop.reason),
        None => "It did not come back after the controller started.".to_owned(),
    };
    let entry = by_device(core, device, Action::DeviceOffline, details);
    Effects(vec![Effect::Record(entry)])
}

/// Records that a device has a link. `returned` means that it was away only for a moment, which is not recorded.
pub(crate) async fn came_online(core: &Core, device: DeviceId, remote: &str, returned: bool) -> Effects {
    let token = core.cache.read(device, |entry| entry.token.clone());
    let Some(token) = token else {
        return Effects::default();
    };
    let first = token.filter(|token| {
        token.used.is_some() && !token.stages.iter().any(|reached| reached.stage == Stage::Online)
    });
    if let Some(token) = &first {
        stage_reached(core, token, Stage::Online, remote).await;
    }
    if first.is_none() && returned {
        return Effects::default();
    }
    let details = format!("Connected from {remote}.");
    let entry = by_device(core, device, Action::DeviceOnline, details);
    Effects(vec![Effect::Record(entry)])
}

/// Notes that another machine presented the device's identity and was turned away. It is recorded once per machine;
/// names that change each time are counted.
pub(crate) async fn quarantine(core: &Core, device: DeviceId, other: Imposter) -> Effects {
    let _write_guard = core.write_lock.lock().await;
    let row = core.cache.read(device, |entry| entry.row.clone());
    let Some(mut row) = row else {
        return Effects::default();
    };
    let news = row
        .imposter
        .as_ref()
        .is_none_or(|last| (&last.hostname, &last.address) != (&other.hostname, &other.address));
    row.imposter = Some(other.clone());
    core.cache.lock().set_row(&row, core.clock.now());
    if !news {
        return Effects::default();
    }
    let details = format!(
        "{} at {} presents this device's identity and was turned away.",
        other.hostname, other.address
    );
    let entry = by_device(core, device, Action::DeviceQuarantined, details).succeeded(false);
    let Some(entry) = core.repeats.handle(RepeatKey::Cloned(device), entry, other.at) else {
        return Effects::default();
    };
    if let Err(error) = core.store.save_device(&row).await {
        tracing::error!(device.id = %device, %error, "quarantine not recorded");
    }
    tracing::warn!(device.id = %device, link.remote = %other.address, "a second machine presents a device's identity");
    Effects(vec![Effect::Record(entry)])
}

/// Notes that two machines take turns with the device's identity. Both are turned away until a person decides, since an
/// action could be carried out on either of them.
pub(crate) async fn contest(core: &Core, device: DeviceId, [first, second]: [Holder; 2]) -> Effects {
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
    let _write_guard = core.write_lock.lock().await;
    let row = core.cache.read(device, |entry| entry.row.clone());
    let Some(mut row) = row else {
        return Effects::default();
    };
    row.imposter = Some(other);
    core.cache.lock().set_row(&row, at);
    if let Err(error) = core.store.save_device(&row).await {
        tracing::error!(device.id = %device, %error, "quarantine not recorded");
    }
    tracing::warn!(device.id = %device, link.remote = %second.address, "two machines take turns with a device's identity");
    let details = format!(
        "{} and {} take turns with this device's identity. Nothing is done on either until the owner decides.",
        name(&first),
        name(&second)
    );
    let record = by_device(core, device, Action::DeviceQuarantined, details).succeeded(false);
    Effects(vec![Effect::EndLink(device), Effect::Record(record)])
}

/// An activity entry about what a device did.
fn by_device(core: &Core, device: DeviceId, action: Action, details: String) -> NewActivity {
    let name = core
        .cache
        .read(device, |entry| entry.row.name.to_string())
        .unwrap_or_default();
    NewActivity::new(Actor::Device { name: name.clone() }, action, details).on(device, &name)
}
