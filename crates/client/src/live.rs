//! The live stream: frames over a WebSocket, as a futures stream.

use crate::{Client, Error};
use flotilla_protocol::api::{LiveFrame, PREFIX};
use futures_util::{Stream, StreamExt};
use http::header;
use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{self, Message, client::IntoClientRequest},
};

/// Frames in the order of their numbers, without beats. It ends when control stops; an error is its last item.
#[derive(Debug)]
pub struct Live {
    socket: WebSocketStream<TcpStream>,
    client: Client,
    ended: bool,
}

impl Live {
    pub(crate) async fn open(client: &Client) -> Result<Self, Error> {
        let mut request = format!("ws://{}{PREFIX}/live", client.address())
            .into_client_request()
            .map_err(|error| client.unexpected(error.to_string()))?;
        request
            .headers_mut()
            .insert(header::AUTHORIZATION, client.bearer());
        let stream = client.connect().await?;
        match client_async(request, stream).await {
            Ok((socket, _)) => Ok(Self {
                socket,
                client: client.clone(),
                ended: false,
            }),
            Err(tungstenite::Error::Http(response)) => {
                let body = response.body().as_deref().unwrap_or_default();
                Err(client.refusal(response.status(), body))
            }
            Err(error) => Err(lost(client, error)),
        }
    }

    fn decode(&self, received: Result<Message, tungstenite::Error>) -> Option<Result<LiveFrame, Error>> {
        match received {
            Ok(Message::Text(text)) => {
                let frame = serde_json::from_str::<LiveFrame>(&text);
                let frame = frame.map_err(|error| self.client.unexpected(error.to_string()));
                (!frame.as_ref().is_ok_and(LiveFrame::is_beat)).then_some(frame)
            }
            Ok(_) => None,
            Err(error) => Some(Err(lost(&self.client, error))),
        }
    }
}

impl Stream for Live {
    type Item = Result<LiveFrame, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if self.ended {
                return Poll::Ready(None);
            }
            let Poll::Ready(received) = self.socket.poll_next_unpin(context) else {
                return Poll::Pending;
            };
            let Some(received) = received else {
                self.ended = true;
                continue;
            };
            if let Some(item) = self.decode(received) {
                self.ended = item.is_err();
                return Poll::Ready(Some(item));
            }
        }
    }
}

fn lost(client: &Client, error: tungstenite::Error) -> Error {
    match error {
        tungstenite::Error::Io(source) => client.unreachable(source),
        other => client.unreachable(io::Error::other(other)),
    }
}
