//! Detects readers that take what they are sent too slowly.
//!
//! A reader that stops, or takes a byte now and then, would hold a connection and a file for good. So the time in
//! which a write waits is counted against it, and every byte that it takes is counted in its favor. [`Paced`] counts,
//! under the TLS of a connection; [`Meter::exhausted`] returns once the reader is behind by more than its patience.
//! The task that serves the connection stops waiting for that when the connection is upgraded, because upgraded
//! connections have limits of their own.

use crate::settings::MIN_READ_RATE;
use parking_lot::Mutex;
use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, sleep},
};

/// How far a reader is behind: the time for which it kept writes waiting, less the time that the bytes it took are
/// worth.
#[derive(Debug, Default)]
struct Debt {
    settled: Duration,
    waiting_since: Option<Instant>,
}

impl Debt {
    fn wait(&mut self, now: Instant) {
        self.waiting_since.get_or_insert(now);
    }

    fn take(&mut self, bytes: usize, now: Instant) {
        let worth = Duration::from_secs_f64(bytes as f64 / f64::from(MIN_READ_RATE));
        self.settled = self.owed(now).saturating_sub(worth);
        self.waiting_since = None;
    }

    fn owed(&self, now: Instant) -> Duration {
        let waiting = self.waiting_since.map(|since| now.duration_since(since));
        self.settled + waiting.unwrap_or_default()
    }
}

/// Shared by a connection's byte stream and the task that serves it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Meter(Arc<Mutex<Debt>>);

impl Meter {
    /// Returns when the reader is behind by more than `patience`.
    pub(crate) async fn exhausted(&self, patience: Duration) {
        loop {
            let owed = self.with(|debt, now| debt.owed(now));
            if owed >= patience {
                return;
            }
            // A debt grows no faster than time passes, so this sleep misses nothing. Its lower bound keeps a reader at
            // the very edge from making this loop spin.
            sleep((patience - owed).max(patience / 32)).await;
        }
    }

    fn with<T>(&self, change: impl FnOnce(&mut Debt, Instant) -> T) -> T {
        let mut debt = self.0.lock();
        change(&mut debt, Instant::now())
    }
}

/// A byte stream whose writes are metered.
#[derive(Debug)]
pub(crate) struct Paced<S> {
    stream: S,
    meter: Meter,
}

impl<S> Paced<S> {
    pub(crate) fn new(stream: S, meter: Meter) -> Self {
        Self { stream, meter }
    }

    fn count(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match &written {
            Poll::Pending => self.meter.with(Debt::wait),
            Poll::Ready(Ok(bytes)) => self.meter.with(|debt, now| debt.take(*bytes, now)),
            Poll::Ready(Err(_)) => {}
        }
        written
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, data);
        self.count(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.count(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// How far a reader is behind after seconds of waiting, each ended by taking so many bytes.
    fn owed(taken: impl IntoIterator<Item = usize>) -> Duration {
        let (mut debt, mut now) = (Debt::default(), Instant::now());
        for bytes in taken {
            debt.wait(now);
            now += SECOND;
            debt.take(bytes, now);
        }
        debt.owed(now)
    }

    #[test]
    fn only_time_in_which_a_write_waits_is_owed_and_bytes_pay_for_it() {
        assert_eq!(owed([0, 0, 0]), 3 * SECOND);
        assert_eq!(owed([0, 0, 0, MIN_READ_RATE as usize]), 3 * SECOND);
        assert_eq!(owed([0, 0, 0, 5 * MIN_READ_RATE as usize]), Duration::ZERO);
        let (mut debt, now) = (Debt::default(), Instant::now());
        debt.take(1, now);
        assert_eq!(
            debt.owed(now + 1000 * SECOND),
            Duration::ZERO,
            "nothing was waiting"
        );
    }

    #[test]
    fn what_was_paid_in_advance_buys_no_waiting() {
        assert_eq!(owed([100 * MIN_READ_RATE as usize, 0]), SECOND);
    }

    proptest! {
        #[test]
        fn a_reader_that_keeps_the_pace_owes_a_second_at_most(more in prop::collection::vec(0_usize..1_000_000, 1..100)) {
            prop_assert!(owed(more.into_iter().map(|more| MIN_READ_RATE as usize + more)) <= SECOND);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn patience_ends_when_it_is_used_up_and_not_before() {
        let meter = Meter::default();
        let begun = Instant::now();
        let drip = async {
            loop {
                meter.with(Debt::wait);
                sleep(SECOND).await;
                meter.with(|debt, now| debt.take(MIN_READ_RATE as usize / 2, now));
            }
        };
        tokio::select! {
            () = meter.exhausted(10 * SECOND) => {}
            () = drip => {}
        }
        let took = begun.elapsed();
        assert!(took >= 18 * SECOND && took <= 21 * SECOND, "{took:?}");
    }
}
