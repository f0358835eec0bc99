//! Enrollment offers: a device's record with a new token.

use super::{parse_name, parse_tags};
use crate::{
    cache::DeviceEntry,
    change::{Change, Effect, Effects},
    core::Core,
    provision,
    refusal::Refusal,
    store::{DeviceRow, LastReport, NewActivity, TokenRow},
};
use flotilla_fleet::{access::Caller, enrollment, free_address};
use flotilla_identity::EnrollmentToken;
use flotilla_protocol::{
    Code, Timestamp,
    activity::{Action, Actor},
    api::{AddDevice, DeviceAdded, TokenLifetime},
    device::{NetworkMode, RelayPreference},
    enroll::{CONFIG_VERSION, ConfigFile},
    id::DeviceId,
};
use rand::Rng as _;
use std::{collections::BTreeSet, time::Duration};
use tokio::sync::MutexGuard;

/// Adds a pending device.
pub(crate) async fn add(core: &Core, caller: &Caller, request: AddDevice) -> Change<DeviceAdded> {
    let lifetime = enrollment::lifetime(request.expires_seconds)?;
    let tags = parse_tags(&request.tags, "tags")?;
    if !caller.may_add(&tags) {
        let why = "You may add devices with your own tags only. Give it at least one of them, and no other.";
        return Err(Refusal(Code::Forbidden.because(why)).with_field("tags"));
    }
    let _write_guard = core.write_lock.lock().await;
    let name = request.name.unwrap_or_else(|| core.propose_name());
    let mut row = new_row(core, &name)?;
    row.mode = request.mode.unwrap_or(NetworkMode::Host);
    row.relay = request.relay.unwrap_or(RelayPreference::Auto);
    row.tags = tags;
    row.tags.sort();
    row.tags.dedup();
    let config = offer(core, row, lifetime).await?;
    let details = format!(
        "Added with a token that works once until {}.",
        core.clock.moment(config.token_expires)
    );
    core.publish_fleet();
    let added = (Action::DeviceAdded, details);
    Ok(offered(core, caller.actor(), &config, false, added))
}

/// Makes a new token for a device. Until it is used, the device's certificate stays valid.
pub(crate) async fn rotate(
    core: &Core,
    caller: &Caller,
    device: DeviceId,
    lifetime: TokenLifetime,
) -> Change<DeviceAdded> {
    let lifetime = enrollment::lifetime(lifetime.expires_seconds)?;
    let _write_guard = core.write_lock.lock().await;
    let row = core.device(device)?.row;
    let host_kept = row.host_kept;
    let config = offer(core, row, lifetime).await?;
    let details = format!(
        "New token that works once until {}.",
        core.clock.moment(config.token_expires)
    );
    Ok(offered(
        core,
        caller.actor(),
        &config,
        host_kept,
        (Action::DeviceRotated, details),
    ))
}

/// The texts of an offer, and its entry of the activity log.
fn offered(
    core: &Core,
    actor: Actor,
    config: &ConfigFile,
    host_kept: bool,
    (action, details): (Action, String),
) -> (DeviceAdded, Effects) {
    let record = NewActivity::new(actor, action, details).on(config.device_id, &config.device_name);
    let texts = provision::device_added(config, host_kept, &core.trust.leaf_key.pin());
    (texts, Effects(vec![Effect::Record(record)]))
}

/// Makes a new token for a device whose agent control installs itself. Takes the guard of the write lock, so that the
/// caller can give up waiting for it.
pub(crate) async fn offer_for_ssh_install(
    core: &Core,
    device: DeviceId,
    _write_guard: MutexGuard<'_, ()>,
) -> Result<ConfigFile, Refusal> {
    let entry = core.device(device)?;
    offer(core, entry.row, enrollment::USUAL).await
}

/// The content of a device's config file: all that it needs to enroll.
pub(crate) fn config_file(core: &Core, row: &DeviceRow, token: &str, expires: Timestamp) -> ConfigFile {
    let fleet = core.cache.lock().fleet.clone();
    ConfigFile {
        version: CONFIG_VERSION,
        fleet_id: fleet.id,
        device_id: row.id,
        device_name: row.name.clone(),
        endpoints: core.endpoints_of(row.id),
        ca_pin: core.trust.ca.pin(),
        token: token.to_owned(),
        token_expires: expires,
        mesh_ip: row.mesh_ip,
        mesh_cidr: fleet.mesh_cidr.to_string(),
        network_mode: row.mode,
        relay: row.relay,
        tags: row.tags.clone(),
        agent_image: concat!("flotilla/agent:", env!("CARGO_PKG_VERSION")).to_owned(),
        ca_pem: core.trust.ca.cert_pem().to_owned(),
    }
}

/// Saves the device with a new token, withdraws its older tokens, and publishes both.
pub(super) async fn offer(core: &Core, row: DeviceRow, lifetime: Duration) -> Result<ConfigFile, Refusal> {
    let now = core.clock.now();
    let expires = now.checked_add(lifetime).unwrap_or(Timestamp::MAX);
    let token = EnrollmentToken::generate(now);
    let token_row = TokenRow {
        id: token.id(),
        device_id: row.id,
        hash: token.hash(),
        created: now,
        expires,
        withdrawn: None,
        used: None,
        stages: Vec::new(),
        failure: None,
    };
    core.store.offer_token(&row, &token_row).await?;
    let config = config_file(core, &row, &token.reveal(), expires);
    let mut state = core.cache.lock();
    if state.device(row.id).is_none() {
        state.insert(DeviceEntry::new(row, None, LastReport::default()), now);
    }
    state.set_token(token_row, now);
    drop(state);
    core.timers_changed.notify_one();
    Ok(config)
}

/// A new device's record with defaults and a free mesh address.
pub(super) fn new_row(core: &Core, name: &str) -> Result<DeviceRow, Refusal> {
    let now = core.clock.now();
    let free = {
        let state = core.cache.lock();
        let taken: BTreeSet<_> = state.devices().map(|entry| entry.row.mesh_ip).collect();
        free_address(state.maps.range(), &taken)
    };
    let mesh_ip =
        free.ok_or_else(|| {
            Refusal(Code::Conflict.because(
                "Every mesh address of this fleet is in use. Remove devices that are gone for good.",
            ))
        })?;
    let id = DeviceId::new(now, core.random().random());
    Ok(DeviceRow {
        id,
        name: parse_name(core, name, None)?,
        mode: NetworkMode::Host,
        relay: RelayPreference::Auto,
        tags: Vec::new(),
        mesh_ip,
        this_computer: false,
        created: now,
        enrolled: None,
        revoked: None,
        credential: None,
        incoming: None,
        imposter: None,
        last_seen: None,
        routes: Vec::new(),
        relaying: None,
        host_kept: false,
        vouched: false,
    })
}
