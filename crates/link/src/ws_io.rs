//! A WebSocket as a plain byte stream. Message borders have no meaning; at best a message is one HTTP/2 frame.
//!
//! Written bytes are gathered until a whole frame with its header is there, because a masked message for each frame
//! header costs a quarter more processor time. An idle link holds no buffer.

use crate::settings::WS_COALESCE;
use axum::extract::ws;
use bytes::{Buf, Bytes, BytesMut};
use futures_util::{Sink, Stream};
use std::{
    io,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::tungstenite;

/// A message of either WebSocket library in use: control's end is axum's, the agent's end is tungstenite's.
pub(crate) trait WsMessage: From<Bytes> {
    type Error: WsError;
    fn into_content(self) -> Content;
}

/// What a message means to a byte stream.
pub(crate) enum Content {
    Bytes(Bytes),
    Close,
    /// Pings and pongs, which the library answers itself.
    Nothing,
    Text,
}

impl WsMessage for ws::Message {
    type Error = axum::Error;

    fn into_content(self) -> Content {
        match self {
            Self::Binary(payload) => Content::Bytes(payload),
            Self::Close(_) => Content::Close,
            Self::Ping(_) | Self::Pong(_) => Content::Nothing,
            Self::Text(_) => Content::Text,
        }
    }
}

impl WsMessage for tungstenite::Message {
    type Error = tungstenite::Error;

    fn into_content(self) -> Content {
        match self {
            Self::Binary(payload) => Content::Bytes(payload),
            Self::Close(_) => Content::Close,
            Self::Ping(_) | Self::Pong(_) | Self::Frame(_) => Content::Nothing,
            Self::Text(_) => Content::Text,
        }
    }
}

/// An error of either library.
pub(crate) trait WsError {
    /// `Ok(())` when it only reports that the WebSocket is already closed.
    fn into_io(self) -> Result<(), io::Error>;
}

impl WsError for tungstenite::Error {
    fn into_io(self) -> Result<(), io::Error> {
        use tungstenite::{Error, error::ProtocolError};
        match self {
            Error::ConnectionClosed
            | Error::AlreadyClosed
            | Error::Protocol(
                ProtocolError::SendAfterClosing | ProtocolError::ResetWithoutClosingHandshake,
            ) => Ok(()),
            Error::Io(error) => Err(error),
            other => Err(io::Error::new(io::ErrorKind::InvalidData, other)),
        }
    }
}

impl WsError for axum::Error {
    fn into_io(self) -> Result<(), io::Error> {
        match self.into_inner().downcast::<tungstenite::Error>() {
            Ok(error) => error.into_io(),
            Err(other) => Err(io::Error::other(other)),
        }
    }
}

pub(crate) struct WsIo<S, M> {
    socket: S,
    message: PhantomData<fn() -> M>,
    incoming: Bytes,
    outgoing: BytesMut,
    ended: bool,
}

impl<S, M> WsIo<S, M> {
    pub(crate) fn new(socket: S) -> Self {
        Self {
            socket,
            message: PhantomData,
            incoming: Bytes::new(),
            outgoing: BytesMut::new(),
            ended: false,
        }
    }
}

impl<S, M> WsIo<S, M>
where
    S: Sink<M, Error = M::Error> + Unpin,
    M: WsMessage,
{
    /// Passes the gathered bytes to the WebSocket, once that has room.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.outgoing.is_empty() {
            return Poll::Ready(Ok(()));
        }
        if let Err(error) = ready!(Pin::new(&mut self.socket).poll_ready(cx)) {
            return Poll::Ready(closed(error));
        }
        let message = M::from(std::mem::take(&mut self.outgoing).freeze());
        match Pin::new(&mut self.socket).start_send(message) {
            Ok(()) => Poll::Ready(Ok(())),
            Err(error) => Poll::Ready(closed(error)),
        }
    }
}

/// Writing to a WebSocket that was closed in order is a broken pipe, which HTTP/2 takes for an ordinary end.
fn closed(error: impl WsError) -> io::Result<()> {
    error.into_io()?;
    Err(io::ErrorKind::BrokenPipe.into())
}

impl<S, M> AsyncRead for WsIo<S, M>
where
    S: Stream<Item = Result<M, M::Error>> + Unpin,
    M: WsMessage,
{
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while self.incoming.is_empty() {
            if self.ended {
                return Poll::Ready(Ok(()));
            }
            match ready!(Pin::new(&mut self.socket).poll_next(cx)) {
                None => self.ended = true,
                Some(Err(error)) => {
                    error.into_io()?;
                    self.ended = true;
                }
                Some(Ok(message)) => match message.into_content() {
                    Content::Bytes(payload) => self.incoming = payload,
                    Content::Close => self.ended = true,
                    Content::Nothing => {}
                    Content::Text => {
                        let reason = "a link carries no text messages";
                        return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, reason)));
                    }
                },
            }
        }
        let length = self.incoming.len().min(buffer.remaining());
        buffer.put_slice(&self.incoming[..length]);
        self.incoming.advance(length);
        if self.incoming.is_empty() {
            // An empty slice would keep the whole message in memory.
            self.incoming = Bytes::new();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S, M> AsyncWrite for WsIo<S, M>
where
    S: Sink<M, Error = M::Error> + Unpin,
    M: WsMessage,
{
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[io::IoSlice::new(data)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.outgoing.len() >= WS_COALESCE {
            ready!(self.poll_send(cx))?;
        }
        let mut written = 0;
        for slice in slices {
            let room = WS_COALESCE - self.outgoing.len();
            let taken = &slice[..slice.len().min(room)];
            self.outgoing.extend_from_slice(taken);
            written += taken.len();
        }
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_send(cx))?;
        match ready!(Pin::new(&mut self.socket).poll_flush(cx)) {
            Ok(()) => Poll::Ready(Ok(())),
            Err(error) => Poll::Ready(closed(error)),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_send(cx))?;
        match ready!(Pin::new(&mut self.socket).poll_close(cx)) {
            Ok(()) => Poll::Ready(Ok(())),
            Err(error) => Poll::Ready(error.into_io()),
        }
    }
}

#[cfg(test)]
mod tests;
