//! A call in which both sides send for as long as it is open: a terminal, a copy.
//!
//! HTTP/2 resets a stream when both of its halves are dropped; dropping only the answer, while the request is open,
//! sends nothing to the agent, which would hold the stream for good. So the two halves share a guard: the first to be
//! dropped before [`DuplexInput::finish`] makes the request body fail, which resets the stream.

use crate::agent_link::{CallError, LongStream};
use bytes::Bytes;
use http_body::{Body, Frame};
use std::{
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll},
};
use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, DropGuard, WaitForCancellationFutureOwned};

/// Messages between the caller and the connection. Few, so that a slow agent slows its caller down.
const QUEUE: usize = 4;

/// An open call. Dropping either half cancels it at the agent, unless the input was finished before.
#[derive(Debug)]
pub(crate) struct Duplex {
    pub(crate) input: DuplexInput,
    pub(crate) output: DuplexOutput,
}

/// The half that the caller sends with.
#[derive(Debug)]
pub(crate) struct DuplexInput {
    queue: mpsc::Sender<InputEvent>,
}

/// The half that receives from the agent.
#[derive(Debug)]
pub(crate) struct DuplexOutput {
    stream: LongStream,
    _guard: Option<DropGuard>,
}

#[derive(Debug)]
enum InputEvent {
    Data(Bytes),
    End,
}

impl Duplex {
    pub(crate) fn new(input: DuplexInput, guard: DropGuard, stream: LongStream) -> Self {
        Self {
            input,
            output: DuplexOutput {
                stream,
                _guard: Some(guard),
            },
        }
    }
}

impl DuplexInput {
    /// Sends bytes; waits while the agent does not take them.
    ///
    /// # Errors
    /// The agent ended the call or the link.
    pub(crate) async fn send(&self, data: Bytes) -> Result<(), CallError> {
        self.queue
            .send(InputEvent::Data(data))
            .await
            .map_err(|_| CallError::Closed)
    }

    /// Says that there is no more to come. The agent's output goes on.
    ///
    /// # Errors
    /// The agent ended the call or the link.
    pub(crate) async fn finish(self) -> Result<(), CallError> {
        self.queue
            .send(InputEvent::End)
            .await
            .map_err(|_| CallError::Closed)
    }
}

impl DuplexOutput {
    /// The output of a call whose input is finished.
    pub(crate) fn alone(stream: LongStream) -> Self {
        Self { stream, _guard: None }
    }

    /// The next bytes, or the trailers that close the output; `None` after its end.
    pub(crate) async fn next(&mut self) -> Option<Result<Frame<Bytes>, CallError>> {
        self.stream.frame().await
    }
}

/// The request body behind a [`DuplexInput`].
pub(crate) struct InputBody {
    queue: mpsc::Receiver<InputEvent>,
    canceled: Pin<Box<WaitForCancellationFutureOwned>>,
    ended: bool,
}

impl InputBody {
    /// A body that begins with these bytes.
    pub(crate) fn channel(first: Bytes) -> (DuplexInput, DropGuard, Self) {
        let (sender, queue) = mpsc::channel(QUEUE);
        if !first.is_empty() {
            // There is room in a new queue.
            let _ = sender.try_send(InputEvent::Data(first));
        }
        let cancel = CancellationToken::new();
        let body = Self {
            queue,
            canceled: Box::pin(cancel.clone().cancelled_owned()),
            ended: false,
        };
        (DuplexInput { queue: sender }, cancel.drop_guard(), body)
    }
}

impl Body for InputBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let canceled = || Poll::Ready(Some(Err(io::Error::from(io::ErrorKind::ConnectionAborted))));
        if self.canceled.as_mut().poll(cx).is_ready() {
            self.ended = true;
            return canceled();
        }
        match std::task::ready!(self.queue.poll_recv(cx)) {
            Some(InputEvent::Data(data)) => Poll::Ready(Some(Ok(Frame::data(data)))),
            Some(InputEvent::End) => {
                self.ended = true;
                Poll::Ready(None)
            }
            None => {
                self.ended = true;
                canceled()
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.ended
    }
}
