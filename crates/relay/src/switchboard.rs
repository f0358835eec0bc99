//! Who is connected, and where a packet goes: the relay's decisions, without sockets and without a clock.
//!
//! Life of a client: unknown → challenged (nothing of it is kept) → admitted, with a session → ended: said so
//! itself, replaced by a newer session of the same key, idle, ticket ran out, or revoked. A stream lives longer
//! than its session by one message, and ends when it was not admitted in time.
//!
//! Inputs are [`Switchboard::handle_run`], [`Switchboard::handle_timeout`] and those about streams. After each,
//! the caller sends the forwards, drains [`Switchboard::poll_answer`] and wakes [`Switchboard::poll_stream_ready`];
//! [`Switchboard::poll_transmit`] has what a full socket did not take.

mod admission;
mod clients;
mod cookies;
mod facts;
mod gate;
mod leg;
mod limits;
mod pace;
mod queue;
mod streams;
#[cfg(test)]
mod tests;

pub use facts::{ClientFacts, Counters, Facts, Totals};
pub use leg::{Forward, Leg, Route, Transmit};
pub use limits::Limits;
pub use streams::{StreamId, StreamOutput};

use clients::{Client, Clients};
use cookies::Cookies;
use flotilla_identity::{TICKET_LIFETIME, TicketVerifier};
use flotilla_protocol::{Timestamp, key::PublicKey};
use flotilla_wire::{DATA_HEADER_LEN, Frame, MAX_CONTROL_LEN, Reason, SessionId, StaticKey, readdress};
use gate::Gate;
use pace::Line;
use rand::{SeedableRng, rngs::StdRng};
use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
    time::{Duration, Instant},
};
use streams::Streams;

/// What a client is told to let pass at most between two pings; NATs forget a mapping after 30 s or more.
const KEEPALIVE_SECONDS: u16 = 25;

/// How often clients are looked through for those whose time is over.
const SWEEP: Duration = Duration::from_secs(5);

/// Answers that wait to be sent; they are sent after each input, so more is a socket that does not take them.
const ANSWERS: usize = 1024;

/// The present moment, by both clocks.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    pub at: Instant,
    /// By which tickets run out.
    pub wall: Timestamp,
}

/// The relay's state.
#[derive(Debug)]
pub struct Switchboard {
    key: StaticKey,
    tickets: TicketVerifier,
    limits: Limits,
    random: StdRng,
    cookies: Cookies,
    gate: Gate,
    clients: Clients,
    line: Line,
    streams: Streams,
    /// With the moment from which no ticket for them can be good.
    revoked: BTreeMap<PublicKey, Instant>,
    answers: VecDeque<Transmit>,
    totals: Totals,
    next_sweep: Instant,
}

impl Switchboard {
    /// `seed` must be random outside of tests: sessions and cookies come from it.
    #[must_use]
    pub fn new(
        key: StaticKey,
        tickets: TicketVerifier,
        limits: Limits,
        seed: [u8; 32],
        now: Instant,
    ) -> Self {
        let mut random = StdRng::from_seed(seed);
        Self {
            key,
            tickets,
            limits,
            cookies: Cookies::new(&mut random, now),
            random,
            gate: Gate::default(),
            clients: Clients::default(),
            line: Line::new(now),
            streams: Streams::default(),
            revoked: BTreeMap::new(),
            answers: VecDeque::new(),
            totals: Totals::default(),
            next_sweep: now + SWEEP,
        }
    }

    /// Takes datagrams of one sender in: each is `segment` long, the last may be shorter. What goes on at once is
    /// readdressed in place and added to `forwards`.
    pub fn handle_run(
        &mut self,
        from: Leg,
        run: &mut [u8],
        segment: usize,
        now: Now,
        forwards: &mut Vec<Forward>,
    ) {
        let segment = segment.max(1);
        let mut start = 0;
        while let Some(rest) = run.get_mut(start..).filter(|rest| !rest.is_empty()) {
            let length = alike(rest, segment);
            let Some(group) = rest.get_mut(..length) else {
                break;
            };
            if let Some((to, source, session)) = self.handle_group(from, group, segment, now) {
                forwards.push(Forward {
                    to,
                    range: start..start + length,
                    segment,
                    session,
                    source,
                });
            }
            start += length.max(1);
        }
    }

