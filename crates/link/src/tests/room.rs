//! Strangers that are many, that stay, or that keep asking take no place from clients with access.

use super::{
    rig::{Control, SOON, device_id, introduction},
    strangers::{drip, end_of, trusted},
};
use crate::{
    Admission, Backoff, Target, call,
    capacity::Capacity,
    dial, listen, open,
    port::serve_local_within,
    settings::{self, Limits},
};
use axum::{
    Extension, Router,
    extract::WebSocketUpgrade,
    response::Response,
    routing::{any, get},
};
use bytes::Bytes;
use http::Request;
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::{interval, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

const ROOM: Capacity = Capacity {
    strangers: 32,
    guests: 8,
};

/// Ten times as many as there is room for.
const CROWD: usize = 320;

/// A WebSocket whose caller is admitted by its first message, and which sends back what it is sent.
pub(super) async fn let_in(Extension(admission): Extension<Admission>, socket: WebSocketUpgrade) -> Response {
    socket.on_upgrade(async move |mut socket| {
        while let Some(Ok(message)) = socket.recv().await {
            admission.admit(device_id());
            if socket.send(message).await.is_err() {
                return;
            }
        }
    })
}

/// A connection from another address of this computer.
async fn from(source: [u8; 4], to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from((source, 0))).unwrap();
    socket.connect(to).await.unwrap()
}

