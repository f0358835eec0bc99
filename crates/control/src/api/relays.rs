//! Relays over HTTP: which there are, and which devices run one.

use super::{
    body::Body,
    caller::{Asks, OnDevice},
};
use crate::{change::relays, core::Core, effects::complete, refusal::Refusal};
use axum::{Json, extract::State};
use flotilla_protocol::api::{Empty, List, RelayChange, RelayFacts};
use std::sync::Arc;

pub(super) async fn list(State(core): State<Arc<Core>>, asks: Asks) -> Json<List<RelayFacts>> {
    let state = core.cache.lock();
    Json(List {
        items: state.list_relays(&asks.scope(), core.clock.now()),
        unreachable_devices: Vec::new(),
        seq: state.live.seq(),
    })
}

pub(super) async fn promote(
    State(core): State<Arc<Core>>,
    asks: Asks,
    OnDevice(device): OnDevice,
    Body(change): Body<RelayChange>,
) -> Result<Json<Empty>, Refusal> {
    let promoted = relays::promote(&core, &asks.caller, device, change);
    complete(&core, promoted).await.map(|()| Json(Empty {}))
}

#[cfg(test)]
mod tests;