    /// Datagrams with the same header, or one datagram.
    fn handle_group(
        &mut self,
        from: Leg,
        group: &mut [u8],
        segment: usize,
        now: Now,
    ) -> Option<(Route, SessionId, SessionId)> {
        let first = group.get(..segment.min(group.len()))?;
        match Frame::parse(first) {
            Ok(Frame::Data(data)) => {
                let (session, to) = (data.session, data.key);
                let passed = self.pass(from, session, to, group, segment, now);
                passed.map(|(route, there)| (route, session, there))
            }
            Ok(frame) => {
                self.handle_frame(from, &frame, now);
                None
            }
            Err(_) => {
                self.totals.malformed += 1;
                None
            }
        }
    }

    fn pass(
        &mut self,
        from: Leg,
        session: SessionId,
        to: PublicKey,
        group: &mut [u8],
        segment: usize,
        now: Now,
    ) -> Option<(Route, SessionId)> {
        let Some(source) = self.clients.heard(session, from, now.at) else {
            self.totals.no_session += 1;
            let reason = Reason::NoSession;
            self.answer(from, &Frame::End { session, reason });
            return None;
        };
        source.counters.received(group.len(), segment);
        let (limits, cost) = (&self.limits, pace::cost(group.len(), segment));
        if !source.pace.is_welcome(&to, cost, limits.unasked, now.at) {
            source.counters.unasked_datagrams += facts::datagrams(group.len(), segment);
            return None;
        }
        if !source.pace.has_room(&mut self.line, cost, limits.line, now.at) {
            source.counters.crowded_datagrams += facts::datagrams(group.len(), segment);
            return None;
        }
        let source = source.key;
        let Some((there, client)) = self.clients.by_key_mut(&to).filter(|_| to != source) else {
            self.totals.gone += 1;
            self.answer(from, &Frame::Gone { session, key: to });
            return None;
        };
        client.pace.hear(source);
        for datagram in group.chunks_mut(segment) {
            readdress(datagram, there, source);
        }
        match client.leg {
            Leg::Udp(route) if client.queue.is_empty() => {
                client.counters.sent(group.len(), segment);
                Some((route, there))
            }
            _ => {
                self.keep(there, session, group, segment);
                None
            }
        }
    }

    /// A forward that the socket did not take: it waits in the receiver's queue. `run` is the run it is of.
    pub fn return_forward(&mut self, forward: &Forward, run: &[u8]) {
        if let Some(client) = self.clients.get_mut(forward.session)
            && let Some(bytes) = run.get(forward.range.clone())
        {
            client.counters.unsent(bytes.len(), forward.segment);
            self.keep(forward.session, forward.source, bytes, forward.segment);
        }
    }

    /// Puts datagrams of `from` into a client's queue.
    fn keep(&mut self, session: SessionId, from: SessionId, bytes: &[u8], segment: usize) {
        self.clients.keep(session, from, bytes, segment, &self.limits);
        if let Some(Leg::Stream(stream)) = self.clients.get_mut(session).map(|client| client.leg) {
            self.streams.wake(stream);
        }
    }

    fn handle_frame(&mut self, from: Leg, frame: &Frame<'_>, now: Now) {
        match *frame {
            Frame::ReflectRequest { .. } => {
                if let Leg::Udp(route) = from
                    && let Some(answer) = reflect(frame, route.remote)
                {
                    self.totals.reflected += 1;
                    self.answer(from, &answer);
                }
            }
            Frame::Hello(hello) => self.handle_hello(from, &hello, now),
            Frame::Ping { session, tx } => {
                let answer = match self.clients.heard(session, from, now.at) {
                    Some(_) => Frame::Pong { session, tx },
                    None => Frame::End {
                        session,
                        reason: Reason::NoSession,
                    },
                };
                self.answer(from, &answer);
            }
            Frame::End { session, .. } => {
                if self.clients.heard(session, from, now.at).is_some() {
                    self.end(session, None);
                }
            }
            // Only relays say these, and probes travel inside data.
            _ => self.totals.malformed += 1,
        }
    }

