//! Typed streams over a WebSocket: events as they come, and the one end.

use crate::{Client, Error};
use bytes::Bytes;
use flotilla_protocol::{
    api::{BEAT, PREFIX},
    stream::{EventOf, Frame, Malformed, Reader, STREAM_PROTOCOL, Streaming},
};
use futures_util::{SinkExt as _, StreamExt as _};
use http::{HeaderValue, header};
use std::{io, time::Duration};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{self, Message, client::IntoClientRequest},
};

/// A stream that sent nothing for this long is lost, also when nothing says so: five of control's beats, so that a late
/// one is no loss.
const SILENCE: Duration = Duration::from_secs(5 * BEAT.as_secs());

pub(crate) type Socket = WebSocketStream<TcpStream>;

/// An open stream. Dropping it closes the socket, by which control cancels its side.
#[derive(derive_more::Debug)]
pub struct ApiStream<S: Streaming> {
    #[debug(skip)]
    socket: Socket,
    reader: Reader<S>,
    #[debug(skip)]
    client: Client,
}

impl<S: Streaming> ApiStream<S> {
    pub(crate) async fn open(client: &Client, at: &S::At, open: S::Open) -> Result<Self, Error> {
        let first = Frame::open::<S>(&open).and_then(|frame| frame.to_bytes());
        let first = first.map_err(|error| client.unexpected(error.to_string()))?;
        let mut socket = upgrade(client, &S::path(at), Some(STREAM_PROTOCOL)).await?;
        let sent = socket.send(Message::Binary(first)).await;
        sent.map_err(|error| lost(client, error))?;
        Ok(Self {
            socket,
            reader: Reader::new(open),
            client: client.clone(),
        })
    }

    /// The next event; `None` after the end. A connection that breaks is an end, too. Cancel safe.
    pub async fn next(&mut self) -> Option<EventOf<S>> {
        loop {
            let event = self.reader.poll_event();
            if event.is_some() || self.reader.is_over() {
                return event;
            }
            match timeout(SILENCE, self.socket.next()).await {
                Ok(Some(Ok(Message::Binary(chunk)))) => self.reader.handle_bytes(&chunk),
                Ok(Some(Ok(Message::Close(_)) | Err(_)) | None) | Err(_) => self.reader.handle_lost(),
                Ok(Some(Ok(_))) => {}
            }
        }
    }

    /// Says something; waits while it is not taken.
    ///
    /// # Errors
    /// The connection is over, or there is no frame for this.
    pub async fn say(&mut self, up: &S::Up) -> Result<(), Error> {
        self.send(Frame::of(up).and_then(|frame| frame.to_bytes())).await
    }

    /// Says that there is no more to come. The items go on.
    ///
    /// # Errors
    /// The connection is over.
    pub async fn finish(&mut self) -> Result<(), Error> {
        self.send(Frame::FINISH.to_bytes()).await
    }

    async fn send(&mut self, frame: Result<Bytes, Malformed>) -> Result<(), Error> {
        let frame = frame.map_err(|error| self.client.unexpected(error.to_string()))?;
        let sent = self.socket.send(Message::Binary(frame)).await;
        sent.map_err(|error| lost(&self.client, error))
    }

    /// What to open to go on behind the last item.
    pub fn into_open(self) -> S::Open {
        self.reader.into_open()
    }
}

/// Opens a WebSocket of the API at a path below its prefix.
pub(crate) async fn upgrade(
    client: &Client,
    path: &str,
    protocol: Option<&'static str>,
) -> Result<Socket, Error> {
    let mut request = format!("ws://{}{PREFIX}{path}", client.address())
        .into_client_request()
        .map_err(|error| client.unexpected(error.to_string()))?;
    let headers = request.headers_mut();
    headers.insert(header::AUTHORIZATION, client.bearer());
    if let Some(protocol) = protocol {
        headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(protocol));
    }
    let stream = client.connect().await?;
    match client_async(request, stream).await {
        Ok((socket, _)) => Ok(socket),
        Err(tungstenite::Error::Http(response)) => {
            let body = response.body().as_deref().unwrap_or_default();
            Err(client.refusal(response.status(), body))
        }
        Err(error) => Err(lost(client, error)),
    }
}

pub(crate) fn lost(client: &Client, error: tungstenite::Error) -> Error {
    match error {
        tungstenite::Error::Io(source) => client.unreachable(source),
        other => client.unreachable(io::Error::other(other)),
    }
}