/// Requests a missing page again and again until the far end closes; returns how often.
async fn keep_asking(mut stream: impl AsyncRead + AsyncWrite + Unpin, pause: Duration) -> u32 {
    let (mut asked, mut pauses, mut answer) = (0, interval(pause), vec![0; 1024]);
    loop {
        pauses.tick().await;
        let sent = stream
            .write_all(b"GET /nothing HTTP/1.1\r\nhost: x\r\n\r\n")
            .await;
        if sent.is_err() || !matches!(stream.read(&mut answer).await, Ok(1..)) {
            return asked;
        }
        asked += 1;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_of_idle_connections_costs_the_links_nothing_and_newcomers_little() {
    let control = Control::start_in(ROOM, Limits::default());
    let target = control.target([control.endpoint()]);
    let held = dial(&target, &introduction()).await.unwrap();
    let link = control.next_link().await;
    // From one address, the device's own, and then from many.
    for source in [
        |_| [127, 0, 0, 1],
        |number: usize| [127, 0, 1 + (number / 200) as u8, 1 + (number % 200) as u8],
    ] {
        let mut crowd = Vec::new();
        for number in 0..CROWD {
            crowd.push(from(source(number), control.address).await);
        }
        let begun = Instant::now();
        call(&target, Request::get("/hello").body(Bytes::new()).unwrap())
            .await
            .unwrap();
        let took = begun.elapsed();
        println!("beside {CROWD} idle connections: a call in {took:?}");
        assert!(took < Duration::from_secs(10), "{took:?}");
    }
    assert!(!link.is_closed());
    drop(held);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_is_refused_again_and_again_is_ended() {
    let control = Control::start(Limits::default());
    let stream = trusted(control.address, control.stranger_tls()).await;
    let asked = timeout(SOON, keep_asking(stream, Duration::from_millis(1)))
        .await
        .unwrap();
    assert_eq!(asked, settings::MAX_REFUSALS);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_that_asks_now_and_then_is_ended_and_a_client_that_was_let_in_is_not() {
    let limits = Limits {
        stranger: Duration::from_secs(2),
        ..Limits::default()
    };
    let control = Control::start(limits);
    let held = dial(&control.target([control.endpoint()]), &introduction())
        .await
        .unwrap();
    let link = control.next_link().await;
    let target = Target {
        tls: control.stranger_tls(),
        ..control.target([control.endpoint()])
    };
    let (mut out, mut into) = open(&target, "/let-in").await.unwrap().split();
    out.send([Bytes::from_static(b"my ticket")]).await.unwrap();
    into.next().await.unwrap();
    let upgraded = async {
        let (_out, mut into) = open(&target, "/echo").await.unwrap().split();
        into.next().await.unwrap_err();
    };
    let asking = async {
        let stream = trusted(control.address, control.stranger_tls()).await;
        keep_asking(stream, Duration::from_millis(900)).await
    };
    let (asked, ()) = timeout(SOON, async { tokio::join!(asking, upgraded) })
        .await
        .unwrap();
    assert!(asked < settings::MAX_REFUSALS, "{asked}");
    assert!(!link.is_closed());
    out.send([Bytes::from_static(b"still here")]).await.unwrap();
    assert_eq!(
        timeout(SOON, into.next()).await.unwrap().unwrap(),
        "still here".as_bytes()
    );
    drop(held);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_of_two_hundred_devices_behind_one_address_is_let_in() {
    let capacity = Capacity {
        strangers: 64,
        guests: 220,
    };
    let control = Control::start_in(capacity, Limits::default());
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..200_u32 {
        let target = control.target_of(number, [control.endpoint()]);
        tasks.spawn(async move {
            let mut backoff = Backoff::default();
            loop {
                if let Ok(link) = dial(&target, &introduction()).await {
                    return link;
                }
                let pause = backoff.handle_down(Instant::now(), &mut rand::rng());
                sleep(pause).await;
            }
        });
    }
    let mut held = Vec::new();
    while let Some(link) = timeout(SOON, tasks.join_next()).await.unwrap() {
        held.push(link.unwrap());
    }
    let mut links = Vec::new();
    for _ in 0..held.len() {
        links.push(control.next_link().await);
    }
    assert_eq!(links.iter().filter(|link| !link.is_closed()).count(), 200);
}

/// A port for this computer alone, with a page and a WebSocket of the page.
fn local(limits: Limits) -> (SocketAddr, CancellationToken) {
    let live = any(async |socket: WebSocketUpgrade| {
        socket.on_upgrade(async |mut socket| while let Some(Ok(_)) = socket.recv().await {})
    });
    let router = Router::new()
        .route("/api/v1/live", live)
        .route("/healthz", get(async || "ok\n"));
    let listener = listen(([127, 0, 0, 1], 0).into()).unwrap();
    let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
    tokio::spawn(serve_local_within(listener, router, stop.clone(), (limits, ROOM)));
    (address, stop)
}

/// The head of an answer.
async fn ask(stream: &mut TcpStream, head: &str) -> String {
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(answer).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_this_computer_lives_beside_a_crowd_on_its_port() {
    let limits = Limits {
        stranger: Duration::from_secs(2),
        head: Duration::from_secs(2),
        ..Limits::local()
    };
    let (address, _stop) = local(limits);
    let mut page = TcpStream::connect(address).await.unwrap();
    let upgrade = "GET /api/v1/live HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
                   sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    assert!(ask(&mut page, upgrade).await.starts_with("HTTP/1.1 101"));
    let mut crowd = Vec::new();
    for _ in 0..CROWD {
        crowd.push(TcpStream::connect(address).await.unwrap());
    }
    let mut other = TcpStream::connect(address).await.unwrap();
    let begun = Instant::now();
    let health = "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";
    assert!(ask(&mut other, health).await.starts_with("HTTP/1.1 200"));
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    let ended = async {
        for stream in crowd {
            end_of(stream).await;
        }
        drip(other, b"GET /healthz HTTP/1.1\r\nx: ").await;
    };
    timeout(SOON, ended).await.unwrap();
    // A WebSocket ping, and its pong.
    page.write_all(&[0x89, 0x80, 0, 0, 0, 0]).await.unwrap();
    let mut pong = [0; 2];
    timeout(SOON, page.read_exact(&mut pong)).await.unwrap().unwrap();
    assert_eq!(pong, [0x8A, 0]);
}
