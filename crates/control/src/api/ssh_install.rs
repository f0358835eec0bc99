//! Installing an agent over the owner's SSH (a push), over HTTP.

use super::{
    body::Body,
    caller::{Asks, OnDevice},
};
use crate::{core::Core, jobs::kinds::ssh_install, refusal::Refusal};
use axum::{Json, extract::State};
use flotilla_protocol::api::{Empty, Push, SshHost, SshInstall};
use std::sync::Arc;

type Shared = State<Arc<Core>>;

pub(super) async fn hosts(State(core): Shared) -> Json<Vec<SshHost>> {
    Json(ssh_install::hosts(&core).await)
}

pub(super) async fn begin(
    State(core): Shared,
    asks: Asks,
    OnDevice(device): OnDevice,
    Body(install): Body<SshInstall>,
) -> Result<Json<Push>, Refusal> {
    ssh_install::begin(&core, &asks.caller, device, install)
        .await
        .map(Json)
}

pub(super) async fn show(State(core): Shared, OnDevice(device): OnDevice) -> Result<Json<Push>, Refusal> {
    ssh_install::show(&core, device).await.map(Json)
}

pub(super) async fn end(
    State(core): Shared,
    asks: Asks,
    OnDevice(device): OnDevice,
) -> Result<Json<Empty>, Refusal> {
    ssh_install::end(&core, &asks.caller, device)
        .await
        .map(|()| Json(Empty {}))
}
