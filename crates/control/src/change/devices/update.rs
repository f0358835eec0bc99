//! Changes of a device of the fleet: its name, tags and other properties, its revocation, its removal.

use super::{mode_label, parse_name, parse_tags};
use crate::{
    change::{Change, Effect, Effects, policy, tunnels},
    core::Core,
    refusal::{Refusal, no_such_device},
    store::{DeviceRow, NewActivity},
};
use flotilla_fleet::access::Caller;
use flotilla_protocol::{
    Code, Problem,
    activity::Action,
    api::{DeviceChange, TagChange, Verb},
    device::{Device, NetworkMode},
    id::DeviceId,
};

/// Changes a device's name, its tags, when it is relayed, whether its host networking is kept on Docker Desktop, and
/// whether its owner vouches that it is one machine.
pub(crate) async fn update(
    core: &Core,
    caller: &Caller,
    device: DeviceId,
    change: DeviceChange,
) -> Change<Device> {
    let _write_guard = core.write_lock.lock().await;
    let entry = core.device(device)?;
    let view = caller.scope(Verb::View);
    if let Some(tags) = &change.tags {
        check_tags(caller, &entry.row, tags)?;
    }
    let (row, details) = apply_update(core, entry.row.clone(), &change)?;
    if details.is_empty() {
        let unchanged = core.cache.lock().view(&entry, &view, core.clock.now());
        return Ok((unchanged, Effects::default()));
    }
    let now = core.clock.now();
    let current = core.cache.lock().policy.clone();
    let policy = policy::follow_rename(&current, &entry.row.name, &row, (caller.who(), now));
    match &policy {
        Some(policy) => core.store.save_renamed(&row, policy).await?,
        None => core.store.save_device(&row).await?,
    }
    let changed = {
        let mut state = core.cache.lock();
        state.set_row(&row, now);
        // Rows and paths contain their device's name.
        state.publish_inventory(row.id, now);
        state.publish_paths_of(row.id, now);
        if let Some(policy) = policy.clone() {
            state.set_policy(policy, now);
        }
        state.device(row.id).map(|entry| state.view(entry, &view, now))
    };
    if change.vouched.is_some() {
        core.links.forget_holders(row.id);
    }
    let actor = caller.actor();
    let record = NewActivity::new(actor.clone(), Action::DeviceUpdated, details.join(" "));
    let record = record.on(row.id, &row.name);
    let mut effects = vec![Effect::SendSettings(row.id), Effect::Record(record)];
    if let Some(policy) = policy {
        let details = format!("Rules follow the renaming of {} to {}.", entry.row.name, row.name);
        effects.push(policy::record(actor, (policy.revision, true), details));
    }
    let view = changed.ok_or_else(|| no_such_device(&row.id.to_string()))?;
    Ok((view, Effects(effects)))
}

/// Refuses changes of tags that would move a device into or out of what is not the caller's.
fn check_tags(caller: &Caller, row: &DeviceRow, change: &TagChange) -> Result<(), Refusal> {
    let mut changed = parse_tags(&change.remove, "tags.remove")?;
    changed.extend(parse_tags(&change.add, "tags.add")?);
    if caller.may_retag(row.id, &row.tags, &changed) {
        return Ok(());
    }
    let why = format!(
        "You may not change these tags of {}: rules and grants follow tags. Ask the owner.",
        row.name
    );
    Err(Refusal(Code::Forbidden.because(why)).with_field("tags"))
}

