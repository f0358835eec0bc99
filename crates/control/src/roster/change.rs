//! Changes of a device that is in the fleet: name, tags, the end of its trust, its end.

use super::{by_owner, get, parse_name, parse_tags};
use crate::{core::Core, refusal::Refusal};
use flotilla_protocol::{Problem, activity::Action, agent::REVOKED_PATH, api::UpdateDevice, device::Device};
use std::time::Duration;

/// How long a revoked agent may take to say that it heard; the link ends with or without that.
const FAREWELL: Duration = Duration::from_millis(1_500);

/// Renames and tags.
pub(crate) async fn update(core: &Core, request: UpdateDevice) -> Result<Device, Refusal> {
    let _changing = core.change.lock().await;
    let mut row = get(core, &request.device)?.row;
    let mut details = Vec::new();
    if let Some(name) = &request.name {
        let name = parse_name(core, name, Some(row.id))?;
        if name != row.name {
            details.push(format!("Renamed from {} to {name}.", row.name));
            row.name = name;
        }
    }
    if let Some(change) = &request.tags {
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
    if details.is_empty() {
        return Ok(get(core, &request.device)?.view(core.clock.now()));
    }
    core.store.save_device(&row).await?;
    let now = core.clock.now();
    let view = {
        let mut state = core.cache.lock();
        state.change(row.id, now, |entry| {
            entry.row.name = row.name.clone();
            entry.row.tags = row.tags.clone();
        });
        // Rows carry their device's name.
        state.publish_inventory(row.id, now);
        state.device(row.id).map(|entry| entry.view(now))
    };
    core.hub.tell(row.id);
    core.record(by_owner(
        Action::DeviceUpdated,
        row.id,
        &row.name,
        details.join(" "),
    ))
    .await;
    view.ok_or_else(|| super::no_such_device(&request.device))
}

/// Ends a device's trust. Its tokens and certificates are worth nothing once this is written; its link is told
/// and ends within two seconds.
pub(crate) async fn revoke(core: &Core, device: &str) -> Result<Device, Refusal> {
    let changing = core.change.lock().await;
    let entry = get(core, device)?;
    entry.life().revoke().map_err(Problem::from)?;
    let mut row = entry.row;
    let now = core.clock.now();
    row.revoked = Some(now);
    row.credential = None;
    row.incoming = None;
    core.store.withdraw_tokens(&row, now).await?;
    let id = row.id;
    let view = {
        let mut state = core.cache.lock();
        let token = state.device(id).and_then(|entry| entry.token.clone());
        state.change(id, now, |entry| {
            entry.row.revoked = Some(now);
            entry.row.credential = None;
            entry.row.incoming = None;
        });
        state.link_unwanted(id);
        if let Some(mut token) = token {
            token.withdrawn = Some(now);
            state.set_token(token, now);
        }
        state.device(id).map(|entry| entry.view(now))
    };
    drop(changing);
    if let Some(link) = core.hub.lookup(id) {
        let told = link
            .post::<serde_json::Value>(REVOKED_PATH, &serde_json::json!({}), FAREWELL)
            .await;
        if let Err(error) = told {
            tracing::info!(device.id = %id, %error, "a revoked agent did not confirm");
        }
        link.abort();
    }
    core.record(by_owner(
        Action::DeviceRevoked,
        id,
        &row.name,
        "Its certificate and tokens are void.".to_owned(),
    ))
    .await;
    core.publish_fleet();
    view.ok_or_else(|| super::no_such_device(device))
}

/// Forgets a device that no longer, or not yet, has anything.
pub(crate) async fn remove(core: &Core, device: &str) -> Result<(), Refusal> {
    let _changing = core.change.lock().await;
    let entry = get(core, device)?;
    let row = entry.row.clone();
    entry.life().remove().map_err(Problem::from)?;
    core.store.delete_device(row.id).await?;
    core.cache.lock().remove(row.id);
    core.record(by_owner(
        Action::DeviceRemoved,
        row.id,
        &row.name,
        "Forgotten. Its activity stays.".to_owned(),
    ))
    .await;
    Ok(())
}
