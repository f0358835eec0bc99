//! The end of a stream that reads: from bytes to items and the one end.

use super::{Decoder, End, Frame, FrameKind, Malformed, Payload, Streaming};
use bytes::Bytes;

/// What a reader gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event<I, E> {
    Item(I),
    /// The last event.
    End(End<E>),
}

/// The events of a stream.
pub type EventOf<S> = Event<<S as Streaming>::Item, <S as Streaming>::End>;

/// Life cycle: bytes in, events out, until the end was given out. That happens once, whatever the bytes are.
#[derive(Debug)]
pub struct Reader<S: Streaming> {
    decoder: Decoder,
    open: S::Open,
    is_lost: bool,
    is_over: bool,
}

impl<S: Streaming> Reader<S> {
    /// A reader of the stream that is opened with `open`.
    pub fn new(open: S::Open) -> Self {
        Self {
            decoder: Decoder::default(),
            open,
            is_lost: false,
            is_over: false,
        }
    }

    /// Take all events before the next bytes are given: what is kept is then less than a frame.
    pub fn handle_bytes(&mut self, bytes: &[u8]) {
        if !self.is_over {
            self.decoder.handle_bytes(bytes);
        }
    }

    /// There will be no more bytes.
    pub fn handle_lost(&mut self) {
        self.is_lost = true;
    }

    /// The next event; `None` until more bytes have come, and after the end.
    pub fn poll_event(&mut self) -> Option<EventOf<S>> {
        let event = self.poll(|kind, body| S::Item::read(kind, &body))?;
        if let Event::Item(item) = &event {
            S::advance(&mut self.open, item);
        }
        Some(event)
    }

    /// Like [`Self::poll_event`], with the frame of an item in place of what is in it, for who passes it on. The place
    /// in the open stays where it is.
    pub fn poll_frame(&mut self) -> Option<Event<Frame, S::End>> {
        self.poll(|kind, body| {
            let kind = FrameKind::Own(kind);
            Ok(Some(Frame { kind, body }))
        })
    }

    fn poll<I>(
        &mut self,
        read: impl Fn(u8, Bytes) -> Result<Option<I>, Malformed>,
    ) -> Option<Event<I, S::End>> {
        if self.is_over {
            return None;
        }
        let event = match self.read(read) {
            Ok(Some(event)) => event,
            Ok(None) if self.is_lost => Event::End(End::LinkLost),
            Ok(None) => return None,
            Err(malformed) => Event::End(malformed.into()),
        };
        if let Event::End(_) = &event {
            self.is_over = true;
            self.decoder = Decoder::default();
        }
        Some(event)
    }

    fn read<I>(
        &mut self,
        read: impl Fn(u8, Bytes) -> Result<Option<I>, Malformed>,
    ) -> Result<Option<Event<I, S::End>>, Malformed> {
        while let Some(frame) = self.decoder.poll_frame()? {
            match frame.kind {
                FrameKind::Own(kind) => {
                    if let Some(item) = read(kind, frame.body)? {
                        return Ok(Some(Event::Item(item)));
                    }
                }
                FrameKind::End => return frame.read_end::<S>().map(|end| Some(Event::End(end))),
                FrameKind::Beat | FrameKind::Open | FrameKind::Finish | FrameKind::Unknown => {}
            }
        }
        Ok(None)
    }

    /// Whether the end was given out.
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// What to open to go on behind the last item.
    pub fn into_open(self) -> S::Open {
        self.open
    }
}