    /// Ends a session; with a reason, its client is told.
    fn end(&mut self, session: SessionId, reason: Option<Reason>) -> Option<Client> {
        let client = self.clients.remove(session)?;
        if let Some(reason) = reason {
            self.answer(client.leg, &Frame::End { session, reason });
        }
        if let Leg::Stream(stream) = client.leg {
            self.streams.finish(stream);
        }
        Some(client)
    }

    fn answer(&mut self, to: Leg, frame: &Frame<'_>) {
        let mut bytes = [0; MAX_CONTROL_LEN];
        let Some(bytes) = frame.write(&mut bytes).and_then(|length| bytes.get(..length)) else {
            return;
        };
        match to {
            Leg::Udp(to) if self.answers.len() < ANSWERS => self.answers.push_back(Transmit {
                to,
                bytes: bytes.to_vec(),
                segment: bytes.len(),
            }),
            Leg::Udp(_) => self.totals.unanswered += 1,
            Leg::Stream(stream) => self.streams.say(stream, bytes.to_vec()),
        }
    }

    /// The next answer to send by UDP.
    pub fn poll_answer(&mut self) -> Option<Transmit> {
        self.answers.pop_front()
    }

    /// What waits in the queues of UDP clients: one run per client in turn.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.clients.poll_queued()
    }

    /// Tickets for these keys count no longer, and their sessions end.
    pub fn revoke(&mut self, keys: impl IntoIterator<Item = PublicKey>, now: Instant) {
        for key in keys {
            self.revoked.insert(key, now + TICKET_LIFETIME);
            if let Some(session) = self.clients.by_key_mut(&key).map(|(session, _)| session) {
                self.end(session, Some(Reason::Revoked));
            }
        }
    }

    /// Passes on so many bytes per second for all clients together.
    pub fn limit_line(&mut self, bytes_per_second: u64) {
        self.limits.line = bytes_per_second;
    }

    /// Ends every session, so that clients need not find out by themselves.
    pub fn leave(&mut self) {
        for session in self.clients.sessions() {
            self.end(session, Some(Reason::Leaving));
        }
    }

    #[must_use]
    pub fn poll_timeout(&self) -> Instant {
        self.next_sweep
    }

    /// Ends what is over at `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        if now < self.next_sweep {
            return;
        }
        self.next_sweep = now + SWEEP;
        self.cookies.rotate(&mut self.random, now);
        self.gate.sweep(now);
        self.revoked.retain(|_, until| *until > now);
        self.streams.sweep(now);
        self.clients.forget_the_gone();
        for (session, reason) in self.clients.over(now, self.limits.idle) {
            self.end(session, Some(reason));
        }
    }

    #[must_use]
    pub fn facts(&self) -> Facts {
        Facts {
            clients: self.clients.facts(),
            streams: self.streams.len(),
            totals: self.totals,
        }
    }
}

/// The answer to a request for the address that a caller is seen at.
#[must_use]
pub fn reflect(frame: &Frame<'_>, seen: SocketAddr) -> Option<Frame<'static>> {
    match *frame {
        Frame::ReflectRequest { tx } => Some(Frame::ReflectAnswer { tx, observed: seen }),
        _ => None,
    }
}

/// Length of the datagrams at the beginning of a run that have the first one's header, when that is a data
/// frame's; of the first one alone otherwise. Everything else about them may differ.
fn alike(run: &[u8], segment: usize) -> usize {
    let first = run.get(..segment.min(run.len())).unwrap_or(run);
    let header = first.first_chunk::<DATA_HEADER_LEN>();
    if header.is_none() || !matches!(Frame::parse(first), Ok(Frame::Data(_))) {
        return first.len();
    }
    let same = run.chunks(segment).take_while(|datagram| {
        datagram.len() > DATA_HEADER_LEN && datagram.first_chunk::<DATA_HEADER_LEN>() == header
    });
    same.map(<[u8]>::len).sum()
}
