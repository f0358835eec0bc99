//! Signing in and out: what a browser shows, what each half of it is worth, and for how long.

use super::*;
use crate::{access::LinkPurpose, testbed::API_PORT};
use flotilla_identity::ApiKey;
use flotilla_protocol::api::{ControlProof, List, SESSION_HEADER, SessionFacts, SessionOpened};

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

/// What a browser keeps of a session.
#[derive(Default)]
struct Browser {
    cookie: String,
    page: String,
}

impl Browser {
    fn headers(&self) -> [(&str, &str); 3] {
        [
            ("host", HOST),
            ("cookie", &self.cookie),
            (SESSION_HEADER, &self.page),
        ]
    }

    async fn get(&self, bed: &Testbed, path: &str) -> StatusCode {
        send(bed, "GET", path, &self.headers()).await.status()
    }

    async fn delete(&self, bed: &Testbed, path: &str) -> StatusCode {
        send(bed, "DELETE", path, &self.headers()).await.status()
    }
}

async fn json<T: serde::de::DeserializeOwned>(response: Response<Body>) -> T {
    let body = response.into_body().collect().await.unwrap().to_bytes();
    serde_json::from_slice(&body).unwrap_or_else(|error| panic!("{error}: {body:?}"))
}

/// Opens a link in a browser that may hold a session already.
async fn exchange(bed: &Testbed, link: &str, browser: &Browser) -> Response<Body> {
    let (_, code) = link.split_once("#code=").unwrap();
    let mut request = Request::post("/api/v1/session").header("user-agent", FIREFOX);
    for (name, value) in browser.headers() {
        request = request.header(name, value);
    }
    let body = Body::from(format!(r#"{{"code":"{code}"}}"#));
    bed.api().oneshot(request.body(body).unwrap()).await.unwrap()
}

async fn sign_in_again(bed: &Testbed, before: &Browser) -> Browser {
    let response = exchange(bed, &bed.core.sign_in_link(LinkPurpose::Request), before).await;
    assert_eq!(response.status(), StatusCode::OK);
    let cookie = response.headers()[header::SET_COOKIE]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(
        cookie.ends_with("; HttpOnly; SameSite=Strict")
            && cookie.starts_with(&format!("flotilla-{API_PORT}=")),
        "{cookie}"
    );
    let opened: SessionOpened = json(response).await;
    Browser {
        cookie: cookie.split(';').next().unwrap().to_owned(),
        page: opened.page_secret,
    }
}

async fn sign_in(bed: &Testbed) -> Browser {
    sign_in_again(bed, &Browser::default()).await
}

#[tokio::test]
async fn a_stolen_cookie_opens_no_route_and_neither_does_the_pages_secret() {
    let bed = Testbed::new().await;
    for route in table().iter().filter(|route| route.needs != Needs::Nothing) {
        let (method, path) = (route.method.as_str(), path(route));
        let browser = sign_in(&bed).await;
        let other = sign_in(&bed).await;
        let cookie = ("cookie", browser.cookie.as_str());
        let subprotocol = format!("flotilla.live, flotilla.session.{}", other.page);
        for stolen in [
            vec![cookie],
            vec![cookie, (SESSION_HEADER, "")],
            vec![cookie, (SESSION_HEADER, &other.page)],
            vec![cookie, ("sec-websocket-protocol", &subprotocol)],
            vec![(SESSION_HEADER, &browser.page)],
        ] {
            let headers: Vec<_> = [("host", HOST)].into_iter().chain(stolen).collect();
            let refused = send(&bed, method, &path, &headers).await;
            assert_eq!(code(refused).await, Code::Unauthenticated, "{method} {path}");
        }
        let status = send(&bed, method, &path, &browser.headers()).await.status();
        assert_ne!(status, StatusCode::UNAUTHORIZED, "{method} {path}");
    }
}

#[tokio::test]
async fn a_link_opens_one_session_which_ends_when_its_browser_signs_out() {
    let bed = Testbed::new().await;
    let link = bed.core.sign_in_link(LinkPurpose::Request);
    let fresh_browser = Browser::default();
    assert_eq!(
        exchange(&bed, &link, &fresh_browser).await.status(),
        StatusCode::OK
    );
    let again = exchange(&bed, &link, &fresh_browser).await;
    assert_eq!(code(again).await, Code::Unauthenticated, "a link works once");

    let browser = sign_in(&bed).await;
    assert_eq!(browser.get(&bed, "/api/v1/fleet").await, StatusCode::OK);
    assert_eq!(browser.delete(&bed, "/api/v1/session").await, StatusCode::OK);
    assert_eq!(browser.get(&bed, "/api/v1/fleet").await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_link_of_a_start_still_works_after_twenty_minutes_and_a_later_one_says_how_to_get_another() {
    let bed = Testbed::new().await;
    let (start, requested) = (
        bed.core.sign_in_link(LinkPurpose::Start),
        bed.core.sign_in_link(LinkPurpose::Request),
    );
    bed.clock.advance(20 * 60);
    let fresh_browser = Browser::default();
    assert_eq!(
        exchange(&bed, &start, &fresh_browser).await.status(),
        StatusCode::OK
    );
    let late: Problem = json(exchange(&bed, &requested, &fresh_browser).await).await;
    assert_eq!(late.code, Code::Unauthenticated);
    assert!(late.message.contains("`flotilla open`"), "{}", late.message);
}

#[tokio::test]
async fn whoever_shows_the_token_gets_a_link_that_signs_a_browser_in() {
    let bed = Testbed::new().await;
    let link: flotilla_protocol::api::SignInLink = bed.post("/session/link", "{}").await;
    assert!(
        link.url.starts_with("http://127.0.0.1:7440/#code="),
        "{}",
        link.url
    );
    assert_eq!(
        exchange(&bed, &link.url, &Browser::default()).await.status(),
        StatusCode::OK
    );
}

#[tokio::test]
async fn sessions_are_listed_and_one_browser_can_sign_another_out() {
    let bed = Testbed::new().await;
    let (own, other) = (sign_in(&bed).await, sign_in(&bed).await);
    let list = async || {
        let response = send(&bed, "GET", "/api/v1/sessions", &own.headers()).await;
        json::<List<SessionFacts>>(response).await.items
    };
    let listed = list().await;
    let current: Vec<_> = listed.iter().map(|session| session.current).collect();
    assert_eq!(current, [false, true], "newest first");
    assert_eq!(listed[0].place, "Firefox on Linux");

    let path = format!("/api/v1/sessions/{}", listed[0].id);
    assert_eq!(own.delete(&bed, &path).await, StatusCode::OK);
    assert_eq!(own.delete(&bed, &path).await, StatusCode::NOT_FOUND);
    assert_eq!(other.get(&bed, "/api/v1/fleet").await, StatusCode::UNAUTHORIZED);
    assert_eq!(list().await.len(), 1);

    bed.clock.advance(12 * 3600);
    assert_eq!(
        own.get(&bed, "/api/v1/fleet").await,
        StatusCode::UNAUTHORIZED,
        "idle"
    );
}

#[tokio::test]
async fn a_browser_that_signs_in_again_does_not_leave_its_session_behind() {
    let bed = Testbed::new().await;
    let before = sign_in(&bed).await;
    let browser = sign_in_again(&bed, &before).await;
    assert_eq!(before.get(&bed, "/api/v1/fleet").await, StatusCode::UNAUTHORIZED);
    assert_eq!(browser.get(&bed, "/api/v1/fleet").await, StatusCode::OK);
    assert_eq!(bed.core.access.sessions(bed.core.clock.now()).len(), 1);
}

#[tokio::test]
async fn control_proves_to_anybody_that_it_knows_the_token_at_its_own_address() {
    let bed = Testbed::new().await;
    let ask = async |nonce: &str| {
        let body = format!(r#"{{"nonce":"{nonce}"}}"#);
        let request = Request::post("/api/v1/proof").header("host", HOST);
        bed.api()
            .oneshot(request.body(Body::from(body)).unwrap())
            .await
            .unwrap()
    };
    let nonce = ApiKey::nonce();
    let answer: ControlProof = json(ask(&nonce).await).await;
    let key = ApiKey::of_token(&bed.token);
    assert!(key.is_proof(&answer.proof, &nonce, bed.core.api_addr));
    assert!(!answer.proof.contains(&bed.token));
    assert_eq!(code(ask("short").await).await, Code::InvalidInput);
}

#[tokio::test]
async fn a_page_under_another_name_of_this_computer_is_found_at_controls_own_address() {
    let bed = Testbed::new().await;
    for host in ["localhost:7440", "[::1]:7440"] {
        let response = send(&bed, "GET", "/devices?q=nas", &[("host", host)]).await;
        assert_eq!(response.status(), StatusCode::TEMPORARY_REDIRECT);
        assert_eq!(
            response.headers()[header::LOCATION],
            "http://127.0.0.1:7440/devices?q=nas"
        );
    }
}
