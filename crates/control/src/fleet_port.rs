//! The fleet port: the routes that devices reach over TLS. There are no others, and every refusal is a Problem.

mod credential;
mod enroll;
mod install;
mod link;

use crate::{completion, core::Core, refusal::not_found, relay};
use axum::{Router, extract::DefaultBodyLimit, middleware, routing::get};
use flotilla_protocol::{agent::LINK_PATH, enroll::ENROLL_PATH};
use std::sync::Arc;

/// Bytes of a request. An enrollment has about 2 KB; one of a device with very many routes stays below this.
const BODY_BYTES: usize = 64 * 1024;

/// Everything that the fleet port serves.
pub(crate) fn router(core: &Arc<Core>) -> Router {
    Router::new()
        .route(ENROLL_PATH, get(enroll::challenge).post(enroll::enroll))
        .route(LINK_PATH, get(link::open))
        .merge(install::routes())
        .merge(relay::routes(core))
        .fallback(not_found)
        .method_not_allowed_fallback(not_found)
        .layer(middleware::from_fn(completion::run_to_completion))
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .with_state(core.clone())
}

#[cfg(test)]
mod tests;
