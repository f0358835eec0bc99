//! Enrollment offers: a device's record with a new token.

use super::{by_owner, get, parse_name, parse_tags, propose_name, range};
use crate::{
    cache::DeviceEntry,
    change::policy,
    core::Core,
    provision,
    refusal::Refusal,
    store::{DeviceRow, LastReport, NewActivity, TokenRow},
};
use flotilla_fleet::enrollment;
use flotilla_identity::EnrollmentToken;
use flotilla_protocol::{
    Code, Timestamp,
    activity::{Action, Actor},
    api::{AddDevice, DeviceAdded, RotateDevice},
    device::{NetworkMode, RelayPreference},
    enroll::{CONFIG_VERSION, ConfigFile},
    id::DeviceId,
};
use rand::RngCore;
use std::{collections::BTreeSet, time::Duration};
use tokio::sync::MutexGuard;

/// Adds a pending device.
pub(crate) async fn add(core: &Core, request: AddDevice) -> Result<DeviceAdded, Refusal> {
    let lifetime = enrollment::lifetime(request.expires_seconds)?;
    let tags = parse_tags(&request.tags, "tags")?;
    let _write_guard = core.write_lock.lock().await;
    let name = request.name.unwrap_or_else(|| propose_name(core));
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
    core.record(by_owner(
        Action::DeviceAdded,
        config.device_id,
        &config.device_name,
        details,
    ))
    .await;
    core.publish_fleet();
    Ok(provision::device_added(
        &config,
        false,
        &core.trust.leaf_key.pin(),
    ))
}

/// Makes a new token for a device. Until it is used, the device's certificate stays valid.
pub(crate) async fn rotate(core: &Core, request: RotateDevice) -> Result<DeviceAdded, Refusal> {
    let lifetime = enrollment::lifetime(request.expires_seconds)?;
    let _write_guard = core.write_lock.lock().await;
    let row = get(core, &request.device)?.row;
    let host_kept = row.host_kept;
    let config = offer(core, row, lifetime).await?;
    let details = format!(
        "New token that works once until {}.",
        core.clock.moment(config.token_expires)
    );
    core.record(by_owner(
        Action::DeviceRotated,
        config.device_id,
        &config.device_name,
        details,
    ))
    .await;
    Ok(provision::device_added(
        &config,
        host_kept,
        &core.trust.leaf_key.pin(),
    ))
}

/// Makes a new token for a device whose agent control installs itself. Takes the guard of the write lock, so that the
/// caller can give up waiting for it.
pub(crate) async fn offer_for_ssh_install(
    core: &Core,
    device: DeviceId,
    _write_guard: MutexGuard<'_, ()>,
) -> Result<ConfigFile, Refusal> {
    let entry = get(core, &device.to_string())?;
    offer(core, entry.row, enrollment::USUAL).await
}

/// Makes an offer for the computer that control runs on; `None` when it is enrolled.
pub(crate) async fn local_enrollment(core: &Core, hostname: &str) -> Result<Option<ConfigFile>, Refusal> {
    let _write_guard = core.write_lock.lock().await;
    let this_computer = core
        .cache
        .lock()
        .devices()
        .find(|entry| entry.row.this_computer)
        .cloned();
    let (row, action) = match this_computer {
        Some(entry) if entry.row.enrolled.is_some() && entry.row.revoked.is_none() => return Ok(None),
        Some(entry) => (entry.row, Action::DeviceRotated),
        None => {
            let mut row = new_row(core, &local_name(core, hostname))?;
            row.this_computer = true;
            (row, Action::DeviceAdded)
        }
    };
    let config = offer(core, row, enrollment::USUAL).await?;
    let device = Some((config.device_id, config.device_name.to_string()));
    let details = "This computer got a token for its own agent.".to_owned();
    let actor = Actor::Control;
    core.record(NewActivity {
        actor,
        action,
        target: None,
        device,
        succeeded: true,
        details,
    })
    .await;
    policy::apply_starting_policy(core).await?;
    Ok(Some(config))
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
        mesh_cidr: fleet.mesh_cidr,
        network_mode: row.mode,
        relay: row.relay,
        tags: row.tags.clone(),
        agent_image: concat!("flotilla/agent:", env!("CARGO_PKG_VERSION")).to_owned(),
        ca_pem: core.trust.ca.cert_pem().to_owned(),
    }
}

