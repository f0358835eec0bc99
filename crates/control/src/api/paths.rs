//! Paths between devices over HTTP, and tests of them.

use super::{
    body::Body,
    caller::{Answer, Asks},
    inventory::named_devices,
};
use crate::hub;
use axum::{Json, extract::RawQuery};
use flotilla_protocol::{
    api::{List, TestPath, Verb},
    path::{Path, PathAttempt},
};

pub(super) async fn list(asks: Asks, RawQuery(query): RawQuery) -> Answer<List<Path>> {
    let now = asks.core.clock.now();
    let state = asks.core.cache.lock();
    let devices = named_devices(&state, &asks, query.as_deref())?;
    Ok(Json(state.list_paths(devices.as_deref(), &asks.scope(), now)))
}

pub(super) async fn test(asks: Asks, Body(request): Body<TestPath>) -> Answer<Vec<PathAttempt>> {
    // The first end does the work; the other one is only looked at.
    asks.find(&asks.core.cache.lock(), &request.from)?;
    hub::test_path(&asks.core, &asks.caller.scope(Verb::View), &request)
        .await
        .map(Json)
}

#[cfg(test)]
mod tests;
