//! The adapter between two WebSockets in memory.

use super::*;
use crate::settings;
use futures_util::{SinkExt, StreamExt};
use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, protocol::Role},
};

type Raw = WebSocketStream<DuplexStream>;

async fn pair() -> (Raw, Raw) {
    let (near, far) = duplex(64 * 1024);
    let config = Some(settings::web_socket());
    (
        WebSocketStream::from_raw_socket(near, Role::Client, config).await,
        WebSocketStream::from_raw_socket(far, Role::Server, config).await,
    )
}

fn io(socket: Raw) -> WsIo<Raw, Message> {
    WsIo::new(socket)
}

#[tokio::test]
async fn a_frame_and_its_head_travel_in_one_message() {
    let (near, mut far) = pair().await;
    let mut near = io(near);
    near.write_all(&[1; 9]).await.unwrap();
    near.write_all(&[2; 16 * 1024]).await.unwrap();
    near.flush().await.unwrap();
    let message = far.next().await.unwrap().unwrap();
    assert_eq!(message.len(), 9 + 16 * 1024);
}

#[tokio::test]
async fn an_idle_link_holds_no_buffer() {
    let (near, far) = pair().await;
    let (mut near, mut far) = (io(near), io(far));
    near.write_all(b"ping").await.unwrap();
    near.flush().await.unwrap();
    let mut heard = [0; 4];
    far.read_exact(&mut heard).await.unwrap();
    assert_eq!(near.outgoing.capacity(), 0);
    assert!(far.incoming.is_empty());
}

#[tokio::test]
async fn a_text_message_is_an_error() {
    let (mut near, far) = pair().await;
    near.send(Message::text("hello")).await.unwrap();
    let error = io(far).read_u8().await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
}

#[tokio::test]
async fn a_message_larger_than_agreed_is_an_error() {
    let (near, far) = pair().await;
    let mut near = WebSocketStream::from_raw_socket(near.into_inner(), Role::Client, None).await;
    let sending = tokio::spawn(async move { near.send(Message::binary(vec![0; 2 * 1024 * 1024])).await });
    let error = io(far).read_u8().await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    assert!(sending.await.unwrap().is_err());
}

#[tokio::test]
async fn pings_are_not_content() {
    let (mut near, far) = pair().await;
    near.send(Message::Ping(Bytes::from_static(b"?"))).await.unwrap();
    near.send(Message::binary(vec![7])).await.unwrap();
    assert_eq!(io(far).read_u8().await.unwrap(), 7);
}

#[tokio::test]
async fn a_close_is_an_end_and_what_is_written_after_it_a_broken_pipe() {
    let (near, far) = pair().await;
    let (mut near, mut far) = (io(near), io(far));
    far.shutdown().await.unwrap();
    assert_eq!(near.read(&mut [0; 8]).await.unwrap(), 0);
    let written = async {
        near.write_all(b"late").await?;
        near.flush().await
    };
    assert_eq!(written.await.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    near.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_peer_that_vanishes_is_an_end() {
    let (near, far) = pair().await;
    drop(far);
    assert_eq!(io(near).read(&mut [0; 8]).await.unwrap(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn bytes_arrive_as_they_were_written(
        writes in proptest::collection::vec((0usize..40_000, any::<bool>()), 0..8),
        read in 1usize..20_000,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (sent, heard) = runtime.block_on(async {
            let (near, far) = pair().await;
            let (mut near, mut far) = (io(near), io(far));
            let mut sent = Vec::new();
            for (at, (length, _)) in writes.iter().enumerate() {
                sent.extend((0..*length).map(|byte| (at + byte) as u8));
            }
            let expected = sent.clone();
            let write = async move {
                let mut rest = sent.as_slice();
                for (length, flush) in writes {
                    let (now, later) = rest.split_at(length);
                    near.write_all(now).await.unwrap();
                    if flush {
                        near.flush().await.unwrap();
                    }
                    rest = later;
                }
                near.shutdown().await.unwrap();
            };
            let listen = async move {
                let mut heard = Vec::new();
                let mut buffer = vec![0; read];
                loop {
                    match far.read(&mut buffer).await.unwrap() {
                        0 => return heard,
                        length => heard.extend_from_slice(&buffer[..length]),
                    }
                }
            };
            let ((), heard) = tokio::join!(write, listen);
            (expected, heard)
        });
        prop_assert_eq!(sent, heard);
    }
}
