//! Relays over HTTP: which there are, and which devices run one.

use super::{
    body::Body,
    caller::{Answer, Asks, OnDevice},
};
use crate::change::relays;
use axum::Json;
use flotilla_protocol::api::{Empty, List, RelayChange, RelayFacts};

pub(super) async fn list(asks: Asks) -> Json<List<RelayFacts>> {
    let state = asks.core.cache.lock();
    let relays = state.list_relays(&asks.scope(), asks.core.clock.now());
    Json(List::of(relays, state.live.seq()))
}

pub(super) async fn promote(
    asks: Asks,
    OnDevice(device): OnDevice,
    Body(change): Body<RelayChange>,
) -> Answer<Empty> {
    let promoted = relays::promote(&asks.core, &asks.caller, device, change);
    asks.complete(promoted).await.map(|_| Json(Empty {}))
}

#[cfg(test)]
mod tests;
