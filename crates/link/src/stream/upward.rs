//! What the caller of a stream says, from chunks of bytes.

use bytes::Bytes;
use flotilla_protocol::{
    Code, Problem,
    stream::{Listener, Malformed, Said, SaidOf, Streaming},
};
use futures_util::{Stream, StreamExt};
use std::{pin::Pin, time::Duration};
use tokio::time::timeout;

/// How long a caller may take to say what it wants, once it is connected.
const OPEN: Duration = Duration::from_secs(10);

/// What a caller says, after what it wants.
#[derive(derive_more::Debug)]
#[debug("Upward")]
pub struct Upward<S: Streaming> {
    chunks: Pin<Box<dyn Stream<Item = Bytes> + Send>>,
    listener: Listener<S>,
    is_over: bool,
}

/// Why there is no stream.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotOpened {
    #[error(transparent)]
    Malformed(#[from] Malformed),
    #[error("nothing was asked for within {} s", OPEN.as_secs())]
    Silent,
    #[error("the caller went away before it said what it wants")]
    Gone,
}

impl From<NotOpened> for Problem {
    fn from(error: NotOpened) -> Self {
        match error {
            NotOpened::Malformed(malformed) => malformed.into(),
            NotOpened::Silent | NotOpened::Gone => {
                Code::InvalidInput.because(format!("The stream was not opened: {error}. Open it again."))
            }
        }
    }
}

impl<S: Streaming> Upward<S> {
    /// Waits for what the caller wants.
    ///
    /// # Errors
    /// It is not said, or not as this version says it.
    pub async fn open(
        chunks: impl Stream<Item = Bytes> + Send + 'static,
    ) -> Result<(S::Open, Self), NotOpened> {
        let mut upward = Self {
            chunks: Box::pin(chunks),
            listener: Listener::default(),
            is_over: false,
        };
        let said = timeout(OPEN, upward.said())
            .await
            .map_err(|_| NotOpened::Silent)??;
        match said {
            Some(Said::Open(open)) => Ok((open, upward)),
            Some(Said::Up(_) | Said::Finish) => Err(Malformed::OutOfTurn.into()),
            None => Err(NotOpened::Gone),
        }
    }

    /// What the caller says next; `None` when it says no more. Cancel safe.
    ///
    /// # Errors
    /// It says something that is not of this stream.
    pub async fn next(&mut self) -> Result<Option<S::Up>, Malformed> {
        if self.is_over {
            return Ok(None);
        }
        let said = self.said().await;
        self.is_over = !matches!(said, Ok(Some(Said::Up(_))));
        match said? {
            Some(Said::Up(up)) => Ok(Some(up)),
            Some(Said::Open(_)) => Err(Malformed::OutOfTurn),
            Some(Said::Finish) | None => Ok(None),
        }
    }

    /// `None` when the bytes stopped.
    async fn said(&mut self) -> Result<Option<SaidOf<S>>, Malformed> {
        loop {
            if let Some(said) = self.listener.poll_said()? {
                return Ok(Some(said));
            }
            match self.chunks.next().await {
                Some(chunk) => self.listener.handle_bytes(&chunk),
                None => return Ok(None),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::BufMut as _;
    use flotilla_protocol::{
        job::JobProgress,
        stream::{Frame, LONGEST_BODY},
    };
    use futures_util::stream;

    async fn open(
        chunks: impl Stream<Item = Bytes> + Send + 'static,
    ) -> Result<Upward<JobProgress>, NotOpened> {
        Upward::open(chunks).await.map(|(_, upward)| upward)
    }

    #[tokio::test(start_paused = true)]
    async fn who_never_says_what_it_wants_is_waited_for_ten_seconds() {
        let beats = stream::repeat_with(|| Frame::BEAT.to_bytes().unwrap()).take(9);
        let refused = timeout(OPEN * 2, open(beats.chain(stream::pending()))).await;
        assert_eq!(refused.unwrap().unwrap_err(), NotOpened::Silent);
    }

    #[tokio::test]
    async fn who_wants_16_mib_of_things_is_refused_at_the_first_bytes() {
        let mut head = Vec::new();
        head.put_u32(16 << 20);
        head.put_u8(1);
        let refused = open(stream::iter([Bytes::from(head)]).chain(stream::pending())).await;
        let why = refused.unwrap_err();
        assert_eq!(
            why,
            Malformed::TooLong(16 << 20).into(),
            "{LONGEST_BODY} is the most"
        );
    }
}
