//! Which clients have a session, and where each packet goes: the relay's decisions, without sockets and without a
//! clock.
//!
//! Life of a client: unknown → challenged (nothing is kept of it) → admitted, with a session → ended: by the client
//! itself, replaced by a newer session of the same key, idle, ticket expired, or revoked. A TLS leg outlives its
//! session by one message, and is closed when it is not admitted in time.
//!
//! Inputs are [`Switchboard::handle_run`], [`Switchboard::handle_timeout`] and those about TLS legs. After each input,
//! the caller sends the forwards, drains [`Switchboard::poll_answer`] and wakes the legs of
//! [`Switchboard::poll_tls_leg_ready`]; [`Switchboard::poll_transmit`] has the runs that a full socket did not take.

mod admission;
mod allowance;
mod clients;
mod cookies;
mod facts;
mod hello_limiter;
mod leg;
mod limits;
mod queue;
#[cfg(test)]
mod tests;
mod tls_legs;

pub use facts::{ClientFacts, Counters, Facts, Totals};
pub use leg::{Forward, Leg, Route, Transmit};
pub use limits::Limits;
pub use tls_legs::{TlsLegId, TlsLegOutput};

use allowance::SharedLine;
use clients::{Client, Clients};
use cookies::Cookies;
use flotilla_identity::{TICKET_LIFETIME, TicketVerifier};
use flotilla_protocol::{Timestamp, key::PublicKey};
use flotilla_wire::{DATA_HEADER_LEN, Frame, MAX_CONTROL_LEN, Reason, SessionId, StaticKey, readdress};
use hello_limiter::HelloLimiter;
use rand::{SeedableRng, rngs::StdRng};
use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
    time::{Duration, Instant},
};
use tls_legs::TlsLegs;

/// The longest pause between two pings that a client is told to keep; NATs forget a mapping after 30 s or more.
const KEEPALIVE_SECONDS: u16 = 25;

/// How often sessions and legs are checked for their end.
const SWEEP: Duration = Duration::from_secs(5);

/// Answers that wait to be sent. The caller sends them after each input, so more means that the socket is full.
const ANSWERS: usize = 1024;

/// The present moment, by both clocks.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    pub at: Instant,
    /// Tickets expire by this clock.
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
    hello_limiter: HelloLimiter,
    clients: Clients,
    line: SharedLine,
    tls_legs: TlsLegs,
    /// Each with the moment from which no ticket for the key can be valid.
    revoked: BTreeMap<PublicKey, Instant>,
    answers: VecDeque<Transmit>,
    totals: Totals,
    next_sweep: Instant,
}

