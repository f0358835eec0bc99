//! API tokens over HTTP: each call is one of [`crate::change::tokens`].

use super::{
    body::Body,
    caller::{Answer, Asks},
};
use crate::change::tokens;
use axum::{Json, extract::Path};
use flotilla_protocol::api::{ApiToken, CreateToken, Empty, List, TokenCreated};

pub(super) async fn list(asks: Asks) -> Json<List<ApiToken>> {
    Json(tokens::list(&asks.core))
}

pub(super) async fn create(asks: Asks, Body(request): Body<CreateToken>) -> Answer<TokenCreated> {
    tokens::create(&asks.core, &asks.caller, request).await.map(Json)
}

pub(super) async fn revoke(asks: Asks, Path(token): Path<String>) -> Answer<Empty> {
    tokens::revoke(&asks.core, &asks.caller, &token).await?;
    Ok(Json(Empty {}))
}
