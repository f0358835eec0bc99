//! Installing an agent over the owner's SSH (a push), over HTTP.

use super::{
    body::Body,
    caller::{Answer, Asks, OnDevice},
};
use crate::jobs::kinds::ssh_install;
use axum::Json;
use flotilla_protocol::api::{Empty, Push, SshHost, SshInstall};

pub(super) async fn hosts(asks: Asks) -> Json<Vec<SshHost>> {
    Json(ssh_install::hosts(&asks.core).await)
}

pub(super) async fn begin(
    asks: Asks,
    OnDevice(device): OnDevice,
    Body(install): Body<SshInstall>,
) -> Answer<Push> {
    ssh_install::begin(&asks.core, &asks.caller, device, install)
        .await
        .map(Json)
}

pub(super) async fn show(asks: Asks, OnDevice(device): OnDevice) -> Answer<Push> {
    ssh_install::show(&asks.core, device).await.map(Json)
}

pub(super) async fn end(asks: Asks, OnDevice(device): OnDevice) -> Answer<Empty> {
    ssh_install::end(&asks.core, &asks.caller, device).await?;
    Ok(Json(Empty {}))
}
