//! `GET /api/v1/live`: the frames of the live stream over a WebSocket, for as long as the page is open.

use crate::{core::Core, live::Reader};
use axum::{
    extract::{
        State,
        ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code},
    },
    response::Response,
};
use flotilla_protocol::api::BEAT;
use std::{sync::Arc, time::Duration};
use tokio::time::{sleep, timeout};

/// A page that takes no frame for this long is gone.
const STALLED: Duration = Duration::from_secs(30);

/// Pages send nothing.
const MESSAGE_BYTES: usize = 1024;

pub(super) async fn follow(State(core): State<Arc<Core>>, socket: WebSocketUpgrade) -> Response {
    let socket = socket
        .max_message_size(MESSAGE_BYTES)
        .max_frame_size(MESSAGE_BYTES);
    socket.on_upgrade(move |socket| async move {
        let frames = core.cache.subscribe();
        let stop = core.stop.clone();
        stop.run_until_cancelled(send(socket, frames)).await;
    })
}

async fn send(mut socket: WebSocket, mut frames: Reader) {
    loop {
        let message = tokio::select! {
            frame = frames.next() => match frame {
                Some(frame) => Message::Text(frame),
                None => break,
            },
            () = sleep(BEAT) => Message::Text(frames.beat()),
            received = socket.recv() => match received {
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => continue,
            },
        };
        if !matches!(timeout(STALLED, socket.send(message)).await, Ok(Ok(()))) {
            return;
        }
    }
    let going_away = CloseFrame {
        code: close_code::AWAY,
        reason: "control is stopping".into(),
    };
    // The page finds out by itself when this is lost.
    let _ = timeout(STALLED, socket.send(Message::Close(Some(going_away)))).await;
}