/// The record with the requested changes, and a sentence about each of them.
fn apply_update(
    core: &Core,
    mut row: DeviceRow,
    requested: &DeviceChange,
) -> Result<(DeviceRow, Vec<String>), Refusal> {
    let mut details = Vec::new();
    if let Some(name) = &requested.name {
        let name = parse_name(core, name, Some(row.id))?;
        if name != row.name {
            details.push(format!("Renamed from {} to {name}.", row.name));
            row.name = name;
        }
    }
    if let Some(change) = &requested.tags {
        let removed = parse_tags(&change.remove, "tags.remove")?;
        let added = parse_tags(&change.add, "tags.add")?;
        let before = row.tags.clone();
        row.tags.retain(|tag| !removed.contains(tag));
        row.tags.extend(added);
        row.tags.sort();
        row.tags.dedup();
        if row.tags != before {
            let tags: Vec<_> = row.tags.iter().map(ToString::to_string).collect();
            details.push(if tags.is_empty() {
                "No tags.".to_owned()
            } else {
                format!("Tags: {}.", tags.join(", "))
            });
        }
    }
    if let Some(relay) = requested.relay.filter(|relay| *relay != row.relay) {
        details.push(format!("Access Relay: {relay}."));
        row.relay = relay;
    }
    if let Some(kept) = requested.host_kept.filter(|kept| *kept != row.host_kept) {
        if kept && row.mode != NetworkMode::Host {
            return Err(Refusal(Code::Conflict.because(format!(
                "{} uses {}, so there is no Host networking to keep.",
                row.name,
                mode_label(row.mode)
            )))
            .with_field("host_kept"));
        }
        let what = if kept { "kept" } else { "no longer kept" };
        details.push(format!("Host networking is {what} on Docker Desktop."));
        row.host_kept = kept;
    }
    if let Some(vouched) = requested.vouched {
        let suspected = row.imposter.is_some();
        if vouched && (suspected || !row.vouched) {
            details.push("It is one machine, whatever its machine id says.".to_owned());
            row.imposter = None;
        } else if !vouched && row.vouched {
            details.push("Another machine id is a stranger's again.".to_owned());
        }
        row.vouched = vouched;
    }
    Ok((row, details))
}

/// Revokes a device. Its tokens and certificates are void as soon as this is written; its link is told, and ends within
/// two seconds.
pub(crate) async fn revoke(core: &Core, caller: &Caller, device: DeviceId) -> Change<Device> {
    let _write_guard = core.write_lock.lock().await;
    let entry = core.device(device)?;
    entry.life().revoke().map_err(Problem::from)?;
    let mut row = entry.row.clone();
    let now = core.clock.now();
    row.revoked = Some(now);
    row.credential = None;
    row.incoming = None;
    core.store.withdraw_tokens(&row, now).await?;
    let id = row.id;
    let view = {
        let mut state = core.cache.lock();
        let token = state.device(id).and_then(|entry| entry.token.clone());
        state.set_row(&row, now);
        state.end_key(entry.public_key(), now);
        state.link_unwanted(id);
        state.publish_paths_of(id, now);
        if let Some(mut token) = token {
            token.withdrawn = Some(now);
            state.set_token(token, now);
        }
        state
            .device(id)
            .map(|entry| state.view(entry, &caller.scope(Verb::View), now))
    };
    core.publish_fleet();
    let details = "Its certificate and tokens are void.";
    let record = NewActivity::new(caller.actor(), Action::DeviceRevoked, details);
    let effects = vec![
        Effect::SendEndedKeys,
        Effect::Dismiss(id),
        Effect::EndJobs(id),
        Effect::Record(record.on(id, &row.name)),
    ];
    Ok((
        view.ok_or_else(|| no_such_device(&id.to_string()))?,
        Effects(effects),
    ))
}

/// Removes a device that is pending or revoked.
pub(crate) async fn remove(core: &Core, caller: &Caller, device: DeviceId) -> Change<()> {
    let _write_guard = core.write_lock.lock().await;
    let entry = core.device(device)?;
    let row = &entry.row;
    entry.life().remove().map_err(Problem::from)?;
    // Before the record goes, which a running push still writes to.
    tunnels::abandon(core, row.id).await;
    core.store.delete_device(row.id).await?;
    core.cache.lock().remove(row.id);
    core.links.forget_holders(row.id);
    let details = "Forgotten. Its activity stays.";
    let record = NewActivity::new(caller.actor(), Action::DeviceRemoved, details).on(row.id, &row.name);
    Ok(((), Effects(vec![Effect::Record(record)])))
}
