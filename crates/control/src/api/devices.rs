//! Devices over HTTP: each call is one of [`crate::change::devices`].

use super::body::Body;
use crate::{
    change::devices,
    core::Core,
    effects::complete,
    jobs::kinds::mode_change,
    refusal::{Refusal, no_such_device},
};
use axum::{
    Json,
    extract::{Path, State},
};
use flotilla_protocol::{
    api::{
        AddDevice, DeviceAdded, DeviceChange, Empty, List, ModeChange, ModeChanged, NoFields, TokenLifetime,
    },
    device::Device,
};
use std::sync::Arc;

type Shared = State<Arc<Core>>;

pub(super) async fn list(State(core): Shared) -> Json<List<Device>> {
    let now = core.clock.now();
    Json(core.cache.lock().list_devices(now, |at| core.clock.moment(at)))
}

pub(super) async fn show(State(core): Shared, Path(device): Path<String>) -> Result<Json<Device>, Refusal> {
    let state = core.cache.lock();
    let entry = state.find(&device).ok_or_else(|| no_such_device(&device))?;
    Ok(Json(state.view(entry, core.clock.now())))
}

pub(super) async fn add(
    State(core): Shared,
    Body(request): Body<AddDevice>,
) -> Result<Json<DeviceAdded>, Refusal> {
    complete(&core, devices::add(&core, request)).await.map(Json)
}

pub(super) async fn update(
    State(core): Shared,
    Path(device): Path<String>,
    Body(change): Body<DeviceChange>,
) -> Result<Json<Device>, Refusal> {
    complete(&core, devices::update(&core, &device, change))
        .await
        .map(Json)
}

pub(super) async fn change_mode(
    State(core): Shared,
    Path(device): Path<String>,
    Body(change): Body<ModeChange>,
) -> Result<Json<ModeChanged>, Refusal> {
    mode_change::change_mode(&core, &device, change).await.map(Json)
}

pub(super) async fn rotate(
    State(core): Shared,
    Path(device): Path<String>,
    Body(lifetime): Body<TokenLifetime>,
) -> Result<Json<DeviceAdded>, Refusal> {
    complete(&core, devices::rotate(&core, &device, lifetime))
        .await
        .map(Json)
}

pub(super) async fn revoke(
    State(core): Shared,
    Path(device): Path<String>,
    Body(NoFields {}): Body<NoFields>,
) -> Result<Json<Device>, Refusal> {
    complete(&core, devices::revoke(&core, &device)).await.map(Json)
}

pub(super) async fn remove(State(core): Shared, Path(device): Path<String>) -> Result<Json<Empty>, Refusal> {
    complete(&core, devices::remove(&core, &device))
        .await
        .map(|()| Json(Empty {}))
}

#[cfg(test)]
mod modes;
#[cfg(test)]
mod tests;
