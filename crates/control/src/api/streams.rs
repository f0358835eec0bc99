//! Streams for pages and programs: a WebSocket each, whose binary messages hold the frames of
//! [`flotilla_protocol::stream`].
//!
//! Life cycle: the route let it in → it takes one of its caller's streams → the caller says what it wants → items, with
//! a beat where there are none → the end, and the socket closes. What makes the items runs only as fast as the caller
//! reads. It is dropped at once when the caller goes away, when its session is over, and when control stops.
//!
//! Refusals are told by the stream's end, because a page cannot read any other answer to a WebSocket.

use super::{
    caller::{Asks, OnDevice},
    live::keep,
};
use crate::{access::Credential, core::Core, refusal::Refusal};
use axum::{
    RequestPartsExt,
    extract::{
        FromRequestParts,
        ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code},
    },
    response::Response,
};
use bytes::Bytes;
use flotilla_link::stream::{Budget, NoRoom, Opener, Outflow, Production, Upward};
use flotilla_protocol::{
    Code, Problem,
    api::BEAT,
    stream::{End, Frame, LONGEST_BODY, STREAM_PROTOCOL, Streaming},
};
use futures_util::{
    Sink, SinkExt as _, StreamExt as _,
    stream::{self, SplitStream},
};
use http::request::Parts;
use std::{future::Future, marker::PhantomData, sync::Arc, time::Duration};
use tokio::{
    sync::mpsc,
    time::{sleep, timeout},
};

/// Streams of all callers together. Each holds a connection, of which this port has 256.
const STREAMS: usize = 192;

/// Streams of one caller: more than a person can follow, and a third, so that no page takes all.
const CALLER_STREAMS: usize = 64;

/// How long a caller may take to accept a message before its stream ends. It can go on where it was.
const SEND_TIMEOUT: Duration = Duration::from_secs(30);

/// How long saying the end may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Messages of a caller that wait for what it talks to. Few, so that a slow device slows its caller down.
const QUEUE: usize = 4;

/// The longest message: a frame with its head.
const MESSAGE_BYTES: usize = LONGEST_BODY + 5;

pub(crate) fn budget() -> Budget {
    Budget::new(STREAMS, CALLER_STREAMS)
}

/// A request for a stream that its route may answer.
pub(super) struct StreamSocket<S> {
    credential: Credential,
    asks: Asks,
    /// The device that the path names, if it names one.
    device: Option<OnDevice>,
    socket: WebSocketUpgrade,
    stream: PhantomData<fn() -> S>,
}

impl<S: Streaming, C: Sync> FromRequestParts<C> for StreamSocket<S> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &C) -> Result<Self, Refusal> {
        let credential = parts.extract().await?;
        let asks = parts.extract().await?;
        let device = parts.extensions.get().copied();
        let socket = parts.extract::<WebSocketUpgrade>().await.map_err(|_| {
            Refusal(Code::InvalidInput.because(format!(
                "This is a stream: open it as a WebSocket with the subprotocol {STREAM_PROTOCOL}."
            )))
        })?;
        Ok(Self {
            credential,
            asks,
            device,
            socket,
            stream: PhantomData,
        })
    }
}

impl<S: Streaming> StreamSocket<S> {
    /// On whose behalf a stream of a device is opened for this one.
    pub(super) fn opener(&self) -> Opener {
        Opener::Caller(match &self.credential {
            Credential::Key => "key".to_owned(),
            Credential::Session(session) => format!("session {}", session.id),
            Credential::Token(token) => format!("token {}", token.id),
        })
    }

    /// Answers with what `produce` sends, and the end that it returns.
    pub(super) fn serve<F>(
        self,
        produce: impl FnOnce(S::Open, Upward<S>, Outflow<S>) -> F + Send + 'static,
    ) -> Response
    where
        F: Future<Output = End<S::End>> + Send + 'static,
    {
        let opener = self.opener();
        let Self {
            credential,
            asks,
            device,
            socket,
            ..
        } = self;
        let socket = socket
            .protocols([STREAM_PROTOCOL])
            .max_message_size(MESSAGE_BYTES)
            .max_frame_size(MESSAGE_BYTES);
        socket.on_upgrade(move |socket| async move {
            let core = &asks.core;
            let (out, heard) = socket.split();
            let (said, chunks) = mpsc::channel(QUEUE);
            let chunks = stream::unfold(chunks, |mut chunks| async move {
                chunks.recv().await.map(|chunk| (chunk, chunks))
            });
            let production = Production::<S>::new(|out| run(core.clone(), opener, chunks, out, produce));
            let over = async {
                tokio::select! {
                    () = keep(core, &credential) => End::NotAllowed,
                    () = keep_allowed(&asks, device) => End::NotAllowed,
                    () = core.stop.cancelled() => End::Stopping,
                }
            };
            tokio::select! {
                () = write(out, production, over) => {}
                () = read(heard, said) => {}
            }
        })
    }
}

/// Returns when the caller may not do this on the device any more, because of other tags, or when there is no such device.
async fn keep_allowed(asks: &Asks, device: Option<OnDevice>) {
    let Some(OnDevice(device)) = device else {
        return std::future::pending().await;
    };
    let may = || asks.find(&asks.core.cache.lock(), &device.to_string()).is_ok();
    while may() {
        sleep(BEAT).await;
    }
}

