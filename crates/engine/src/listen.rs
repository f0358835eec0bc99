//! Listens to the engine's events and keeps the marks that they leave until `follow_connection` takes them.
//!
//! The end of the stream is not the end of the engine: the stream is opened again from the last event on, after pauses
//! that grow while it ends at once. Events that may have been missed are made up for by reading the lists once.

use crate::{connection::Connection, stale::StaleMarks};
use bollard::models::EventMessage;
use flotilla_protocol::Timestamp;
use futures_util::StreamExt as _;
use std::{
    convert::Infallible,
    mem,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::Notify,
    time::{Instant, sleep},
};

/// How long events are gathered before they are read: far below what a person notices.
const GATHER: Duration = Duration::from_millis(75);

/// How long after its end a stream is opened again. A stream that ends each time costs a few lists every half a minute.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How long a stream has to live to count as working.
const GOOD_STREAM: Duration = Duration::from_secs(10);

/// Marks that a listener sets and a reader takes. Clones are the same marks.
#[derive(Debug, Clone, Default)]
pub(crate) struct Marks {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    stale: Mutex<StaleMarks>,
    marked: Notify,
}

impl Marks {
    fn mark(&self, event: EventMessage) {
        self.stale().mark(event);
        self.notify();
    }

    fn mark_all(&self) {
        let mut stale = self.stale();
        *stale = StaleMarks {
            containers: mem::take(&mut stale.containers),
            health: mem::take(&mut stale.health),
            checked: mem::take(&mut stale.checked),
            ..StaleMarks::everything()
        };
        drop(stale);
        self.notify();
    }

    fn notify(&self) {
        if !self.stale().is_empty() {
            self.shared.marked.notify_one();
        }
    }

    fn stale(&self) -> MutexGuard<'_, StaleMarks> {
        self.shared.stale.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for marks and takes them. Cancelling loses none.
    pub(crate) async fn next(&self) -> StaleMarks {
        loop {
            if self.stale().is_empty() {
                self.shared.marked.notified().await;
            }
            sleep(GATHER).await;
            let stale = mem::take(&mut *self.stale());
            if !stale.is_empty() {
                return stale;
            }
        }
    }
}

/// Follows the events of an engine for as long as it is polled.
pub(crate) async fn listen(connection: &Connection, marks: &Marks) -> Infallible {
    let mut since = connection.engines_clock();
    let mut pause = FIRST_PAUSE;
    loop {
        let begun = Instant::now();
        let mut events = pin!(connection.events(since));
        while let Some(Ok(event)) = events.next().await {
            since = after(&event).or(since);
            marks.mark(event);
        }
        if begun.elapsed() >= GOOD_STREAM {
            pause = FIRST_PAUSE;
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
        marks.mark_all();
    }
}

/// The moment right after an event, from which on further events are wanted.
fn after(event: &EventMessage) -> Option<Timestamp> {
    let nanosecond = i128::from(event.time_nano?).checked_add(1)?;
    Timestamp::from_nanosecond(nanosecond).ok()
}
