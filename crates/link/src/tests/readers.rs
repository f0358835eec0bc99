//! Clients of the fleet port that take their answer slowly, or not at all.

use super::{
    rig::{Control, SOON, eventually},
    strangers::name,
};
use crate::settings::Limits;
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpSocket,
    time::{Instant, interval, timeout},
};
use tokio_rustls::{TlsConnector, client::TlsStream};

const PATIENCE: Duration = Duration::from_secs(4);

fn impatient() -> Limits {
    Limits {
        patience: PATIENCE,
        ..Limits::default()
    }
}

/// Asks for an endless answer, with a small receive buffer.
async fn asked(control: &Control) -> TlsStream<tokio::net::TcpStream> {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(16 * 1024).unwrap();
    let stream = socket.connect(control.address).await.unwrap();
    let connector = TlsConnector::from(control.stranger_tls());
    let mut stream = connector.connect(name(), stream).await.unwrap();
    stream
        .write_all(b"GET /flood HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_stops_reading_is_ended() {
    let control = Control::start(impatient());
    let begun = Instant::now();
    let mut stream = asked(&control).await;
    eventually("the answer begins", || control.seen.alive() == 1).await;
    eventually("the answer is dropped", || control.seen.alive() == 0).await;
    assert!(begun.elapsed() >= PATIENCE, "after {:?}", begun.elapsed());
    let mut rest = Vec::new();
    let end = timeout(SOON, stream.read_to_end(&mut rest)).await.unwrap();
    assert!(end.is_err(), "the answer has no end, so its end is an error");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_reads_50_kb_a_second_gets_all_the_time_it_needs() {
    let control = Control::start(impatient());
    let mut stream = asked(&control).await;
    let begun = Instant::now();
    let mut tick = interval(Duration::from_millis(100));
    let mut buffer = [0; 5_000];
    while begun.elapsed() < PATIENCE * 2 {
        tick.tick().await;
        timeout(SOON, stream.read_exact(&mut buffer))
            .await
            .unwrap()
            .unwrap();
    }
    assert_eq!(control.seen.alive(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_takes_a_few_bytes_now_and_then_is_ended() {
    let control = Control::start(impatient());
    let mut stream = asked(&control).await;
    eventually("the answer begins", || control.seen.alive() == 1).await;
    let drip = async {
        let mut tick = interval(Duration::from_millis(100));
        let mut buffer = [0; 100];
        while stream.read_exact(&mut buffer).await.is_ok() {
            tick.tick().await;
        }
    };
    tokio::select! {
        () = drip => {}
        () = eventually("the answer is dropped", || control.seen.alive() == 0) => {}
    }
    assert_eq!(control.seen.alive(), 0);
}

#[test]
fn a_client_may_fall_half_a_minute_behind() {
    assert_eq!(Limits::default().patience, Duration::from_secs(30));
}