/// Takes a place, hears what is wanted, and makes the stream.
async fn run<S: Streaming, F: Future<Output = End<S::End>>>(
    core: Arc<Core>,
    opener: Opener,
    chunks: impl stream::Stream<Item = Bytes> + Send + 'static,
    out: Outflow<S>,
    produce: impl FnOnce(S::Open, Upward<S>, Outflow<S>) -> F,
) -> End<S::End> {
    let _slot = match core.streams.take(&opener) {
        Ok(slot) => slot,
        Err(full) => return refuse(full).into(),
    };
    match Upward::open(chunks).await {
        Ok((open, up)) => produce(open, up, out).await,
        Err(error) => Problem::from(error).into(),
    }
}

fn refuse(full: NoRoom) -> Problem {
    let message = match full {
        NoRoom::Share(most) => {
            format!("{most} streams of yours are open already. Close one, then try again.")
        }
        NoRoom::All(most) => {
            format!("{most} streams are open already, the most that Flotilla serves. Try again later.")
        }
    };
    Code::RateLimited.because(message)
}

/// Hears what the caller says; returns when it is gone.
async fn read(mut heard: SplitStream<WebSocket>, said: mpsc::Sender<Bytes>) {
    while let Some(Ok(message)) = heard.next().await {
        match message {
            // A send fails where the stream takes nothing from its caller. The socket is read all the same, since only
            // reading notices its end.
            Message::Binary(chunk) => drop(said.send(chunk).await),
            Message::Close(_) => return,
            Message::Text(_) | Message::Ping(_) | Message::Pong(_) => {}
        }
    }
}

/// Sends the stream as fast as the caller takes it; returns after its end, or when the caller is gone.
async fn write<S: Streaming>(
    mut out: impl Sink<Message> + Unpin,
    mut production: Production<S>,
    over: impl Future<Output = End<S::End>>,
) {
    let mut over = std::pin::pin!(over);
    loop {
        let chunk = tokio::select! {
            biased;
            end = &mut over => {
                production.end(&end);
                break;
            }
            chunk = production.chunk() => match chunk {
                Some(chunk) => chunk,
                None => break,
            },
            () = sleep(BEAT) => Frame::BEAT.to_bytes().unwrap_or_default(),
        };
        let sent = tokio::select! {
            sent = timeout(SEND_TIMEOUT, out.send(Message::Binary(chunk))) => sent,
            end = &mut over => {
                production.end(&end);
                break;
            }
        };
        match sent {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return,
            Err(_) => {
                production.end(&End::TooSlow);
                break;
            }
        }
    }
    let _ = timeout(CLOSE_TIMEOUT, close(&mut out, &mut production)).await;
}

/// Sends what is left of the stream, which ends with its end, and closes the socket.
async fn close<S: Streaming, W: Sink<Message> + Unpin>(
    out: &mut W,
    production: &mut Production<S>,
) -> Result<(), W::Error> {
    while let Some(chunk) = production.chunk().await {
        out.feed(Message::Binary(chunk)).await?;
    }
    let frame = CloseFrame {
        code: close_code::NORMAL,
        reason: "".into(),
    };
    out.send(Message::Close(Some(frame))).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::tests::numbers::{Number, Numbers, Wanted};
    use flotilla_protocol::stream::{Event, Reader};
    use tokio_util::sync::PollSender;

    fn events(reader: &mut Reader<Numbers>, message: Message) -> Vec<Event<Number, u64>> {
        reader.handle_bytes(&message.into_data());
        std::iter::from_fn(|| reader.poll_event()).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_takes_nothing_for_half_a_minute_is_told_so_and_can_go_on() {
        let (sender, mut taken) = mpsc::channel(1);
        let production = Production::<Numbers>::new(|mut out| async move {
            for number in 0.. {
                out.send(&Number(number)).await.unwrap();
            }
            End::Canceled
        });
        let writing = tokio::spawn(write(PollSender::new(sender), production, std::future::pending()));
        let mut reader = Reader::<Numbers>::new(Wanted::default());
        events(&mut reader, taken.recv().await.unwrap());
        sleep(SEND_TIMEOUT - Duration::from_secs(1)).await;
        assert!(!writing.is_finished());
        sleep(Duration::from_millis(1_500)).await;
        let mut read = Vec::new();
        while let Some(message) = taken.recv().await {
            if let Message::Binary(_) = message {
                read.extend(events(&mut reader, message));
            }
        }
        assert_eq!(read.pop(), Some(Event::End(End::TooSlow)));
        let next = read.last().map_or(0, |last| match last {
            Event::Item(number) => number.0 + 1,
            Event::End(end) => panic!("{end:?}"),
        });
        assert_eq!(reader.into_open().from, next);
    }

    #[tokio::test(start_paused = true)]
    async fn a_quiet_stream_beats_until_it_is_over() {
        let (sender, mut taken) = mpsc::channel(1);
        let production = Production::<Numbers>::new(|_out| std::future::pending());
        let over = async {
            sleep(BEAT * 5 / 2).await;
            End::NotAllowed
        };
        tokio::spawn(write(PollSender::new(sender), production, over));
        for _ in 0..2 {
            assert_eq!(
                taken.recv().await,
                Some(Message::Binary(Frame::BEAT.to_bytes().unwrap()))
            );
        }
        let mut reader = Reader::<Numbers>::new(Wanted::default());
        let end = events(&mut reader, taken.recv().await.unwrap());
        assert_eq!(end, [Event::End(End::NotAllowed)]);
        assert!(matches!(taken.recv().await, Some(Message::Close(Some(_)))));
        assert_eq!(taken.recv().await, None);
    }
}
