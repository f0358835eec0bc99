//! The sessions, found by their id and by their client's key.

use super::{
    Leg, Limits, Transmit,
    allowance::Allowance,
    facts::{ClientFacts, Counters},
    queue::{Queue, Run},
};
use flotilla_protocol::{id::DeviceId, key::PublicKey};
use flotilla_wire::{Reason, SessionId};
use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, Instant},
};

#[derive(Debug)]
pub(super) struct Client {
    pub(super) key: PublicKey,
    pub(super) device: DeviceId,
    pub(super) leg: Leg,
    pub(super) since: Instant,
    pub(super) last_heard: Instant,
    /// When its ticket expires.
    pub(super) ticket_ends: Instant,
    pub(super) queue: Queue,
    pub(super) allowance: Allowance,
    pub(super) counters: Counters,
}

#[derive(Debug, Default)]
pub(super) struct Clients {
    by_session: BTreeMap<SessionId, Client>,
    by_key: BTreeMap<PublicKey, SessionId>,
    /// UDP clients whose queue is not empty, in the order in which they are served.
    waiting: VecDeque<SessionId>,
    queued_bytes: usize,
}

impl Clients {
    pub(super) fn len(&self) -> usize {
        self.by_session.len()
    }

    pub(super) fn sessions(&self) -> Vec<SessionId> {
        self.by_session.keys().copied().collect()
    }

    pub(super) fn get(&self, session: SessionId) -> Option<&Client> {
        self.by_session.get(&session)
    }

    pub(super) fn get_mut(&mut self, session: SessionId) -> Option<&mut Client> {
        self.by_session.get_mut(&session)
    }

    pub(super) fn by_key_mut(&mut self, key: &PublicKey) -> Option<(SessionId, &mut Client)> {
        let session = *self.by_key.get(key)?;
        Some((session, self.by_session.get_mut(&session)?))
    }

    pub(super) fn is_on(&self, session: SessionId, leg: Leg) -> bool {
        self.by_session
            .get(&session)
            .is_some_and(|client| is_same_leg(client.leg, leg))
    }

    /// The client of a session, when a frame came on the client's own leg; its time of last contact is set.
    pub(super) fn refresh(&mut self, session: SessionId, from: Leg, now: Instant) -> Option<&mut Client> {
        let client = self.by_session.get_mut(&session)?;
        if !is_same_leg(client.leg, from) {
            return None;
        }
        client.leg = from;
        client.last_heard = now;
        Some(client)
    }

    pub(super) fn insert(&mut self, session: SessionId, client: Client) {
        self.by_key.insert(client.key, session);
        self.by_session.insert(session, client);
    }

    pub(super) fn remove(&mut self, session: SessionId) -> Option<Client> {
        let client = self.by_session.remove(&session)?;
        self.by_key.remove(&client.key);
        self.queued_bytes -= client.queue.bytes();
        self.waiting.retain(|waiting| *waiting != session);
        Some(client)
    }

    /// Bounds the keys that clients' allowances remember to those with a session.
    pub(super) fn forget_absent_keys(&mut self) {
        for client in self.by_session.values_mut() {
            if client.allowance.remembered_keys() > self.by_key.len() {
                client.allowance.retain_keys(|key| self.by_key.contains_key(key));
            }
        }
    }

    /// The sessions that are over, each with the reason.
    pub(super) fn expired(&self, now: Instant, idle: Duration) -> Vec<(SessionId, Reason)> {
        let over = self.by_session.iter().filter_map(|(session, client)| {
            let reason = if client.ticket_ends <= now {
                Reason::TicketExpired
            } else if now.saturating_duration_since(client.last_heard) >= idle {
                Reason::Idle
            } else {
                return None;
            };
            Some((*session, reason))
        });
        over.collect()
    }

    /// Puts a run of `from` into the queue of a client, or drops it.
    pub(super) fn enqueue(
        &mut self,
        session: SessionId,
        from: SessionId,
        bytes: &[u8],
        segment: usize,
        limits: &Limits,
    ) {
        let Some(client) = self.by_session.get_mut(&session) else {
            return;
        };
        let others = self.queued_bytes - client.queue.bytes();
        let limit = limits.queue_bytes.min(limits.queued_bytes.saturating_sub(others));
        client.counters.dropped_datagrams += client.queue.make_room(from, bytes.len(), limit);
        let run = Run {
            from,
            bytes: bytes.to_vec(),
            segment,
        };
        if bytes.len() > limit {
            client.counters.dropped_datagrams += run.datagrams();
        } else {
            if client.queue.is_empty() && matches!(client.leg, Leg::Udp(_)) {
                self.waiting.push_back(session);
            }
            client.queue.push(run);
        }
        self.queued_bytes = others + client.queue.bytes();
    }

    /// Takes the oldest run that waits for a client.
    pub(super) fn dequeue(&mut self, session: SessionId) -> Option<Run> {
        let client = self.by_session.get_mut(&session)?;
        let run = client.queue.pop()?;
        self.queued_bytes -= run.bytes.len();
        client.counters.sent(run.bytes.len(), run.segment);
        Some(run)
    }

    /// Takes a run of the UDP client whose turn it is.
    pub(super) fn poll_queued(&mut self) -> Option<Transmit> {
        loop {
            let session = self.waiting.pop_front()?;
            let Some(run) = self.dequeue(session) else {
                continue;
            };
            let Some(client) = self.by_session.get(&session) else {
                continue;
            };
            if !client.queue.is_empty() {
                self.waiting.push_back(session);
            }
            if let Leg::Udp(to) = client.leg {
                return Some(Transmit {
                    to,
                    bytes: run.bytes,
                    segment: run.segment,
                });
            }
        }
    }

    pub(super) fn facts(&self) -> Vec<ClientFacts> {
        let sessions = self
            .by_key
            .values()
            .filter_map(|session| self.by_session.get(session));
        sessions
            .map(|client| ClientFacts {
                key: client.key,
                device: client.device,
                leg: client.leg,
                since: client.since,
                counters: client.counters,
                queued_bytes: client.queue.bytes(),
            })
            .collect()
    }
}

/// The relay's own address may change under a client's session, so only the remote ends are compared.
fn is_same_leg(a: Leg, b: Leg) -> bool {
    match (a, b) {
        (Leg::Udp(a), Leg::Udp(b)) => a.remote == b.remote,
        (Leg::Tls(a), Leg::Tls(b)) => a == b,
        _ => false,
    }
}
