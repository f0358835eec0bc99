//! The API port: JSON for people's tools, the live stream, and the user interface. Loopback only.

mod activity;
mod body;
mod caller;
mod containers;
mod devices;
mod fleet;
mod guard;
mod inventory;
mod jobs;
mod live;
mod log_search;
mod metrics;
mod openapi;
mod paths;
mod policy;
mod relays;
mod route;
mod session;
mod ssh_install;
mod streams;
mod table;
mod tokens;
mod ui;

pub(crate) use streams::budget as stream_budget;

use crate::{completion, core::Core, refusal::not_found};
use axum::{Router, extract::DefaultBodyLimit, middleware, routing::get};
use flotilla_protocol::api::Verb;
use std::sync::Arc;

/// Room for the largest request, a policy of a thousand rules.
const BODY_BYTES: usize = 512 * 1024;

/// Everything that the API port serves.
pub(crate) fn router(core: &Arc<Core>) -> Router {
    let metrics = get(metrics::show).layer(middleware::from_fn_with_state(
        (core.clone(), route::Needs::Somewhere(Verb::View)),
        guard::authorize,
    ));
    table::router(core)
        .route("/metrics", metrics)
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/api", axum::routing::any(not_found))
        .route("/api/{*rest}", axum::routing::any(not_found))
        .fallback(ui::serve)
        .method_not_allowed_fallback(not_found)
        .layer(middleware::from_fn(completion::run_to_completion))
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .layer(middleware::from_fn_with_state(core.clone(), guard::own_origin))
        .with_state(core.clone())
}

#[cfg(test)]
pub(crate) mod tests;
