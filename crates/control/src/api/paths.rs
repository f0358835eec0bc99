//! Paths between devices over HTTP, and tests of them.

use super::{body::Body, inventory::named_devices};
use crate::{core::Core, hub, refusal::Refusal};
use axum::{
    Json,
    extract::{RawQuery, State},
};
use flotilla_protocol::{
    api::{List, TestPath},
    path::{Path, PathAttempt},
};
use std::sync::Arc;

pub(super) async fn list(
    State(core): State<Arc<Core>>,
    RawQuery(query): RawQuery,
) -> Result<Json<List<Path>>, Refusal> {
    let now = core.clock.now();
    let state = core.cache.lock();
    let devices = named_devices(&state, query.as_deref())?;
    Ok(Json(state.list_paths(devices.as_deref(), now)))
}

pub(super) async fn test(
    State(core): State<Arc<Core>>,
    Body(request): Body<TestPath>,
) -> Result<Json<Vec<PathAttempt>>, Refusal> {
    hub::test_path(&core, &request).await.map(Json)
}

#[cfg(test)]
mod tests;
