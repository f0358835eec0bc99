//! Control's end: a stream that it opened at an agent.

use super::{Opener, Outflow, Upward};
use crate::{
    AgentLink, CallError,
    duplex::{Duplex, DuplexInput, DuplexOutput},
    sanitize_device_problem,
};
use flotilla_protocol::stream::{End, Event, EventOf, Frame, Malformed, Payload, Reader, Streaming};
use http::Request;
use std::{future::pending, time::Duration};

/// An open stream. Dropping it cancels it at the agent.
#[derive(derive_more::Debug)]
pub struct AgentStream<S: Streaming> {
    reader: Reader<S>,
    /// `None` when nothing more is read.
    #[debug(skip)]
    output: Option<DuplexOutput>,
    /// `None` when nothing more is said.
    #[debug(skip)]
    input: Option<DuplexInput>,
}

impl AgentLink {
    /// Opens a stream; the agent answers within `limit`, and the stream then goes on until either side ends it. It
    /// counts against [`crate::LONG_STREAMS`] of the device and against the opener's share of them.
    ///
    /// # Errors
    /// Too many are open, the link ended, the agent was too slow, or it refused.
    pub async fn open<S: Streaming>(
        &self,
        at: &S::At,
        open: S::Open,
        opener: &Opener,
        limit: Duration,
    ) -> Result<AgentStream<S>, CallError> {
        let malformed = |error: Malformed| CallError::Malformed(error.to_string());
        let first = Frame::open::<S>(&open).and_then(|frame| frame.to_bytes());
        let request = Request::post(S::path(at)).body(first.map_err(malformed)?);
        let request = request.map_err(|error| CallError::Malformed(error.to_string()))?;
        let (input, output) = if S::Up::IS_EVER_SENT {
            let Duplex { input, output } = self.duplex(request, opener, limit).await?;
            (Some(input), output)
        } else {
            let output = self.stream_of(request, opener, limit).await?;
            (None, DuplexOutput::alone(output))
        };
        Ok(AgentStream {
            reader: Reader::new(open),
            output: Some(output),
            input,
        })
    }
}

impl<S: Streaming> AgentStream<S> {
    /// The next event; `None` after the end. Cancel safe.
    pub async fn next(&mut self) -> Option<EventOf<S>> {
        next(&mut self.reader, &mut self.output, Reader::poll_event).await
    }

    /// Says something to the agent; waits while it does not take it.
    ///
    /// # Errors
    /// The agent ended the stream or the link, or there is no frame for this.
    pub async fn say(&self, up: &S::Up) -> Result<(), CallError> {
        say::<S>(self.input.as_ref(), up).await
    }

    /// Says that there is no more to come. The items go on.
    ///
    /// # Errors
    /// The agent ended the stream or the link.
    pub async fn finish(&mut self) -> Result<(), CallError> {
        finish(self.input.take()).await
    }

    /// Passes the stream on to a reader of control, both ways at once, until it ends. The reader's stream may have another
    /// path, and carries the same: its items are not looked at on the way.
    pub async fn pass_on<T>(mut self, mut up: Upward<T>, mut out: Outflow<T>) -> End<S::End>
    where
        T: Streaming<Up = S::Up, Item = S::Item, End = S::End>,
    {
        let mut input = self.input.take();
        let speak = async {
            loop {
                match up.next().await {
                    Ok(Some(said)) => {
                        // When the agent takes no more, its end is on the way.
                        if say::<S>(input.as_ref(), &said).await.is_err() {
                            return pending().await;
                        }
                    }
                    Ok(None) => {
                        let _ = finish(input.take()).await;
                        return pending().await;
                    }
                    Err(malformed) => return End::from(malformed),
                }
            }
        };
        let (mut reader, mut output) = (self.reader, self.output);
        let listen = async {
            loop {
                match next(&mut reader, &mut output, Reader::poll_frame).await {
                    Some(Event::Item(frame)) => {
                        if let Err(malformed) = out.send_frame(&frame).await {
                            return malformed.into();
                        }
                    }
                    Some(Event::End(end)) => return end,
                    None => return End::LinkLost,
                }
            }
        };
        tokio::select! {
            end = listen => end,
            end = speak => end,
        }
    }

    /// What to open to go on behind the last item.
    pub fn into_open(self) -> S::Open {
        self.reader.into_open()
    }
}

async fn next<S: Streaming, I>(
    reader: &mut Reader<S>,
    output: &mut Option<DuplexOutput>,
    poll: impl Fn(&mut Reader<S>) -> Option<Event<I, S::End>>,
) -> Option<Event<I, S::End>> {
    loop {
        match poll(reader) {
            Some(Event::Item(item)) => return Some(Event::Item(item)),
            Some(Event::End(end)) => {
                // The stream is the agent's no more, however long its end is looked at.
                *output = None;
                return Some(Event::End(of_device(end)));
            }
            None => {}
        }
        if reader.is_over() {
            return None;
        }
        match output {
            Some(open) => match open.next().await {
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        reader.handle_bytes(&data);
                    }
                }
                Some(Err(_)) | None => reader.handle_lost(),
            },
            None => reader.handle_lost(),
        }
    }
}

/// An end as a device may say it: it does not decide who has access to control.
fn of_device<E>(end: End<E>) -> End<E> {
    match end {
        End::Failed { problem } => sanitize_device_problem(problem).into(),
        End::NotAllowed => End::Unknown,
        end => end,
    }
}

async fn say<S: Streaming>(input: Option<&DuplexInput>, up: &S::Up) -> Result<(), CallError> {
    let said = Frame::of(up).and_then(|frame| frame.to_bytes());
    let said = said.map_err(|error| CallError::Malformed(error.to_string()))?;
    input.ok_or(CallError::Closed)?.send(said).await
}

async fn finish(input: Option<DuplexInput>) -> Result<(), CallError> {
    let Some(input) = input else { return Ok(()) };
    if let Ok(finish) = Frame::FINISH.to_bytes() {
        input.send(finish).await?;
    }
    input.finish().await
}
