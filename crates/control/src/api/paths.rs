//! Paths between devices over HTTP, and tests of them.

use super::{
    body::Body,
    caller::{Asks, find_device},
    inventory::named_devices,
};
use crate::{core::Core, hub, refusal::Refusal};
use axum::{
    Json,
    extract::{RawQuery, State},
};
use flotilla_protocol::{
    api::{List, TestPath, Verb},
    path::{Path, PathAttempt},
};
use std::sync::Arc;

pub(super) async fn list(
    State(core): State<Arc<Core>>,
    asks: Asks,
    RawQuery(query): RawQuery,
) -> Result<Json<List<Path>>, Refusal> {
    let now = core.clock.now();
    let state = core.cache.lock();
    let devices = named_devices(&state, &asks, query.as_deref())?;
    Ok(Json(state.list_paths(devices.as_deref(), &asks.scope(), now)))
}

pub(super) async fn test(
    State(core): State<Arc<Core>>,
    asks: Asks,
    Body(request): Body<TestPath>,
) -> Result<Json<Vec<PathAttempt>>, Refusal> {
    // The first end does the work; the other one is only looked at.
    find_device(&core.cache.lock(), (&asks.caller, asks.verb), &request.from)?;
    hub::test_path(&core, &asks.caller.scope(Verb::View), &request)
        .await
        .map(Json)
}

#[cfg(test)]
mod tests;
