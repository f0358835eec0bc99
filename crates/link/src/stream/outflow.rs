//! From items to chunks of bytes, at the pace at which the chunks are taken.
//!
//! What makes the items is a future that the taker of the chunks runs: [`Production::poll_chunk`] runs it until it
//! waits or a chunk is full. So it makes nothing while no chunk is taken, and is dropped with its taker.

use bytes::{Bytes, BytesMut};
use flotilla_protocol::stream::{End, Event, EventOf, Frame, Malformed, Streaming};
use parking_lot::Mutex;
use std::{
    future::{Future, poll_fn},
    marker::PhantomData,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

/// A chunk is full with this many bytes: what one frame of HTTP/2 carries. The item that fills it may be longer.
const CHUNK: usize = crate::settings::FRAME as usize;

/// Where the items of a stream are sent.
#[derive(derive_more::Debug)]
#[debug("Outflow")]
pub struct Outflow<S> {
    shared: Arc<Shared>,
    stream: PhantomData<fn(S)>,
}

#[derive(Default)]
struct Shared(Mutex<Chunk>);

#[derive(Default)]
struct Chunk {
    bytes: BytesMut,
    /// Who waits for the chunk to be taken.
    waiting: Option<Waker>,
}

impl Shared {
    /// What was sent since the last chunk; `None` when there is nothing.
    fn take(&self) -> Option<Bytes> {
        let mut chunk = self.0.lock();
        if let Some(waiting) = chunk.waiting.take() {
            waiting.wake();
        }
        // The buffer goes with its bytes, so that a quiet stream keeps none.
        let bytes = std::mem::take(&mut chunk.bytes).freeze();
        (!bytes.is_empty()).then_some(bytes)
    }
}

impl<S: Streaming> Outflow<S> {
    /// Sends an item; waits while the reader takes nothing. Cancel safe: an item that was not sent is not sent later.
    ///
    /// # Errors
    /// The item does not fit into a frame; it is left out, and the stream can go on.
    pub async fn send(&mut self, item: &S::Item) -> Result<(), Malformed> {
        self.send_frame(&Frame::of(item)?).await
    }

    /// Sends an item that is a frame already, as [`Self::send`] does.
    pub(super) async fn send_frame(&mut self, frame: &Frame) -> Result<(), Malformed> {
        poll_fn(|cx| {
            let mut chunk = self.shared.0.lock();
            if chunk.bytes.len() >= CHUNK {
                chunk.waiting = Some(cx.waker().clone());
                return Poll::Pending;
            }
            Poll::Ready(frame.write_to(&mut chunk.bytes))
        })
        .await
    }

    /// Sends the items of a source, which `next` reads, until it ends; answers its end, or that an item has no frame.
    pub async fn send_all<T, F>(mut self, mut source: T, next: impl Fn(T) -> F) -> End<S::End>
    where
        F: Future<Output = (EventOf<S>, T)>,
    {
        loop {
            let event;
            (event, source) = next(source).await;
            match event {
                Event::Item(item) => {
                    if let Err(malformed) = self.send(&item).await {
                        return malformed.into();
                    }
                }
                Event::End(end) => return end,
            }
        }
    }
}

type Producer<S> = Pin<Box<dyn Future<Output = End<<S as Streaming>::End>> + Send>>;

/// A stream as it is made: what makes its items, and the chunk that is not taken yet.
#[derive(derive_more::Debug)]
#[debug("Production(over: {})", producer.is_none())]
pub struct Production<S: Streaming> {
    shared: Arc<Shared>,
    /// `None` when the end was written.
    producer: Option<Producer<S>>,
}

impl<S: Streaming> Production<S> {
    pub fn new<F>(produce: impl FnOnce(Outflow<S>) -> F) -> Self
    where
        F: Future<Output = End<S::End>> + Send + 'static,
    {
        let shared = Arc::<Shared>::default();
        let outflow = Outflow {
            shared: shared.clone(),
            stream: PhantomData,
        };
        Self {
            shared,
            producer: Some(Box::pin(produce(outflow))),
        }
    }

    /// The next bytes, whole frames; `None` after the end.
    pub fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if let Some(producer) = &mut self.producer
            && let Poll::Ready(end) = producer.as_mut().poll(cx)
        {
            self.end(&end);
        }
        match (self.shared.take(), &self.producer) {
            (Some(chunk), _) => Poll::Ready(Some(chunk)),
            (None, Some(_)) => Poll::Pending,
            (None, None) => Poll::Ready(None),
        }
    }

    /// The next bytes, whole frames; `None` after the end. Cancel safe.
    pub async fn chunk(&mut self) -> Option<Bytes> {
        poll_fn(|cx| self.poll_chunk(cx)).await
    }

    /// Ends the stream from outside: what makes its items is dropped, and the end is the next thing to be taken.
    pub fn end(&mut self, end: &End<S::End>) {
        if self.producer.take().is_some() {
            // An end always fits.
            let _ = Frame::end::<S>(end).write_to(&mut self.shared.0.lock().bytes);
        }
    }
}
