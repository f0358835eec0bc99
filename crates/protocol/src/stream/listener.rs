//! The end of a stream that sends items: from bytes to what is wanted and what the caller says.

use super::{Decoder, FrameKind, Malformed, Payload, Streaming, from_json};

/// What the caller of a stream said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said<O, U> {
    /// What it wants: the first thing, and said once.
    Open(O),
    Up(U),
    /// It says no more. What follows is not read.
    Finish,
}

/// What the caller of this kind of stream said.
pub type SaidOf<S> = Said<<S as Streaming>::Open, <S as Streaming>::Up>;

/// Life cycle: bytes in; out come the open, what the caller says, and `Finish`.
#[derive(Debug)]
pub struct Listener<S: Streaming> {
    decoder: Decoder,
    is_open: bool,
    is_finished: bool,
    stream: std::marker::PhantomData<fn() -> S>,
}

impl<S: Streaming> Default for Listener<S> {
    fn default() -> Self {
        Self {
            decoder: Decoder::default(),
            is_open: false,
            is_finished: false,
            stream: std::marker::PhantomData,
        }
    }
}

impl<S: Streaming> Listener<S> {
    /// Take all that was said before the next bytes are given: what is kept is then less than a frame.
    pub fn handle_bytes(&mut self, bytes: &[u8]) {
        if !self.is_finished {
            self.decoder.handle_bytes(bytes);
        }
    }

    /// What was said next; `None` until more bytes have come.
    ///
    /// # Errors
    /// The bytes are not a stream of this kind; every later call fails, too, or answers `None`.
    pub fn poll_said(&mut self) -> Result<Option<SaidOf<S>>, Malformed> {
        while !self.is_finished
            && let Some(frame) = self.decoder.poll_frame()?
        {
            match frame.kind {
                FrameKind::Open if self.is_open => return Err(Malformed::OutOfTurn),
                FrameKind::Open => {
                    self.is_open = true;
                    return from_json(&frame.body).map(|open| Some(Said::Open(open)));
                }
                FrameKind::Own(_) | FrameKind::Finish if !self.is_open => return Err(Malformed::OutOfTurn),
                FrameKind::Own(kind) => {
                    if let Some(up) = S::Up::read(kind, &frame.body)? {
                        return Ok(Some(Said::Up(up)));
                    }
                }
                FrameKind::Finish => {
                    self.is_finished = true;
                    return Ok(Some(Said::Finish));
                }
                FrameKind::Beat | FrameKind::End | FrameKind::Unknown => {}
            }
        }
        Ok(None)
    }
}
