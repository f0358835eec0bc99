//! `GET /api/v1/live`: the frames of the live stream over a WebSocket, for as long as the page is open and signed in.

use crate::{access::CurrentSession, cache::Reader, core::Core};
use axum::{
    Extension,
    extract::{
        State,
        ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code},
    },
    response::Response,
};
use flotilla_protocol::api::{BEAT, LIVE_PROTOCOL};
use std::{sync::Arc, time::Duration};
use tokio::time::{sleep, timeout};

/// How long a page may take to accept a frame before it counts as gone.
const SEND_TIMEOUT: Duration = Duration::from_secs(30);

/// How long closing the stream may take when the session is over.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Pages send nothing but closing frames and pongs.
const MESSAGE_BYTES: usize = 1024;

pub(super) async fn follow(
    State(core): State<Arc<Core>>,
    session: Option<Extension<CurrentSession>>,
    socket: WebSocketUpgrade,
) -> Response {
    let socket = socket
        .protocols([LIVE_PROTOCOL])
        .max_message_size(MESSAGE_BYTES)
        .max_frame_size(MESSAGE_BYTES);
    let session = session.map(|Extension(session)| session);
    socket.on_upgrade(move |socket| async move {
        let stop = core.stop.clone();
        stop.run_until_cancelled(serve_frames(&core, session, socket))
            .await;
    })
}

/// Sends frames until the page is gone or its session is over.
async fn serve_frames(core: &Core, session: Option<CurrentSession>, mut socket: WebSocket) {
    let frames = core.cache.subscribe();
    tokio::select! {
        () = send(&mut socket, frames) => {}
        () = keep_session(core, session) => {
            close(&mut socket, close_code::POLICY, "the session is over", CLOSE_TIMEOUT).await;
        }
    }
}

/// Keeps the session in use; returns when it is over. A program that shows the token has no session, so this never
/// returns for it.
async fn keep_session(core: &Core, session: Option<CurrentSession>) {
    let Some(session) = session else {
        return std::future::pending().await;
    };
    while core.access.keep_session(session.id, core.clock.now()) {
        // A session that a person ends is noticed at once, one that grows too old at the next beat.
        if timeout(BEAT, session.over.cancelled()).await.is_ok() {
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
