//! A WebSocket of single messages is verified as a link is.

use super::rig::{Control, SOON};
use crate::{DialError, LinkEnd, MessageSocket, open, settings::Limits};
use axum::{extract::WebSocketUpgrade, response::Response};
use bytes::Bytes;
use tokio::time::timeout;

/// A route with a WebSocket that sends back what it is sent, until its client stops it.
pub(super) async fn repeat(socket: WebSocketUpgrade) -> Response {
    socket.on_upgrade(async |mut socket| {
        while let Some(Ok(message)) = socket.recv().await {
            let last = message.clone().into_data() == "stop";
            if last || socket.send(message).await.is_err() {
                return;
            }
        }
    })
}

async fn opened(control: &Control) -> MessageSocket {
    open(&control.target([control.endpoint()]), "/echo")
        .await
        .unwrap()
}

#[tokio::test]
async fn messages_cross_in_both_directions_at_once_and_keep_their_bounds() {
    let control = Control::start(Limits::default());
    let messages = opened(&control).await;
    assert_eq!(messages.endpoint(), &control.endpoint());
    let (mut out, mut into) = messages.split();
    let batch: Vec<_> = (0..500_u16)
        .map(|at| Bytes::from(vec![7; usize::from(at) + 1]))
        .collect();
    let sent = batch.clone();
    let sending = tokio::spawn(async move { out.send(sent).await.map(|()| out) });
    for expected in batch {
        assert_eq!(timeout(SOON, into.next()).await.unwrap().unwrap(), expected);
    }
    let mut out = sending.await.unwrap().unwrap();
    out.send([Bytes::from_static(b"stop")]).await.unwrap();
    let end = timeout(SOON, into.next()).await.unwrap().unwrap_err();
    assert!(matches!(end, LinkEnd::Closed | LinkEnd::Broken(_)), "{end}");
}

#[tokio::test]
async fn where_there_is_no_such_socket_the_refusal_is_told() {
    let control = Control::start(Limits::default());
    let refused = open(&control.target([control.endpoint()]), "/nowhere").await;
    assert!(matches!(refused.unwrap_err(), DialError::NotUnderstood { .. }));
}

#[tokio::test]
async fn another_server_at_the_address_is_not_trusted() {
    let [control, other] = [(); 2].map(|()| Control::start(Limits::default()));
    let refused = open(&control.target([other.endpoint()]), "/echo").await;
    assert!(matches!(refused.unwrap_err(), DialError::Untrusted { .. }));
}