/// Saves the device with a new token, withdraws its older tokens, and publishes both.
async fn offer(core: &Core, row: DeviceRow, lifetime: Duration) -> Result<ConfigFile, Refusal> {
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
fn new_row(core: &Core, name: &str) -> Result<DeviceRow, Refusal> {
    let now = core.clock.now();
    let taken: BTreeSet<_> = core
        .cache
        .lock()
        .devices()
        .map(|entry| entry.row.mesh_ip)
        .collect();
    let mesh_ip = range(core)?.free_address(&taken).ok_or_else(|| {
        Refusal::new(
            Code::Conflict,
            "Every mesh address of this fleet is in use. Remove devices that are gone for good.",
        )
    })?;
    let mut tail = [0; 10];
    core.random().fill_bytes(&mut tail);
    let millis = u64::try_from(now.as_millisecond()).unwrap_or(0);
    Ok(DeviceRow {
        id: DeviceId(uuid::Builder::from_unix_timestamp_millis(millis, &tail).into_uuid()),
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

/// A free device name made from the host name, or a proposed one when no usable letter is left of it.
fn local_name(core: &Core, hostname: &str) -> String {
    let label = hostname
        .split('.')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let mapped: String = label
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .take(60)
        .collect();
    // Systems without a name call themselves so.
    let name = match mapped.trim_matches('-') {
        "localhost" | "none" => "",
        name => name,
    };
    let numbered = (2..100).map(|n| format!("{name}-{n}"));
    let mut candidates = std::iter::once(name.to_owned()).chain(numbered);
    candidates
        .find(|name| parse_name(core, name, None).is_ok())
        .unwrap_or_else(|| propose_name(core))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testbed::Testbed;

    #[tokio::test]
    async fn a_computer_that_is_called_like_a_device_gets_a_number() {
        let bed = Testbed::new().await;
        let device = |name: &str| AddDevice {
            name: Some(name.to_owned()),
            ..AddDevice::default()
        };
        for (taken, expected) in [("nas", "nas-2"), ("nas-2", "nas-3")] {
            add(&bed.core, device(taken)).await.unwrap();
            assert_eq!(local_name(&bed.core, "NAS.local."), expected);
        }
        let config = local_enrollment(&bed.core, "nas").await.unwrap().unwrap();
        assert_eq!(config.device_name.as_str(), "nas-3");
        let addresses: BTreeSet<_> = bed
            .core
            .cache
            .lock()
            .devices()
            .map(|entry| entry.row.mesh_ip)
            .collect();
        assert_eq!(addresses.len(), 3);
        // A long host name is cut to 60 characters, so that a number fits behind it when the name is taken.
        let long = "a".repeat(64);
        add(&bed.core, device(&long[..60])).await.unwrap();
        assert_eq!(local_name(&bed.core, &long), format!("{}-2", &long[..60]));
    }

    #[tokio::test]
    async fn whatever_this_computer_is_called_its_device_has_a_name_that_people_can_say() {
        let long = "a".repeat(64);
        for (hostname, expected) in [
            ("NAS.local.", Some("nas")),
            ("K\u{fc}che", Some("k-che")),
            (&long, Some(&long[..60])),
            ("localhost", None),
            ("localhost.localdomain", None),
            ("", None),
            ("(none)", None),
            ("...", None),
            ("\u{65e5}\u{672c}", None),
        ] {
            let bed = Testbed::new().await;
            let config = local_enrollment(&bed.core, hostname).await.unwrap().unwrap();
            let name = config.device_name.as_str();
            match expected {
                Some(expected) => assert_eq!(name, expected),
                None => assert!(
                    name.contains('-') && name != "localhost",
                    "{hostname:?} became {name}"
                ),
            }
        }
    }
}
