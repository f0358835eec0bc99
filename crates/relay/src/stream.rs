//! The way in for devices whose UDP does not pass: a WebSocket, one frame a message.

use crate::{
    server::Shared,
    switchboard::{Leg, StreamId, StreamOutput},
};
use axum::{
    Json,
    extract::{
        State,
        ws::{Message, WebSocket, WebSocketUpgrade, rejection::WebSocketUpgradeRejection},
    },
    response::{IntoResponse, Response},
};
use flotilla_protocol::{Code, Problem, id::DeviceId};
use futures_util::{
    SinkExt as _, StreamExt as _,
    stream::{SplitSink, SplitStream},
};
use http::{Extensions, StatusCode};
use std::{fmt, net::SocketAddr, sync::Arc};
use tokio::sync::Notify;

/// Whoever opens a WebSocket, as the port knows it.
pub struct Visitor {
    pub remote: SocketAddr,
    /// Called once the relay has let the device in: until then the port has a stranger there.
    pub admitted: Box<dyn FnOnce(DeviceId) + Send>,
}

/// Finds out from a request who opens a WebSocket.
pub type Visits = fn(&Extensions) -> Visitor;

impl fmt::Debug for Visitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Visitor({})", self.remote)
    }
}

/// Longer than any frame: a packet of 1,280 bytes, sealed, with its header.
const MESSAGE_BYTES: usize = 4096;

/// Written to the socket at once at most.
const WRITE_BYTES: usize = 64 << 10;

pub(crate) async fn connect(
    State((shared, visitor)): State<(Arc<Shared>, Visits)>,
    extensions: Extensions,
    socket: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let Ok(socket) = socket else {
        let why = "This address is for relaying: it needs a WebSocket upgrade.";
        return refuse(Problem::new(Code::InvalidInput, why));
    };
    let visitor = visitor(&extensions);
    let (stream, signal) = shared.open_stream(visitor.remote);
    // Closed however this ends: an upgrade may fail before anything of it runs.
    let open = OpenStream { shared, stream };
    socket
        .max_message_size(MESSAGE_BYTES)
        .max_frame_size(MESSAGE_BYTES)
        .read_buffer_size(16 << 10)
        .write_buffer_size(WRITE_BYTES)
        .max_write_buffer_size(WRITE_BYTES * 2)
        .on_upgrade(move |socket| pass(open, signal, socket, visitor))
}

fn refuse(problem: Problem) -> Response {
    let status = StatusCode::from_u16(problem.code.status()).unwrap_or(StatusCode::BAD_REQUEST);
    (status, Json(problem)).into_response()
}

struct OpenStream {
    shared: Arc<Shared>,
    stream: StreamId,
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.shared.close_stream(self.stream);
    }
}

/// Reads and writes at the same time, so that a client that does not read is still heard.
async fn pass(open: OpenStream, signal: Arc<Notify>, socket: WebSocket, visitor: Visitor) {
    let (outgoing, incoming) = socket.split();
    tokio::select! {
        () = read(&open, incoming, visitor) => {}
        () = write(&open, &signal, outgoing) => {}
        () = open.shared.stop.cancelled() => {}
    }
}

async fn read(open: &OpenStream, mut incoming: SplitStream<WebSocket>, visitor: Visitor) {
    let mut forwards = Vec::new();
    let mut admitted = Some(visitor.admitted);
    while let Some(Ok(message)) = incoming.next().await {
        match message {
            Message::Binary(bytes) => {
                let mut bytes = Vec::from(bytes);
                let length = bytes.len();
                open.shared
                    .take(Leg::Stream(open.stream), &mut bytes, length, &mut forwards);
                if admitted.is_some()
                    && let Some(device) = open.shared.device_of(open.stream)
                    && let Some(admitted) = admitted.take()
                {
                    admitted(device);
                }
            }
            Message::Close(_) => return,
            _ => {}
        }
    }
}

async fn write(open: &OpenStream, signal: &Notify, mut outgoing: SplitSink<WebSocket, Message>) {
    loop {
        signal.notified().await;
        while let Some(output) = open.shared.poll_stream(open.stream) {
            let sent = match output {
                StreamOutput::Message(message) => outgoing.feed(Message::Binary(message.into())).await,
                StreamOutput::Close => {
                    let _ = outgoing.close().await;
                    return;
                }
            };
            if sent.is_err() {
                return;
            }
        }
        if outgoing.flush().await.is_err() {
            return;
        }
    }
}
