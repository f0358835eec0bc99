//! A request that has begun runs to its end, also when its connection closes.
//!
//! A server drops a request's future when its connection closes. Between writing to the store and updating the cache,
//! that would leave the two different: a device whose agent died while it enrolled would hold a certificate that the
//! cache does not know.

use crate::refusal::Refusal;
use axum::{extract::Request, middleware::Next, response::Response};
use flotilla_protocol::Code;

/// Runs the request in a task of its own, which outlives its connection.
pub(crate) async fn run_to_completion(request: Request, next: Next) -> Result<Response, Refusal> {
    tokio::spawn(next.run(request)).await.map_err(|error| {
        tracing::error!(%error, "a request ended without an answer");
        Refusal(Code::Internal.because("The controller failed on this request. Its log says more."))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{Router, body::Body, middleware, routing::post};
    use futures_util::FutureExt;
    use std::sync::Arc;
    use tokio::sync::Semaphore;
    use tower::ServiceExt;

    #[tokio::test]
    async fn a_change_ends_although_its_asker_is_gone() {
        let (store_answers, changed) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
        let (gate, done) = (store_answers.clone(), changed.clone());
        let change = move || async move {
            drop(gate.acquire().await);
            done.add_permits(1);
        };
        let router = Router::new()
            .route("/", post(change))
            .layer(middleware::from_fn(run_to_completion));
        let request = Request::post("/").body(Body::empty()).unwrap();

        let answer = router.oneshot(request).now_or_never();

        assert!(answer.is_none(), "the change waits for its store");
        store_answers.add_permits(1);
        drop(changed.acquire().await.unwrap());
    }
}
