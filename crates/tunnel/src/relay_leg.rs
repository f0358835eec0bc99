//! The TLS leg of a relay: two bounded queues between the data plane's thread and the agent's task that owns the
//! connection.
//!
//! Life cycle: [`crate::Tunnel::open_leg`] tells the mesh that the leg is up; the task sends what
//! [`next`](RelayLeg::next) returns and passes what it receives to [`deliver`](RelayLeg::deliver); dropping the leg
//! tells the mesh that it is down. A full queue drops its oldest datagram, because that is the least useful one to its
//! receiver.

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

/// The task's end of a leg.
#[derive(Debug)]
pub struct RelayLeg {
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

impl RelayLeg {
    /// The next datagram for the relay; `None` once the tunnel has ended. Canceling it loses nothing.
    pub async fn next(&self) -> Option<Vec<u8>> {
        loop {
            // Taken before the queue is checked, so that a datagram that is pushed between the check and the wait is
            // noticed.
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

    /// Passes a datagram from the relay to the mesh.
    pub fn deliver(&self, datagram: Vec<u8>) {
        if self.rings.incoming.push(datagram) {
            self.wake.wake();
        }
    }

    /// Datagrams that were dropped because a queue was full, in both directions.
    pub fn dropped(&self) -> u64 {
        let Rings { outgoing, incoming } = &self.rings;
        [outgoing, incoming]
            .iter()
            .map(|ring| ring.dropped.load(Ordering::Relaxed))
            .sum()
    }
}

impl Drop for RelayLeg {
    fn drop(&mut self) {
        let rings = self.rings.clone();
        self.commands.send(Command::LegDown(self.relay, rings)).ok();
        self.wake.wake();
    }
}

impl Rings {
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.outgoing, &other.outgoing)
    }
}

impl Ring {
    /// Returns whether the queue was empty before.
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

    /// Takes all datagrams.
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

    fn leg() -> (RelayLeg, Rings, Receiver<Command>) {
        let rings = Rings::default();
        let (commands, receiver) = channel();
        let leg = RelayLeg {
            relay: RelayId(Uuid::nil()),
            rings: rings.clone(),
            commands,
            wake: Arc::new(Wake::new().unwrap()),
        };
        (leg, rings, receiver)
    }

    #[tokio::test]
    async fn a_full_queue_drops_its_oldest_datagram_and_counts_it() {
        let (leg, rings, _commands) = leg();
        for number in 0..LONGEST_QUEUE + 2 {
            rings.outgoing.push(number.to_ne_bytes().to_vec());
        }
        assert_eq!(leg.dropped(), 2);
        assert_eq!(leg.next().await, Some(2usize.to_ne_bytes().to_vec()));
    }

    #[tokio::test]
    async fn what_waits_is_woken_by_a_datagram_and_by_the_end() {
        let (leg, rings, _commands) = leg();
        let waiting = async {
            assert_eq!(leg.next().await, Some(vec![7]));
            assert_eq!(leg.next().await, None);
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
    fn a_dropped_leg_says_that_its_leg_is_down() {
        let (leg, rings, commands) = leg();
        leg.deliver(vec![1]);
        assert_eq!(rings.incoming.take(), [vec![1]]);
        drop(leg);
        let command = commands.try_recv().unwrap();
        assert!(matches!(command, Command::LegDown(_, down) if down.is_same(&rings)));
    }
}
