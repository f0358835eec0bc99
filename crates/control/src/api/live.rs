//! `GET /api/v1/live`: the frames of the live stream over a WebSocket, for as long as the page is open and signed in.

use super::caller::Asks;
use crate::{access::Credential, cache::Reader, core::Core};
use axum::{
    extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code},
    response::Response,
};
use flotilla_protocol::api::{BEAT, LIVE_PROTOCOL, Scope};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// How long a page may take to accept a frame before it counts as gone.
const SEND_TIMEOUT: Duration = Duration::from_secs(30);

/// How long closing the stream may take when what opened it is over.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Pages send nothing but closing frames and pongs.
const MESSAGE_BYTES: usize = 1024;

pub(super) async fn follow(asks: Asks, credential: Credential, socket: WebSocketUpgrade) -> Response {
    let socket = socket
        .protocols([LIVE_PROTOCOL])
        .max_message_size(MESSAGE_BYTES)
        .max_frame_size(MESSAGE_BYTES);
    socket.on_upgrade(move |socket| async move {
        let served = serve_frames(&asks.core, asks.scope(), &credential, socket);
        asks.core.stop.run_until_cancelled(served).await;
    })
}

/// Sends frames until the page is gone, or what opened the stream is over.
async fn serve_frames(core: &Core, scope: Scope, credential: &Credential, mut socket: WebSocket) {
    let frames = core.cache.subscribe(scope);
    tokio::select! {
        () = send(&mut socket, frames) => {}
        () = keep(core, credential) => {
            let over = match credential {
                Credential::Token(_) => "the token is over",
                Credential::Key | Credential::Session(_) => "the session is over",
            };
            close(&mut socket, close_code::POLICY, over, CLOSE_TIMEOUT).await;
        }
    }
}

/// Keeps what opened the stream in use; returns when it is over.
pub(super) async fn keep(core: &Core, credential: &Credential) {
    let Some(over) = credential.over() else {
        return std::future::pending().await;
    };
    while core.access.keep(credential, core.clock.now()) {
        // What a person ends is noticed at once, what grows too old at the next beat.
        if timeout(BEAT, over.cancelled()).await.is_ok() {
            return;
        }
    }
}

async fn send(socket: &mut WebSocket, mut frames: Reader) {
    loop {
        let message = tokio::select! {
            // In this order: a page that is gone is noticed first, and a beat is sent only when no frame waits.
            biased;
            received = socket.recv() => match received {
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => continue,
            },
            frame = frames.next() => match frame {
                Some(frame) => Message::Text(frame),
                None => break,
            },
            () = sleep(BEAT) => Message::Text(frames.beat()),
        };
        if !matches!(timeout(SEND_TIMEOUT, socket.send(message)).await, Ok(Ok(()))) {
            return;
        }
    }
    close(socket, close_code::AWAY, "control is stopping", SEND_TIMEOUT).await;
}

/// Closes the stream. A page that does not get the frame notices the closed connection.
async fn close(socket: &mut WebSocket, code: u16, reason: &'static str, within: Duration) {
    let frame = CloseFrame {
        code,
        reason: reason.into(),
    };
    let _ = timeout(within, socket.send(Message::Close(Some(frame)))).await;
}
