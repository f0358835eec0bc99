//! Clients that are silent, slow or half closed are all ended in time, and delay no other client.

use super::rig::{Control, SOON};
use crate::{call, settings::Limits};
use bytes::Bytes;
use http::Request;
use rustls::{ClientConnection, pki_types::ServerName};
use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
    time::{interval, timeout},
};
use tokio_rustls::{TlsConnector, client::TlsStream};

/// How many of each kind there are at a time.
const EACH: usize = 30;

fn impatient() -> Limits {
    Limits {
        handshake: Duration::from_secs(2),
        head: Duration::from_secs(2),
        body: Duration::from_secs(2),
        ..Limits::default()
    }
}

#[derive(Debug, Clone, Copy)]
enum Stranger {
    Silent,
    TlsDrip,
    TlsThenSilent,
    HeadDrip,
    BodyDrip,
    /// Closes its sending half in the middle of the handshake and keeps the connection.
    HalfClosed,
    /// Gets an answer, then keeps the connection silent.
    Lingering,
}

const KINDS: [Stranger; 7] = [
    Stranger::Silent,
    Stranger::TlsDrip,
    Stranger::TlsThenSilent,
    Stranger::HeadDrip,
    Stranger::BodyDrip,
    Stranger::HalfClosed,
    Stranger::Lingering,
];

pub(super) fn name() -> ServerName<'static> {
    ServerName::try_from("127.0.0.1").unwrap()
}

pub(super) async fn trusted(address: SocketAddr, tls: Arc<rustls::ClientConfig>) -> TlsStream<TcpStream> {
    let stream = TcpStream::connect(address).await.unwrap();
    TlsConnector::from(tls).connect(name(), stream).await.unwrap()
}

fn client_hello(tls: Arc<rustls::ClientConfig>) -> Vec<u8> {
    let mut bytes = Vec::new();
    ClientConnection::new(tls, name())
        .unwrap()
        .write_tls(&mut bytes)
        .unwrap();
    bytes
}

/// Writes byte by byte until the far end closes; returns when the connection is over.
pub(super) async fn drip(stream: impl AsyncRead + AsyncWrite, bytes: &[u8]) {
    let (mut incoming, mut outgoing) = tokio::io::split(stream);
    let write = async {
        let mut tick = interval(Duration::from_millis(20));
        for byte in bytes.iter().cycle() {
            tick.tick().await;
            if outgoing.write_all(&[*byte]).await.is_err() || outgoing.flush().await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = write => {}
        () = end_of(&mut incoming) => {}
    }
}

pub(super) async fn end_of(mut stream: impl AsyncRead + Unpin) {
    let mut rest = Vec::new();
    // Both an end and an error count.
    let _ = stream.read_to_end(&mut rest).await;
}

impl Stranger {
    /// Acts until the far end closes the connection.
    async fn behave(self, address: SocketAddr, tls: Arc<rustls::ClientConfig>) {
        match self {
            Self::Silent => end_of(TcpStream::connect(address).await.unwrap()).await,
            Self::TlsDrip => {
                let hello = client_hello(tls);
                drip(TcpStream::connect(address).await.unwrap(), &hello).await;
            }
            Self::TlsThenSilent => end_of(trusted(address, tls).await).await,
            Self::HeadDrip => drip(trusted(address, tls).await, b"GET /hello HTTP/1.1\r\nx: ").await,
            Self::BodyDrip => {
                let mut stream = trusted(address, tls).await;
                let head = b"POST /body HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n";
                // A connection that is closed before it begins counts, too.
                let _ = stream.write_all(head).await;
                drip(stream, b"x").await;
            }
            Self::HalfClosed => {
                let hello = client_hello(tls);
                let mut stream = TcpStream::connect(address).await.unwrap();
                stream.write_all(&hello[..hello.len() / 2]).await.unwrap();
                stream.shutdown().await.unwrap();
                end_of(stream).await;
            }
            Self::Lingering => {
                let mut stream = trusted(address, tls).await;
                let _ = stream.write_all(b"GET /hello HTTP/1.1\r\nhost: x\r\n\r\n").await;
                end_of(stream).await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_strangers_are_all_ended_and_delay_no_good_handshake() {
    let control = Control::start(impatient());
    let mut strangers = JoinSet::new();
    for kind in KINDS {
        for _ in 0..EACH {
            let (address, tls) = (control.address, control.stranger_tls());
            strangers.spawn(async move {
                let ended = timeout(SOON, kind.behave(address, tls)).await;
                assert!(ended.is_ok(), "{kind:?} was never ended");
            });
        }
    }
    let target = control.target([control.endpoint()]);
    let mut took = Vec::new();
    for _ in 0..300 {
        let before = Instant::now();
        call(&target, Request::get("/hello").body(Bytes::new()).unwrap())
            .await
            .unwrap();
        took.push(before.elapsed());
    }
    took.sort();
    let p99 = took[took.len() * 99 / 100];
    println!(
        "beside {} strangers: p50 {:?} p99 {p99:?}",
        EACH * KINDS.len(),
        took[took.len() / 2]
    );
    assert!(p99 < Duration::from_millis(500), "{p99:?}");
    while let Some(stranger) = strangers.join_next().await {
        stranger.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_larger_than_16_kib_is_refused() {
    let control = Control::start(Limits::default());
    let mut stream = trusted(control.address, control.stranger_tls()).await;
    let head = format!(
        "GET /hello HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n",
        "y".repeat(40_000)
    );
    // The server may answer and close before it has read all of it.
    let _ = stream.write_all(head.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = timeout(SOON, stream.read_to_end(&mut answer)).await.unwrap();
    assert!(
        answer.is_empty() || answer.starts_with(b"HTTP/1.1 431"),
        "{}",
        String::from_utf8_lossy(&answer)
    );
}

#[test]
fn strangers_have_ten_seconds_for_each_step() {
    let limits = Limits::default();
    assert_eq!(
        [limits.handshake, limits.head, limits.body],
        [Duration::from_secs(10); 3]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_in_the_middle_of_a_handshake_does_not_keep_control_from_stopping() {
    let control = Control::start(Limits::default());
    let mut silent = TcpStream::connect(control.address).await.unwrap();
    let lingering = trusted(control.address, control.stranger_tls()).await;
    let before = Instant::now();
    control.stop.cancel();
    timeout(SOON, control.served).await.unwrap().unwrap();
    assert!(
        before.elapsed() < Duration::from_secs(3),
        "{:?}",
        before.elapsed()
    );
    end_of(&mut silent).await;
    end_of(lingering).await;
}
