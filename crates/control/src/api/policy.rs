//! The access policy over HTTP: shown, replaced as a whole, reviewed before it is saved, and explained.

use super::{
    body::Body,
    caller::{Answer, Asks},
};
use crate::{change::policy, effects::complete};
use axum::Json;
use flotilla_protocol::api::{
    ExplainAccess, Explanation, PolicyInForce, PolicyReview, ReviewPolicy, SetPolicy,
};

pub(super) async fn show(asks: Asks) -> Json<PolicyInForce> {
    Json(asks.core.cache.lock().policy.clone())
}

pub(super) async fn replace(asks: Asks, Body(request): Body<SetPolicy>) -> Answer<PolicyInForce> {
    complete(&asks.core, policy::save(&asks.core, &asks.caller, request))
        .await?
        .map(Json)
}

pub(super) async fn review(asks: Asks, Body(request): Body<ReviewPolicy>) -> Answer<PolicyReview> {
    policy::review(&asks.core, &request).map(Json)
}

pub(super) async fn explain(asks: Asks, Body(request): Body<ExplainAccess>) -> Answer<Explanation> {
    policy::explain(&asks.core, &asks.scope(), &request).map(Json)
}

#[cfg(test)]
mod tests;
