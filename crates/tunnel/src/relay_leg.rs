//! The TLS leg of a relay, seen from both sides: two bounded queues between the data plane's thread and the task that
//! owns the connection.
//!
//! Life cycle: [`crate::Tunnel::open_stream`] tells the mesh that the leg is up; the task sends what
//! [`next`](RelayStream::next) answers and [`deliver`](RelayStream::deliver)s what comes; dropping the stream tells
//! that the leg is down. A queue that is full drops its oldest datagram, since nobody waits for that any more.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use flotilla_protocol::id::RelayId;
use tokio::sync::Notify;

use crate::command::Command;
use crate::wake::Wake;

/// About a quarter of a second at 50 Mbit/s.
const LONGEST_QUEUE: usize = 1024;

/// The task's side.
#[derive(Debug)]
pub struct RelayStream {
    pub(crate) relay: RelayId,
    pub(crate) rings: Rings,
    pub(crate) commands: Sender<Command>,
    pub(crate) wake: Arc<Wake>,
}

/// Both directions of one leg.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rings {
    pub(crate) outgoing: Arc<Ring>,
    pub(crate) incoming: Arc<Ring>,
}

#[derive(Debug, Default)]
pub(crate) struct Ring {
    queue: Mutex<Queue>,
    filled: Notify,
    dropped: AtomicU64,
}

#[derive(Debug, Default)]
struct Queue {
    datagrams: VecDeque<Vec<u8>>,
    is_closed: bool,
}

impl RelayStream {
    /// The next datagram for the relay; `None` once the tunnel has ended. Nothing is lost when this is canceled.
    pub async fn next(&self) -> Option<Vec<u8>> {
        loop {
            // Before looking, so that what comes between the look and the wait is noticed.
            let filled = self.rings.outgoing.filled.notified();
            {
                let mut queue = self.rings.outgoing.lock();
                if let Some(datagram) = queue.datagrams.pop_front() {
                    return Some(datagram);
                }
                if queue.is_closed {
                    return None;
                }
            }
            filled.await;
        }
    }

    /// A datagram came from the relay.
    pub fn deliver(&self, datagram: Vec<u8>) {
        if self.rings.incoming.push(datagram) {
            self.wake.wake();
        }
    }

    /// Datagrams that found a full queue, in both directions.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        let Rings { outgoing, incoming } = &self.rings;
        [outgoing, incoming]
            .iter()
            .map(|ring| ring.dropped.load(Ordering::Relaxed))
            .sum()
    }
}

impl Drop for RelayStream {
    fn drop(&mut self) {
        let rings = self.rings.clone();
        self.commands.send(Command::StreamDown(self.relay, rings)).ok();
        self.wake.wake();
    }
}

impl Rings {
    pub(crate) fn are(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.outgoing, &other.outgoing)
    }
}

impl Ring {
    /// Whether it was empty before.
    pub(crate) fn push(&self, datagram: Vec<u8>) -> bool {
        let mut queue = self.lock();
        let was_empty = queue.datagrams.is_empty();
        if queue.datagrams.len() == LONGEST_QUEUE {
            queue.datagrams.pop_front();
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        queue.datagrams.push_back(datagram);
        drop(queue);
        if was_empty {
            self.filled.notify_one();
        }
        was_empty
    }

    /// Everything in it.
    pub(crate) fn take(&self) -> VecDeque<Vec<u8>> {
        std::mem::take(&mut self.lock().datagrams)
    }

    pub(crate) fn close(&self) {
        self.lock().is_closed = true;
        self.filled.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Receiver, channel};
    use uuid::Uuid;

    fn stream() -> (RelayStream, Rings, Receiver<Command>) {
        let rings = Rings::default();
        let (commands, receiver) = channel();
        let stream = RelayStream {
            relay: RelayId(Uuid::nil()),
            rings: rings.clone(),
            commands,
            wake: Arc::new(Wake::new().unwrap()),
        };
        (stream, rings, receiver)
    }

    #[tokio::test]
    async fn a_full_queue_drops_its_oldest_datagram_and_counts_it() {
        let (stream, rings, _commands) = stream();
        for number in 0..LONGEST_QUEUE + 2 {
            rings.outgoing.push(number.to_ne_bytes().to_vec());
        }
        assert_eq!(stream.dropped(), 2);
        assert_eq!(stream.next().await, Some(2usize.to_ne_bytes().to_vec()));
    }

    #[tokio::test]
    async fn what_waits_is_woken_by_a_datagram_and_by_the_end() {
        let (stream, rings, _commands) = stream();
        let waiting = async {
            assert_eq!(stream.next().await, Some(vec![7]));
            assert_eq!(stream.next().await, None);
        };
        let filling = async {
            tokio::task::yield_now().await;
            rings.outgoing.push(vec![7]);
            tokio::task::yield_now().await;
            rings.outgoing.close();
        };
        tokio::join!(waiting, filling);
    }

    #[test]
    fn a_dropped_stream_says_that_its_leg_is_down() {
        let (stream, rings, commands) = stream();
        stream.deliver(vec![1]);
        assert_eq!(rings.incoming.take(), [vec![1]]);
        drop(stream);
        let command = commands.try_recv().unwrap();
        assert!(matches!(command, Command::StreamDown(_, down) if down.are(&rings)));
    }
}
