//! Relays over HTTP: which there are, and which devices run one.

use super::body::Body;
use crate::{change::relays, core::Core, effects::complete, refusal::Refusal};
use axum::{
    Json,
    extract::{Path, State},
};
use flotilla_protocol::api::{Empty, List, RelayChange, RelayFacts};
use std::sync::Arc;

pub(super) async fn list(State(core): State<Arc<Core>>) -> Json<List<RelayFacts>> {
    let state = core.cache.lock();
    Json(List {
        items: state.list_relays(core.clock.now()),
        unreachable_devices: Vec::new(),
        seq: state.live.seq(),
    })
}

pub(super) async fn promote(
    State(core): State<Arc<Core>>,
    Path(device): Path<String>,
    Body(change): Body<RelayChange>,
) -> Result<Json<Empty>, Refusal> {
    let promoted = relays::promote(&core, &device, change);
    complete(&core, promoted).await.map(|()| Json(Empty {}))
}

#[cfg(test)]
mod tests;