impl Switchboard {
    /// `seed` must be random outside of tests: sessions and cookies come from it.
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
            hello_limiter: HelloLimiter::default(),
            clients: Clients::default(),
            line: SharedLine::new(now),
            tls_legs: TlsLegs::default(),
            revoked: BTreeMap::new(),
            answers: VecDeque::new(),
            totals: Totals::default(),
            next_sweep: now + SWEEP,
        }
    }

    /// Handles datagrams of one sender: each is `segment` bytes long, the last may be shorter. The parts that can be
    /// sent on at once are readdressed in place and added to `forwards`.
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
            let length = same_header_len(rest, segment);
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

    /// Handles datagrams with the same header, or a single datagram.
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
                let passed = self.pass_on(from, session, to, group, segment, now);
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

    fn pass_on(
        &mut self,
        from: Leg,
        session: SessionId,
        to: PublicKey,
        group: &mut [u8],
        segment: usize,
        now: Now,
    ) -> Option<(Route, SessionId)> {
        let Some(source) = self.clients.refresh(session, from, now.at) else {
            self.totals.no_session += 1;
            let reason = Reason::NoSession;
            self.answer(from, &Frame::End { session, reason });
            return None;
        };
        source.counters.received(group.len(), segment);
        let (limits, cost) = (&self.limits, allowance::cost(group.len(), segment));
        if !source.allowance.may_reach(&to, cost, now.at) {
            source.counters.unasked_datagrams += facts::datagrams(group.len(), segment);
            return None;
        }
        if !source
            .allowance
            .takes_share(&mut self.line, cost, limits.line, now.at)
        {
            source.counters.over_share_datagrams += facts::datagrams(group.len(), segment);
            return None;
        }
        let source = source.key;
        let Some((there, client)) = self.clients.by_key_mut(&to).filter(|_| to != source) else {
            self.totals.gone += 1;
            self.answer(from, &Frame::Gone { session, key: to });
            return None;
        };
        client.allowance.note_sender(source);
        for datagram in group.chunks_mut(segment) {
            readdress(datagram, there, source);
        }
        match client.leg {
            Leg::Udp(route) if client.queue.is_empty() => {
                client.counters.sent(group.len(), segment);
                Some((route, there))
            }
            _ => {
                self.enqueue(there, session, group, segment);
                None
            }
        }
    }

    /// Takes back a forward that the socket did not take, into the receiver's queue. `run` is the run that it is a
    /// part of.
    pub fn return_forward(&mut self, forward: &Forward, run: &[u8]) {
        if let Some(client) = self.clients.get_mut(forward.session)
            && let Some(bytes) = run.get(forward.range.clone())
        {
            client.counters.unsent(bytes.len(), forward.segment);
            self.enqueue(forward.session, forward.source, bytes, forward.segment);
        }
    }

    /// Puts datagrams of session `from` into a client's queue.
    fn enqueue(&mut self, session: SessionId, from: SessionId, bytes: &[u8], segment: usize) {
        self.clients.enqueue(session, from, bytes, segment, &self.limits);
        if let Some(Leg::Tls(leg)) = self.clients.get_mut(session).map(|client| client.leg) {
            self.tls_legs.wake(leg);
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
                let answer = match self.clients.refresh(session, from, now.at) {
                    Some(_) => Frame::Pong { session, tx },
                    None => Frame::End {
                        session,
                        reason: Reason::NoSession,
                    },
                };
                self.answer(from, &answer);
            }
            Frame::End { session, .. } => {
                if self.clients.refresh(session, from, now.at).is_some() {
                    self.end(session, None);
                }
            }
            // Only relays send these, and probes travel inside data.
            _ => self.totals.malformed += 1,
        }
    }

    /// Ends a session. With a reason, its client is told.
    fn end(&mut self, session: SessionId, reason: Option<Reason>) -> Option<Client> {
        let client = self.clients.remove(session)?;
        if let Some(reason) = reason {
            self.answer(client.leg, &Frame::End { session, reason });
        }
        if let Leg::Tls(leg) = client.leg {
            self.tls_legs.finish(leg);
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
            Leg::Tls(leg) => self.tls_legs.push_answer(leg, bytes.to_vec()),
        }
    }

    /// The next answer to send by UDP.
    pub fn poll_answer(&mut self) -> Option<Transmit> {
        self.answers.pop_front()
    }

    /// The next run that waits for a UDP client; clients take turns.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.clients.poll_queued()
    }

    /// Refuses tickets for these keys from here on, and ends their sessions.
    pub fn revoke(&mut self, keys: impl IntoIterator<Item = PublicKey>, now: Instant) {
        for key in keys {
            self.revoked.insert(key, now + TICKET_LIFETIME);
            if let Some(session) = self.clients.by_key_mut(&key).map(|(session, _)| session) {
                self.end(session, Some(Reason::Revoked));
            }
        }
    }

    /// Sets how many bytes per second are passed on, for all clients together.
    pub fn limit_line(&mut self, bytes_per_second: u64) {
        self.limits.line = bytes_per_second;
    }

    /// Ends every session and tells the clients, so that they need not find out by a time-out.
    pub fn end_all(&mut self) {
        for session in self.clients.sessions() {
            self.end(session, Some(Reason::Leaving));
        }
    }

    pub fn poll_timeout(&self) -> Instant {
        self.next_sweep
    }

    /// Ends sessions and legs whose time is over at `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        if now < self.next_sweep {
            return;
        }
        self.next_sweep = now + SWEEP;
        self.cookies.rotate(&mut self.random, now);
        self.hello_limiter.sweep(now);
        self.revoked.retain(|_, until| *until > now);
        self.tls_legs.sweep(now);
        self.clients.forget_absent_keys();
        for (session, reason) in self.clients.expired(now, self.limits.idle) {
            self.end(session, Some(reason));
        }
    }

    pub fn facts(&self) -> Facts {
        Facts {
            clients: self.clients.facts(),
            tls_legs: self.tls_legs.len(),
            totals: self.totals,
        }
    }
}

/// The answer to a request for the address that a caller is seen at; `None` for other frames.
pub fn reflect(frame: &Frame<'_>, seen: SocketAddr) -> Option<Frame<'static>> {
    match *frame {
        Frame::ReflectRequest { tx } => Some(Frame::ReflectAnswer { tx, observed: seen }),
        _ => None,
    }
}

/// Length of the datagrams at the beginning of a run that have the first one's header, when that is a data frame's; of
/// the first one alone otherwise. The payloads may differ.
fn same_header_len(run: &[u8], segment: usize) -> usize {
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
