//! A WebSocket of binary messages: the leg to a relay where UDP is blocked.
//!
//! Its users send datagrams in these messages, so nothing here waits for an answer or sends again, and its users check
//! for themselves that the far end is alive.

use crate::{
    dial::{DialError, OpenSocket, SocketRequest, Target, open_socket},
    endings::LinkEnd,
    settings::{self, Limits},
};
use bytes::Bytes;
use flotilla_protocol::endpoint::Endpoint;
use futures_util::{
    SinkExt as _, StreamExt as _,
    stream::{SplitSink, SplitStream},
};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Error, Message, protocol::Role},
};

type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// An open WebSocket.
#[derive(derive_more::Debug)]
pub struct MessageSocket {
    endpoint: Endpoint,
    #[debug(skip)]
    socket: Socket,
}

/// The half that sends.
#[derive(derive_more::Debug)]
#[debug("Outgoing")]
pub struct Outgoing(SplitSink<Socket, Message>);

/// The half that receives.
#[derive(derive_more::Debug)]
#[debug("Incoming")]
pub struct Incoming(SplitStream<Socket>);

/// Opens a WebSocket at `path` of the first endpoint that answers and is trusted.
///
/// # Errors
/// See [`DialError`].
pub async fn open(target: &Target, path: &'static str) -> Result<MessageSocket, DialError> {
    let wanted = SocketRequest {
        path,
        protocol: None,
        headers: &[],
    };
    let OpenSocket { endpoint, io, .. } = open_socket(target, wanted, Limits::default()).await?;
    let socket = WebSocketStream::from_raw_socket(io, Role::Client, Some(settings::datagrams())).await;
    Ok(MessageSocket { endpoint, socket })
}

impl MessageSocket {
    /// The endpoint that answered.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The two halves, which can be used at the same time.
    #[must_use]
    pub fn split(self) -> (Outgoing, Incoming) {
        let (out, into) = self.socket.split();
        (Outgoing(out), Incoming(into))
    }
}

impl Outgoing {
    /// Sends a batch; returns when the system has taken all of it.
    ///
    /// # Errors
    /// The connection is over.
    pub async fn send(&mut self, batch: impl IntoIterator<Item = Bytes>) -> Result<(), LinkEnd> {
        for message in batch {
            self.0.feed(Message::Binary(message)).await.map_err(ended)?;
        }
        self.0.flush().await.map_err(ended)
    }
}

impl Incoming {
    /// The next message.
    ///
    /// # Errors
    /// The connection is over.
    pub async fn next(&mut self) -> Result<Bytes, LinkEnd> {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Binary(message))) => return Ok(message),
                Some(Ok(Message::Close(_))) | None => return Err(LinkEnd::Closed),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(ended(error)),
            }
        }
    }
}

fn ended(error: Error) -> LinkEnd {
    match error {
        Error::ConnectionClosed | Error::AlreadyClosed => LinkEnd::Closed,
        other => LinkEnd::Broken(other.to_string()),
    }
}
