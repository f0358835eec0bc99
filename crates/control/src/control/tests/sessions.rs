//! The live stream over a real socket: which requests get it, and when it ends.

use super::*;
use crate::store::ApiTokenRow;
use flotilla_identity::{ApiKey, ApiToken};
use flotilla_protocol::api::{Grant, List, Role, Scope, SessionFacts};
use std::collections::BTreeSet;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Reads the status line and headers of an answer.
async fn head(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    while !read.ends_with(b"\r\n\r\n") {
        read.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(read).unwrap().to_lowercase()
}

async fn upgrade(control: &Control, headers: &str) -> (String, TcpStream) {
    let address = control.ready.api.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "GET /api/v1/live HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\nConnection: Upgrade\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    (head(&mut stream).await, stream)
}

#[tokio::test]
async fn the_live_stream_wants_both_halves_and_ends_with_the_session() {
    let dir = tempfile::tempdir().unwrap();
    let control = Control::start(config(dir.path())).await.unwrap();
    let access = &control.core.access;
    let now = control.core.clock.now();
    let code = access.open_code(LinkPurpose::Request, now);
    let opened = access.open_session(code.reveal(), "here".into(), now).unwrap();
    let name = format!("flotilla-{}", control.core.api_addr.port());
    let cookie = format!("Cookie: {name}={}\r\n", opened.cookie.reveal());
    let protocols =
        |page: &str| format!("Sec-WebSocket-Protocol: flotilla.live, flotilla.session.{page}\r\n");

    for stolen in [
        cookie.clone(),
        format!("{cookie}Sec-WebSocket-Protocol: flotilla.live\r\n"),
        format!("{cookie}{}", protocols("x")),
        protocols(opened.page.reveal()),
    ] {
        let (answer, _) = upgrade(&control, &stolen).await;
        assert!(answer.starts_with("http/1.1 401"), "{answer}");
    }
    let whole = format!("{cookie}{}", protocols(opened.page.reveal()));
    let (answer, live) = upgrade(&control, &whole).await;
    assert!(answer.starts_with("http/1.1 101"), "{answer}");
    assert!(
        answer.contains("sec-websocket-protocol: flotilla.live\r\n"),
        "{answer}"
    );
    assert!(!answer.contains(&opened.page.reveal().to_lowercase()), "{answer}");

    let listed: List<SessionFacts> =
        serde_json::from_value(control.ask("GET", "/sessions", "").await).unwrap();
    control
        .ask("DELETE", &format!("/sessions/{}", listed.items[0].id), "")
        .await;
    let rest = rest_within(Duration::from_secs(2), live).await;
    assert!(rest.contains("the session is over"), "{rest}");
    control.shutdown().await;
}

/// Reads a live stream to its end; fails when that takes longer.
async fn rest_within(limit: Duration, mut live: TcpStream) -> String {
    let mut rest = Vec::new();
    let ended = timeout(limit, live.read_to_end(&mut rest)).await;
    assert!(ended.is_ok(), "the stream outlived what opened it");
    String::from_utf8_lossy(&rest).into_owned()
}

#[tokio::test]
async fn the_live_stream_of_a_program_ends_with_its_token() {
    let dir = tempfile::tempdir().unwrap();
    let control = Control::start(config(dir.path())).await.unwrap();
    let revoked = control.ask("POST", "/tokens", r#"{"name":"ci"}"#).await;
    let authorization = |token: &str| format!("Authorization: Bearer {token}\r\n");
    let revoked = authorization(revoked["token"].as_str().unwrap());
    let (answer, live) = upgrade(&control, &revoked).await;
    assert!(answer.starts_with("http/1.1 101"), "{answer}");
    control.ask("DELETE", "/tokens/ci", "").await;
    let rest = rest_within(Duration::from_secs(2), live).await;
    assert!(rest.contains("the token is over"), "{rest}");
    let (answer, _) = upgrade(&control, &revoked).await;
    assert!(answer.starts_with("http/1.1 401"), "{answer}");

    // One that expires in a moment.
    let secret = ApiToken::generate();
    let now = control.core.clock.now();
    control.core.access.add_token(ApiTokenRow {
        id: secret.id().to_owned(),
        name: "brief".parse().unwrap(),
        hash: ApiKey::hash(secret.reveal()),
        grant: Grant {
            roles: [Role::Viewer].into(),
            verbs: BTreeSet::new(),
            scope: Scope::All,
        },
        created: now,
        expires: now + Duration::from_secs(1),
        last_used: None,
    });
    let (answer, live) = upgrade(&control, &authorization(secret.reveal())).await;
    assert!(answer.starts_with("http/1.1 101"), "{answer}");
    let rest = rest_within(Duration::from_secs(1 + 2), live).await;
    assert!(rest.contains("the token is over"), "{rest}");
    control.shutdown().await;
}

#[tokio::test]
async fn what_an_unclean_end_left_behind_is_gone_before_the_next_start_listens() {
    let dir = tempfile::tempdir().unwrap();
    let stale = dir.path().join(API_FILE);
    std::fs::write(&stale, "{}").unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let config = ControlConfig {
        api_addr: taken.local_addr().unwrap(),
        ..config(dir.path())
    };
    let refused = Control::start(config).await.unwrap_err();
    assert!(matches!(refused, StartError::ApiPortTaken { .. }), "{refused}");
    assert!(!stale.exists());
}
