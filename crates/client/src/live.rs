//! The live stream: frames over a WebSocket, as a futures stream.

use crate::{
    Client, Error,
    stream::{Socket, lost, upgrade},
};
use flotilla_protocol::api::LiveFrame;
use futures_util::{Stream, StreamExt};
use std::{
    pin::Pin,
    task::{Context, Poll},
};
use tokio_tungstenite::tungstenite::{self, Message};

/// Frames in the order of their numbers, without beats. It ends when control stops; an error is its last item.
#[derive(Debug)]
pub struct Live {
    socket: Socket,
    client: Client,
    ended: bool,
}

impl Live {
    pub(crate) async fn open(client: &Client) -> Result<Self, Error> {
        Ok(Self {
            socket: upgrade(client, "/live", None).await?,
            client: client.clone(),
            ended: false,
        })
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
