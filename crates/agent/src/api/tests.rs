//! The router alone, called without a link.

use super::{
    watch::{FIRST_USAGE, USAGE_INTERVAL},
    *,
};
use axum::{
    body::Body,
    http::{Request, header::CONTENT_TYPE},
};
use flotilla_engine::{OwnContainer, Sockets};
use flotilla_protocol::{
    agent::{Report, Settings},
    job::{FollowJob, JobState},
    mesh::MapPush,
    stream::{End, Event, Frame, Reader},
};
use http_body_util::BodyExt as _;
use std::time::Duration;
use tower::ServiceExt as _;

fn api(dir: &std::path::Path) -> Api {
    let state = Arc::new(StateDir::open(dir).unwrap());
    let clock = AgentClock::new(None);
    let engine = Engine::new(Sockets::at(dir.join("docker.sock")), OwnContainer::default());
    Api {
        jobs: Jobs::open(dir, engine.clone()),
        engine,
        mesh: crate::mesh::samples::mesh(state.clone(), clock.clone()),
        state,
        clock,
        trials: tokio::sync::watch::channel(Vec::new()).1,
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

#[path = "../../../protocol/tests/corpus/next.rs"]
mod next;

#[tokio::test]
async fn a_newer_controls_settings_and_maps_are_taken_with_what_is_known_of_them() {
    let dir = tempfile::tempdir().unwrap();
    let api = api(dir.path());
    let settings = include_str!("../../../protocol/tests/corpus/1/settings.json");
    let maps = include_str!("../../../protocol/tests/corpus/1/map_push.json");
    for (path, corpus, least) in [(SETTINGS_PATH, settings, 5), (MAP_PATH, maps, 20)] {
        let messages: Vec<serde_json::Value> = serde_json::from_str(corpus).unwrap();
        let mut taken = 0;
        for message in &messages {
            let edited = next::reworded(message)
                .into_iter()
                .chain(next::shortened(message));
            let edited = edited.map(|variant| (variant.place, variant.message));
            for (place, message) in edited.chain([("everywhere".to_owned(), next::extended(message))]) {
                let readable = match path {
                    MAP_PATH => serde_json::from_value::<MapPush>(message.clone()).is_ok(),
                    _ => serde_json::from_value::<Settings>(message.clone()).is_ok(),
                };
                if !readable {
                    assert_ne!(place, "everywhere", "{path}");
                    continue;
                }
                let request = Request::post(path)
                    .header(CONTENT_TYPE, "application/json")
                    .body(Body::from(message.to_string()))
                    .unwrap();
                let (status, answer) = answer(api.clone(), request).await;
                assert_eq!(status, 200, "{path} {place}: {answer}");
                taken += 1;
            }
        }
        assert!(taken >= least, "{taken} of {path}");
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
async fn use_is_sampled_at_once_and_then_while_control_watches() {
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

#[tokio::test(start_paused = true)]
async fn a_job_is_begun_at_once_and_followed_and_forgotten_by_its_id() {
    let dir = tempfile::tempdir().unwrap();
    let api = api(dir.path());
    let path = "/v1/jobs/01937c5e-7b1a-7c3e-8b9e-0123456789bb";
    let call = async |method: &str, path: &str, body: &'static str| {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(CONTENT_TYPE, "application/json");
        answer(api.clone(), request.body(Body::from(body)).unwrap()).await
    };
    let begun = call(
        "PUT",
        path,
        r#"{"kind":"placement","container":"c1","member":true}"#,
    )
    .await;
    assert_eq!((begun.0, begun.1["state"].as_str()), (200, Some("running")));
    let (status, problem) = call("PUT", path, r#"{"kind":"mode_change","mode":"host"}"#).await;
    assert_eq!((status, problem["code"].as_str()), (409, Some("conflict")));
    let (_, held) = call("POST", "/v1/containers/c1/stop", "").await;
    assert_eq!(held["code"].as_str(), Some("conflict"), "{held}");

    let progress = format!("{path}/progress");
    let wanted = Frame::open::<JobProgress>(&FollowJob::default()).unwrap();
    let follow = || Request::post(&progress).body(Body::from(wanted.to_bytes().unwrap()));
    let response = router(api.clone()).oneshot(follow().unwrap()).await.unwrap();
    let mut reader = Reader::<JobProgress>::new(FollowJob::default());
    reader.handle_bytes(&response.into_body().collect().await.unwrap().to_bytes());
    let events: Vec<_> = std::iter::from_fn(|| reader.poll_event()).collect();
    let Some(Event::End(End::Finished { outcome })) = events.last() else {
        panic!("{events:?}");
    };
    assert_eq!(outcome.state, JobState::Failed);
    assert_eq!(call("GET", JOBS_PATH, "").await.1.as_array().unwrap().len(), 1);
    assert_eq!(call("DELETE", path, "").await.1["state"].as_str(), Some("failed"));
    assert_eq!(answer(api.clone(), follow().unwrap()).await.0, 404);
    let (status, problem) = call("POST", &progress, "{}").await;
    assert_eq!((status, problem["code"].as_str()), (400, Some("invalid_input")));
    assert_eq!(call("GET", JOBS_PATH, "").await.1, serde_json::json!([]));
    assert_eq!(call("PUT", path, "{}").await.0, 400);
}
