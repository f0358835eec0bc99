//! The agent's end: a route that answers a stream.

use super::{NotOpened, Outflow, Production, Upward};
use axum::{
    Json,
    body::Body,
    extract::{FromRequest, Request},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use flotilla_protocol::{
    Problem,
    stream::{End, Streaming},
};
use futures_util::StreamExt as _;
use http::StatusCode;
use http_body::Frame;
use std::{
    convert::Infallible,
    future::{Future, ready},
    pin::Pin,
    task::{Context, Poll},
};
use tokio_util::sync::CancellationToken;

/// A stream that control opened: what it wants, and what it says after that.
#[derive(Debug)]
pub struct Opened<S: Streaming> {
    pub open: S::Open,
    pub up: Upward<S>,
}

impl<S: Streaming, T: Send + Sync> FromRequest<T> for Opened<S> {
    type Rejection = Response;

    async fn from_request(request: Request, _: &T) -> Result<Self, Response> {
        let chunks = request.into_body().into_data_stream();
        // A body that fails ends the stream by the answer, which is dropped with it.
        let chunks = chunks.take_while(|chunk| ready(chunk.is_ok()));
        let chunks = chunks.filter_map(|chunk| ready(chunk.ok()));
        let opened = Upward::open(chunks).await;
        opened.map(|(open, up)| Self { open, up }).map_err(refuse)
    }
}

fn refuse(error: NotOpened) -> Response {
    let problem = Problem::from(error);
    let status = StatusCode::from_u16(problem.code.status()).unwrap_or(StatusCode::BAD_REQUEST);
    (status, Json(problem)).into_response()
}

/// Answers with the items that `produce` sends, and the end that it returns. It runs while control reads, and is
/// dropped when control drops the stream; `closing` ends it when the link is about to end.
pub fn answer<S, F>(closing: CancellationToken, produce: impl FnOnce(Outflow<S>) -> F) -> Response
where
    S: Streaming,
    F: Future<Output = End<S::End>> + Send + 'static,
{
    let production = Production::<S>::new(|out| {
        let producer = produce(out);
        async move {
            let ended = closing.run_until_cancelled(producer).await;
            ended.unwrap_or(End::Stopping)
        }
    });
    Response::new(Body::new(ItemsBody(production)))
}

struct ItemsBody<S: Streaming>(Production<S>);

impl<S: Streaming> http_body::Body for ItemsBody<S> {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let chunk = std::task::ready!(self.0.poll_chunk(cx));
        Poll::Ready(chunk.map(|chunk| Ok(Frame::data(chunk))))
    }
}
