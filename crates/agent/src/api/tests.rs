//! The router alone, called without a link.

use super::*;
use axum::http::Request;
use flotilla_engine::{OwnContainer, Sockets};
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

fn api(dir: &std::path::Path) -> Api {
    Api {
        engine: Engine::new(Sockets::at(dir.join("docker.sock")), OwnContainer::default()),
        state: Arc::new(StateDir::open(dir).unwrap()),
        clock: AgentClock::new(None),
        closing: CancellationToken::new(),
        revoked: CancellationToken::new(),
    }
}

async fn answer(api: Api, request: Request<Body>) -> (u16, serde_json::Value) {
    let response = router(api).oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap())
}

#[tokio::test]
async fn what_the_agent_cannot_do_is_answered_with_a_problem() {
    let dir = tempfile::tempdir().unwrap();
    let api = api(dir.path());
    for (path, status, code) in [
        ("/v1/containers/c1/start", 503, "engine_unavailable"),
        ("/v1/containers/c1/explode", 404, "not_found"),
        ("/v1/unheard-of", 404, "not_found"),
        ("/v1/settings", 400, "invalid_input"),
    ] {
        let (got, problem) = answer(api.clone(), Request::post(path).body(Body::empty()).unwrap()).await;
        assert_eq!((got, problem["code"].as_str()), (status, Some(code)), "{path}");
    }
}

#[tokio::test]
async fn the_watch_begins_with_hello_and_ends_with_the_link() {
    let dir = tempfile::tempdir().unwrap();
    let api = api(dir.path());
    let closing = api.closing.clone();
    let request = Request::get(WATCH_PATH).body(Body::empty()).unwrap();
    let mut body = router(api).oneshot(request).await.unwrap().into_body();
    let line = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert!(matches!(serde_json::from_slice(&line), Ok(Report::Hello(_))));
    closing.cancel();
    assert!(body.frame().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn use_is_sampled_while_somebody_watches() {
    let dir = tempfile::tempdir().unwrap();
    let api = api(dir.path());
    let request = Request::get(WATCH_PATH).body(Body::empty()).unwrap();
    let mut body = router(api.clone()).oneshot(request).await.unwrap().into_body();
    body.frame().await.unwrap().unwrap();
    let began = tokio::time::Instant::now();
    let line = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert!(matches!(serde_json::from_slice(&line), Ok(Report::Usage(_))));
    assert_eq!(began.elapsed(), USAGE_INTERVAL);
}

#[tokio::test]
async fn revocation_is_answered_and_noted() {
    let dir = tempfile::tempdir().unwrap();
    let api = api(dir.path());
    let (status, _) = answer(
        api.clone(),
        Request::post(REVOKED_PATH).body(Body::empty()).unwrap(),
    )
    .await;
    assert!(status == 200 && api.revoked.is_cancelled());
}
