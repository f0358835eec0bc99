//! API tokens over HTTP: each call is one of [`crate::change::tokens`].

use super::{body::Body, caller::Asks};
use crate::{change::tokens, core::Core, refusal::Refusal};
use axum::{
    Json,
    extract::{Path, State},
};
use flotilla_protocol::api::{ApiToken, CreateToken, Empty, List, TokenCreated};
use std::sync::Arc;

type Shared = State<Arc<Core>>;

pub(super) async fn list(State(core): Shared) -> Json<List<ApiToken>> {
    Json(tokens::list(&core))
}

pub(super) async fn create(
    State(core): Shared,
    asks: Asks,
    Body(request): Body<CreateToken>,
) -> Result<Json<TokenCreated>, Refusal> {
    tokens::create(&core, &asks.caller, request).await.map(Json)
}

pub(super) async fn revoke(
    State(core): Shared,
    asks: Asks,
    Path(token): Path<String>,
) -> Result<Json<Empty>, Refusal> {
    tokens::revoke(&core, &asks.caller, &token)
        .await
        .map(|()| Json(Empty {}))
}
