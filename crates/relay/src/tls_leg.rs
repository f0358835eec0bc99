//! The route for TLS legs: WebSockets, one frame in each message, for devices whose UDP is blocked.

use crate::{
    server::Shared,
    switchboard::{Leg, TlsLegId, TlsLegOutput},
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
use std::{net::SocketAddr, sync::Arc};
use tokio::sync::Notify;

/// What the server of the route knows of a request for a TLS leg.
#[derive(derive_more::Debug)]
#[debug("LegRequest({remote})")]
pub struct LegRequest {
    pub remote: SocketAddr,
    /// Called once the relay has admitted the device; until then the server counts the connection as a stranger's.
    pub admitted: Box<dyn FnOnce(DeviceId) + Send>,
}

/// Reads from a request where it comes from.
pub type IdentifyRequest = fn(&Extensions) -> LegRequest;

/// The longest message: more than any frame, which is a packet of 1,280 bytes, sealed, with its header.
const MESSAGE_BYTES: usize = 4096;

/// The most bytes that are written to the WebSocket at once.
const WRITE_BYTES: usize = 64 << 10;

pub(crate) async fn connect(
    State((shared, identify)): State<(Arc<Shared>, IdentifyRequest)>,
    extensions: Extensions,
    socket: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let Ok(socket) = socket else {
        let why = "This address is for relaying: it needs a WebSocket upgrade.";
        return refuse(Code::InvalidInput.because(why));
    };
    let request = identify(&extensions);
    let (leg, signal) = shared.open_tls_leg(request.remote);
    // Closes the leg when dropped, because an upgrade may fail before any of its code runs.
    let open = OpenTlsLeg { shared, leg };
    socket
        .max_message_size(MESSAGE_BYTES)
        .max_frame_size(MESSAGE_BYTES)
        .read_buffer_size(16 << 10)
        .write_buffer_size(WRITE_BYTES)
        .max_write_buffer_size(WRITE_BYTES * 2)
        .on_upgrade(move |socket| pass(open, signal, socket, request))
}

fn refuse(problem: Problem) -> Response {
    let status = StatusCode::from_u16(problem.code.status()).unwrap_or(StatusCode::BAD_REQUEST);
    (status, Json(problem)).into_response()
}

struct OpenTlsLeg {
    shared: Arc<Shared>,
    leg: TlsLegId,
}

impl Drop for OpenTlsLeg {
    fn drop(&mut self) {
        self.shared.close_tls_leg(self.leg);
    }
}

/// Reads and writes at the same time, so that a client that does not read is still read from.
async fn pass(open: OpenTlsLeg, signal: Arc<Notify>, socket: WebSocket, request: LegRequest) {
    let (outgoing, incoming) = socket.split();
    tokio::select! {
        () = read(&open, incoming, request) => {}
        () = write(&open, &signal, outgoing) => {}
        () = open.shared.stop.cancelled() => {}
    }
}

async fn read(open: &OpenTlsLeg, mut incoming: SplitStream<WebSocket>, request: LegRequest) {
    let mut forwards = Vec::new();
    let mut admitted = Some(request.admitted);
    while let Some(Ok(message)) = incoming.next().await {
        match message {
            Message::Binary(bytes) => {
                let mut bytes = Vec::from(bytes);
                let length = bytes.len();
                open.shared
                    .handle_run(Leg::Tls(open.leg), &mut bytes, length, &mut forwards);
                if admitted.is_some()
                    && let Some(device) = open.shared.device_of(open.leg)
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

async fn write(open: &OpenTlsLeg, signal: &Notify, mut outgoing: SplitSink<WebSocket, Message>) {
    loop {
        signal.notified().await;
        while let Some(output) = open.shared.poll_tls_leg(open.leg) {
            let sent = match output {
                TlsLegOutput::Message(message) => outgoing.feed(Message::Binary(message.into())).await,
                TlsLegOutput::Close => {
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
