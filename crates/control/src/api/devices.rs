//! Devices over HTTP: each call is one of [`crate::change::devices`].

use super::{
    body::Body,
    caller::{Asks, OnDevice},
};
use crate::{change::devices, core::Core, effects::complete, jobs::kinds::mode_change, refusal::Refusal};
use axum::{Json, extract::State};
use flotilla_protocol::{
    api::{
        AddDevice, DeviceAdded, DeviceChange, Empty, List, ModeChange, ModeChanged, NoFields, TokenLifetime,
    },
    device::Device,
};
use std::sync::Arc;

type Shared = State<Arc<Core>>;

pub(super) async fn list(State(core): Shared, asks: Asks) -> Json<List<Device>> {
    let now = core.clock.now();
    let state = core.cache.lock();
    Json(state.list_devices(&asks.scope(), now, |at| core.clock.moment(at)))
}

pub(super) async fn show(
    State(core): Shared,
    asks: Asks,
    OnDevice(device): OnDevice,
) -> Result<Json<Device>, Refusal> {
    let entry = core.device(device)?;
    let state = core.cache.lock();
    Ok(Json(state.view(&entry, &asks.scope(), core.clock.now())))
}

pub(super) async fn add(
    State(core): Shared,
    asks: Asks,
    Body(request): Body<AddDevice>,
) -> Result<Json<DeviceAdded>, Refusal> {
    complete(&core, devices::add(&core, &asks.caller, request))
        .await
        .map(Json)
}

pub(super) async fn update(
    State(core): Shared,
    asks: Asks,
    OnDevice(device): OnDevice,
    Body(change): Body<DeviceChange>,
) -> Result<Json<Device>, Refusal> {
    complete(&core, devices::update(&core, &asks.caller, device, change))
        .await
        .map(Json)
}

pub(super) async fn change_mode(
    State(core): Shared,
    asks: Asks,
    OnDevice(device): OnDevice,
    Body(change): Body<ModeChange>,
) -> Result<Json<ModeChanged>, Refusal> {
    mode_change::change_mode(&core, &asks.caller, device, change)
        .await
        .map(Json)
}

pub(super) async fn rotate(
    State(core): Shared,
    asks: Asks,
    OnDevice(device): OnDevice,
    Body(lifetime): Body<TokenLifetime>,
) -> Result<Json<DeviceAdded>, Refusal> {
    complete(&core, devices::rotate(&core, &asks.caller, device, lifetime))
        .await
        .map(Json)
}

pub(super) async fn revoke(
    State(core): Shared,
    asks: Asks,
    OnDevice(device): OnDevice,
    Body(NoFields {}): Body<NoFields>,
) -> Result<Json<Device>, Refusal> {
    complete(&core, devices::revoke(&core, &asks.caller, device))
        .await
        .map(Json)
}

pub(super) async fn remove(
    State(core): Shared,
    asks: Asks,
    OnDevice(device): OnDevice,
) -> Result<Json<Empty>, Refusal> {
    complete(&core, devices::remove(&core, &asks.caller, device))
        .await
        .map(|()| Json(Empty {}))
}

#[cfg(test)]
mod modes;
#[cfg(test)]
mod tests;
