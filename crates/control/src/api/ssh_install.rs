//! Installing an agent over the owner's SSH (a push), over HTTP.

use super::body::Body;
use crate::{core::Core, jobs::kinds::ssh_install, refusal::Refusal};
use axum::{
    Json,
    extract::{Path, State},
};
use flotilla_protocol::api::{Empty, Push, SshHost, SshInstall};
use std::sync::Arc;

type Shared = State<Arc<Core>>;

pub(super) async fn hosts(State(core): Shared) -> Json<Vec<SshHost>> {
    Json(ssh_install::hosts(&core).await)
}

pub(super) async fn begin(
    State(core): Shared,
    Path(device): Path<String>,
    Body(install): Body<SshInstall>,
) -> Result<Json<Push>, Refusal> {
    ssh_install::begin(&core, &device, install).map(Json)
}

pub(super) async fn show(State(core): Shared, Path(device): Path<String>) -> Result<Json<Push>, Refusal> {
    ssh_install::show(&core, &device).map(Json)
}

pub(super) async fn end(State(core): Shared, Path(device): Path<String>) -> Result<Json<Empty>, Refusal> {
    ssh_install::end(&core, &device).await.map(|()| Json(Empty {}))
}
