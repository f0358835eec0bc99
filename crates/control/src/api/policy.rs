//! The access policy over HTTP: shown, replaced as a whole, reviewed before it is saved, and explained.

use super::{body::Body, caller::Asks};
use crate::{change::policy, core::Core, effects::complete, refusal::Refusal};
use axum::{Json, extract::State};
use flotilla_protocol::api::{
    ExplainAccess, Explanation, PolicyInForce, PolicyReview, ReviewPolicy, SetPolicy,
};
use std::sync::Arc;

type Shared = State<Arc<Core>>;

pub(super) async fn show(State(core): Shared) -> Json<PolicyInForce> {
    Json(core.cache.lock().policy.clone())
}

pub(super) async fn replace(
    State(core): Shared,
    asks: Asks,
    Body(request): Body<SetPolicy>,
) -> Result<Json<PolicyInForce>, Refusal> {
    complete(&core, policy::save(&core, &asks.caller, request))
        .await?
        .map(Json)
}

pub(super) async fn review(
    State(core): Shared,
    Body(request): Body<ReviewPolicy>,
) -> Result<Json<PolicyReview>, Refusal> {
    policy::review(&core, &request).map(Json)
}

pub(super) async fn explain(
    State(core): Shared,
    asks: Asks,
    Body(request): Body<ExplainAccess>,
) -> Result<Json<Explanation>, Refusal> {
    policy::explain(&core, &asks.scope(), &request).map(Json)
}

#[cfg(test)]
mod tests;
