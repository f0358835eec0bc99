//! The router alone, called without a link.

use super::*;
use axum::http::Request;
use flotilla_engine::{OwnContainer, Sockets};
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

fn api(dir: &std::path::Path) -> Api {
    let state = Arc::new(StateDir::open(dir).unwrap());
    let clock = AgentClock::new(None);
    Api {
        engine: Engine::new(Sockets::at(dir.join("docker.sock")), OwnContainer::default()),
        mesh: crate::mesh::samples::mesh(state.clone(), clock.clone()),
        state,
        clock,
        reach: tokio::sync::watch::channel(Vec::new()).1,
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
        ("/v1/containers/c1/pod", 400, "invalid_input"),
        ("/v1/mode", 400, "invalid_input"),
        ("/v1/unheard-of", 404, "not_found"),
        ("/v1/settings", 400, "invalid_input"),
        ("/v1/map", 400, "invalid_input"),
        (
            "/v1/paths/01937c5e-7b1a-7c3e-8b9e-0123456789bb/test",
            404,
            "not_found",
        ),
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
async fn use_is_sampled_at_once_and_then_while_somebody_watches() {
    let dir = tempfile::tempdir().unwrap();
    let api = api(dir.path());
    let request = Request::get(WATCH_PATH).body(Body::empty()).unwrap();
    let mut body = router(api.clone()).oneshot(request).await.unwrap().into_body();
    let began = tokio::time::Instant::now();
    for (expected, after) in [
        ("hello", Duration::ZERO),
        ("mesh", Duration::ZERO),
        ("usage", FIRST_USAGE),
        ("usage", FIRST_USAGE + USAGE_INTERVAL),
    ] {
        let line = body.frame().await.unwrap().unwrap().into_data().unwrap();
        let report: serde_json::Value = serde_json::from_slice(&line).unwrap();
        assert_eq!(
            (report["report"].as_str(), began.elapsed()),
            (Some(expected), after)
        );
    }
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

#[tokio::test]
async fn a_map_that_was_taken_is_answered_and_shows_in_the_watch() {
    let dir = tempfile::tempdir().unwrap();
    let api = api(dir.path());
    let push = MapPush::Whole(crate::mesh::samples::map(7));
    let request = Request::post(MAP_PATH)
        .header(CONTENT_TYPE, "application/json")
        .body(Body::from(serde_json::to_vec(&push).unwrap()))
        .unwrap();
    let (status, taken) = answer(api.clone(), request).await;
    assert_eq!((status, taken["revision"].as_u64()), (200, Some(7)));
    let request = Request::get(WATCH_PATH).body(Body::empty()).unwrap();
    let mut body = router(api.clone()).oneshot(request).await.unwrap().into_body();
    loop {
        let line = body.frame().await.unwrap().unwrap().into_data().unwrap();
        if let Report::Mesh(report) = serde_json::from_slice(&line).unwrap() {
            assert_eq!(report.revision, 7);
            break;
        }
    }
}
