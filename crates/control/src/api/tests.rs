//! What holds for every route of the API port, taken from the table of routes itself.

pub(crate) mod numbers;
mod scope;
mod sessions;

use super::{
    route::{Needs, Route},
    table::table,
};
use crate::{config::Ui, testbed::Testbed};
use axum::body::Body;
use flotilla_protocol::{Code, Problem, api::PREFIX};
use http::{Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use tower::ServiceExt;

const HOST: &str = "127.0.0.1:7440";

fn path(route: &Route) -> String {
    let parts = route
        .path
        .split('/')
        .map(|part| if part.starts_with('{') { "x" } else { part });
    format!("{PREFIX}{}", parts.collect::<Vec<_>>().join("/"))
}

async fn send(bed: &Testbed, method: &str, path: &str, headers: &[(&str, &str)]) -> Response<Body> {
    let request = headers.iter().fold(
        Request::builder().method(method).uri(path),
        |request, (name, value)| request.header(*name, *value),
    );
    bed.api()
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap()
}

async fn code(response: Response<Body>) -> Code {
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let problem: Problem = serde_json::from_slice(&body).unwrap_or_else(|_| panic!("{status}: {body:?}"));
    assert_eq!(problem.code.status(), status.as_u16());
    problem.code
}

#[tokio::test]
async fn every_route_refuses_the_anonymous_and_a_wrong_token() {
    let bed = Testbed::new().await;
    let good = format!("Bearer {}", bed.token);
    let mut checked = 0;
    for route in table() {
        let (method, path) = (route.method.as_str(), path(&route));
        if route.needs != Needs::Nothing {
            assert_eq!(
                code(send(&bed, method, &path, &[("host", HOST)]).await).await,
                Code::Unauthenticated,
                "{path}"
            );
            for wrong in [
                "Bearer x",
                "Bearer ",
                "Basic x",
                good.trim_end_matches(char::is_alphanumeric),
            ] {
                let headers = [("host", HOST), ("authorization", wrong)];
                assert_eq!(
                    code(send(&bed, method, &path, &headers).await).await,
                    Code::Unauthenticated,
                    "{path}"
                );
            }
        }
        checked += 1;
    }
    assert!(checked > 20, "the table has {checked} routes");
}

#[tokio::test]
async fn every_route_refuses_a_foreign_host_and_a_foreign_origin() {
    let bed = Testbed::new().await;
    let good = format!("Bearer {}", bed.token);
    for route in table() {
        let (method, path) = (route.method.as_str(), path(&route));
        for host in [
            "evil.example:7440",
            "127.0.0.1:80",
            "127.0.0.1",
            "127.0.0.1.evil.example:7440",
            "",
        ] {
            let headers = [("host", host), ("authorization", &good)];
            assert_eq!(
                code(send(&bed, method, &path, &headers).await).await,
                Code::ForeignOrigin,
                "{path} {host}"
            );
        }
        for origin in [
            "https://evil.example",
            "null",
            "http://127.0.0.1:80",
            "https://127.0.0.1:7440",
            "http://localhost",
        ] {
            let headers = [("host", HOST), ("origin", origin), ("authorization", &good)];
            assert_eq!(
                code(send(&bed, method, &path, &headers).await).await,
                Code::ForeignOrigin,
                "{path} {origin}"
            );
        }
    }
}

#[tokio::test]
async fn every_route_lets_the_owner_pass_the_door() {
    let bed = Testbed::new().await;
    let good = format!("Bearer {}", bed.token);
    for route in table() {
        for host in [HOST, "localhost:7440", "[::1]:7440"] {
            let origin = format!("http://{host}");
            let headers = [("host", host), ("authorization", &*good), ("origin", &*origin)];
            let status = send(&bed, route.method.as_str(), &path(&route), &headers)
                .await
                .status();
            assert!(
                route.needs == Needs::Nothing || status != StatusCode::UNAUTHORIZED,
                "{}",
                route.path
            );
            assert_ne!(status, StatusCode::FORBIDDEN, "{}", route.path);
            assert!(!status.is_server_error(), "{} {status}", route.path);
        }
    }
}

#[tokio::test]
async fn what_is_not_served_is_not_found_and_never_a_page() {
    let bed = Testbed::new().await;
    for (method, path) in [
        ("GET", "/api"),
        ("GET", "/api/v1/nothing"),
        ("POST", "/api/v2/devices"),
        ("PUT", "/api/v1/fleet"),
        ("POST", "/"),
        ("GET", "/app.js"),
    ] {
        assert_eq!(
            code(send(&bed, method, path, &[("host", HOST)]).await).await,
            Code::NotFound,
            "{method} {path}"
        );
    }
}

#[tokio::test]
async fn only_health_and_the_page_are_open_and_figures_need_the_token() {
    let bed = Testbed::new().await;
    assert_eq!(
        send(&bed, "GET", "/healthz", &[("host", HOST)]).await.status(),
        StatusCode::OK
    );
    assert_eq!(
        code(send(&bed, "GET", "/healthz", &[("host", "evil.example")]).await).await,
        Code::ForeignOrigin
    );
    assert_eq!(
        code(send(&bed, "GET", "/metrics", &[("host", HOST)]).await).await,
        Code::Unauthenticated
    );
    let good = format!("Bearer {}", bed.token);
    let figures = send(
        &bed,
        "GET",
        "/metrics",
        &[("host", HOST), ("authorization", &good)],
    )
    .await;
    let text = figures.into_body().collect().await.unwrap().to_bytes();
    let text = String::from_utf8(text.to_vec()).unwrap();
    assert!(
        text.contains("flotilla_devices{status=\"online\"} 0\n") && text.contains("\nflotilla_links 0\n"),
        "{text}"
    );
}

#[tokio::test]
async fn the_bundle_is_served_under_a_strict_policy() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("index.html"), "<!doctype html>page").unwrap();
    std::fs::write(dir.path().join("app_bg-0123456789ab.wasm"), "wasm").unwrap();
    let bed = Testbed::with(Ui::Dir(dir.path().to_owned()), vec![]).await;
    for page in ["/", "/devices", "/containers/nas/my.app"] {
        let response = send(&bed, "GET", page, &[("host", HOST)]).await;
        let policy = response.headers()[header::CONTENT_SECURITY_POLICY]
            .to_str()
            .unwrap()
            .to_owned();
        let scripts = policy
            .split(';')
            .find(|part| part.trim().starts_with("script-src"))
            .unwrap();
        assert!(
            !scripts.contains("unsafe-inline")
                && !policy.contains("unsafe-eval'; script")
                && scripts.contains("wasm-unsafe-eval")
        );
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-cache", "{page}");
        assert_eq!(
            response.headers()[header::CONTENT_TYPE],
            "text/html; charset=utf-8"
        );
    }
    let wasm = send(&bed, "GET", "/app_bg-0123456789ab.wasm", &[("host", HOST)]).await;
    assert_eq!(wasm.headers()[header::CONTENT_TYPE], "application/wasm");
    assert!(
        wasm.headers()[header::CACHE_CONTROL]
            .to_str()
            .unwrap()
            .contains("immutable")
    );
    assert_eq!(
        code(send(&bed, "GET", "/app-000000000000.js", &[("host", HOST)]).await).await,
        Code::NotFound
    );
}

#[tokio::test]
async fn without_a_bundle_the_page_says_how_to_build_it() {
    let bed = Testbed::new().await;
    let response = send(&bed, "GET", "/", &[("host", HOST)]).await;
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert!(
        String::from_utf8(body.to_vec())
            .unwrap()
            .contains("cargo xtask ui")
    );
}
