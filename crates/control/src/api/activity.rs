//! `GET /api/v1/activity`: the log, newest first, page by page. `GET /api/v1/activity/verify`: whether its entries are
//! as they were written.

use super::caller::{Answer, Asks};
use crate::refusal::Refusal;
use axum::{
    Json,
    extract::{Query, rejection::QueryRejection},
};
use flotilla_protocol::{
    Code,
    activity::{Activity, ActivityVerified},
    api::{List, ListActivity},
};

const DEFAULT_LIMIT: u32 = 100;
const MAX_LIMIT: u32 = 500;

pub(super) async fn list(
    asks: Asks,
    query: Result<Query<ListActivity>, QueryRejection>,
) -> Answer<List<Activity>> {
    let Query(request) = query.map_err(|error| Refusal(Code::InvalidInput.because(error.body_text())))?;
    let limit = request.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(Refusal::invalid("limit", "Ask for 1 to 500 entries."));
    }
    // Read before the entries: a frame that is published meanwhile is then applied twice, not missed.
    let (seq, devices) = {
        let state = asks.core.cache.lock();
        (state.live.seq(), state.ids_in(&asks.scope()))
    };
    let items = asks
        .core
        .store
        .list_activity(request.before, limit, devices.as_ref())
        .await?;
    Ok(Json(List::of(items, seq)))
}

pub(super) async fn verify(asks: Asks) -> Answer<ActivityVerified> {
    Ok(Json(asks.core.store.verify_activity().await?))
}
