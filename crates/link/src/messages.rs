//! A WebSocket of binary messages that is no link: the way to a relay from where UDP does not pass.
//!
//! A message is a datagram to those who use it, so nothing here waits for an answer or tries again. Whether the
//! far end is still there is theirs to find out.

use crate::{
    dial::{DialError, Opened, Target, Wanted, open_socket},
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
use std::fmt;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Error, Message, protocol::Role},
};

type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// An open WebSocket.
pub struct Messages {
    endpoint: Endpoint,
    socket: Socket,
}

/// The half that sends.
pub struct Outgoing(SplitSink<Socket, Message>);

/// The half that receives.
pub struct Incoming(SplitStream<Socket>);

/// Opens a WebSocket at `path` of the first endpoint that answers and is trusted.
///
/// # Errors
/// See [`DialError`].
pub async fn open(target: &Target, path: &'static str) -> Result<Messages, DialError> {
    let wanted = Wanted {
        path,
        protocol: None,
        headers: &[],
    };
    let Opened { endpoint, io, .. } = open_socket(target, wanted, Limits::default()).await?;
    let socket = WebSocketStream::from_raw_socket(io, Role::Client, Some(settings::datagrams())).await;
    Ok(Messages { endpoint, socket })
}

impl Messages {
    /// Where it leads.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Two halves that can be used at the same time.
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

impl fmt::Debug for Messages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Messages")
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Outgoing")
    }
}

impl fmt::Debug for Incoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Incoming")
    }
}
