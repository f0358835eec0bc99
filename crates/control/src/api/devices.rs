//! Devices over HTTP: what is known of them, and calls that are each one of [`crate::change::devices`].

use super::{
    body::Body,
    caller::{Answer, Asks, OnDevice},
};
use crate::{change::devices, jobs::kinds::mode_change, refusal::Refusal};
use axum::Json;
use flotilla_protocol::{
    Code,
    api::{
        AddDevice, DeviceAdded, DeviceChange, Empty, Enrollment, List, ModeChange, ModeChanged, NoFields,
        TokenLifetime,
    },
    device::Device,
};

pub(super) async fn list(asks: Asks) -> Json<List<Device>> {
    let core = &asks.core;
    let state = core.cache.lock();
    let now = core.clock.now();
    Json(state.list_devices(&asks.scope(), now, |at| core.clock.moment(at)))
}

pub(super) async fn show(asks: Asks, OnDevice(device): OnDevice) -> Answer<Device> {
    let entry = asks.core.device(device)?;
    let state = asks.core.cache.lock();
    Ok(Json(state.view(&entry, &asks.scope(), asks.core.clock.now())))
}

/// The stages that Add Device shows while it waits.
pub(super) async fn enrollment(asks: Asks, OnDevice(device): OnDevice) -> Answer<Enrollment> {
    let entry = asks.core.device(device)?;
    let enrollment = entry.enrollment(asks.core.clock.now());
    enrollment.map(Json).ok_or_else(|| {
        Refusal(Code::NotFound.because(format!(
            "{} has no enrollment token. Create a re-enroll command for it.",
            entry.row.name
        )))
    })
}

pub(super) async fn add(asks: Asks, Body(request): Body<AddDevice>) -> Answer<DeviceAdded> {
    asks.complete(devices::add(&asks.core, &asks.caller, request))
        .await
}

pub(super) async fn update(
    asks: Asks,
    OnDevice(device): OnDevice,
    Body(change): Body<DeviceChange>,
) -> Answer<Device> {
    asks.complete(devices::update(&asks.core, &asks.caller, device, change))
        .await
}

pub(super) async fn change_mode(
    asks: Asks,
    OnDevice(device): OnDevice,
    Body(change): Body<ModeChange>,
) -> Answer<ModeChanged> {
    mode_change::change_mode(&asks.core, &asks.caller, device, change)
        .await
        .map(Json)
}

pub(super) async fn rotate(
    asks: Asks,
    OnDevice(device): OnDevice,
    Body(lifetime): Body<TokenLifetime>,
) -> Answer<DeviceAdded> {
    asks.complete(devices::rotate(&asks.core, &asks.caller, device, lifetime))
        .await
}

pub(super) async fn revoke(asks: Asks, OnDevice(device): OnDevice, _: Body<NoFields>) -> Answer<Device> {
    asks.complete(devices::revoke(&asks.core, &asks.caller, device))
        .await
}

pub(super) async fn remove(asks: Asks, OnDevice(device): OnDevice) -> Answer<Empty> {
    let removed = devices::remove(&asks.core, &asks.caller, device);
    asks.complete(removed).await.map(|_| Json(Empty {}))
}

#[cfg(test)]
mod modes;
#[cfg(test)]
mod tests;
