//! TLS legs: each has a cookie of its own, and messages that wait until its client reads them.

use super::{Leg, Now, Switchboard, cookies};
use flotilla_protocol::{id::DeviceId, neighborhood::neighborhood};
use flotilla_wire::{Challenge, Cookie, Frame, SessionId};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

/// How long a leg may stay open without being admitted.
const ADMISSION: Duration = Duration::from_secs(10);

/// Answers that wait on a leg. More belong to a client that asks and does not read.
const ANSWERS: usize = 64;

/// One TLS leg; ids are not reused while the relay runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TlsLegId(u64);

/// What a leg does next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TlsLegOutput {
    Message(Vec<u8>),
    Close,
}

#[derive(Debug, Default)]
pub(super) struct TlsLegs {
    open: BTreeMap<TlsLegId, TlsLeg>,
    ready: BTreeSet<TlsLegId>,
    last: u64,
    /// Legs that wait to be admitted, by the network that they come from.
    half_open: BTreeMap<IpAddr, BTreeSet<TlsLegId>>,
}

#[derive(Debug)]
struct TlsLeg {
    remote: SocketAddr,
    cookie: Cookie,
    opened: Instant,
    session: Option<SessionId>,
    answers: VecDeque<Vec<u8>>,
    /// The rest of a run of which the first datagrams were sent already.
    run: VecDeque<Vec<u8>>,
    finished: bool,
}

impl TlsLegs {
    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    pub(super) fn wake(&mut self, leg: TlsLegId) {
        if self.open.contains_key(&leg) {
            self.ready.insert(leg);
        }
    }

    pub(super) fn push_answer(&mut self, leg: TlsLegId, message: Vec<u8>) {
        if let Some(open) = self.open.get_mut(&leg) {
            if open.answers.len() == ANSWERS {
                open.answers.pop_front();
            }
            open.answers.push_back(message);
            self.ready.insert(leg);
        }
    }

    /// Closes a leg after its answers are sent.
    pub(super) fn finish(&mut self, leg: TlsLegId) {
        if let Some(open) = self.open.get_mut(&leg) {
            open.finished = true;
            self.ready.insert(leg);
            let remote = open.remote;
            self.remove_half_open(leg, remote);
        }
    }

    /// The cookie of a leg, and the address that it comes from.
    pub(super) fn lookup(&self, leg: TlsLegId) -> Option<(Cookie, SocketAddr)> {
        let open = self.open.get(&leg)?;
        Some((open.cookie, open.remote))
    }

    /// A client was admitted on a leg.
    pub(super) fn admit(&mut self, leg: TlsLegId, session: SessionId) {
        if let Some(open) = self.open.get_mut(&leg)
            && open.session.replace(session).is_none()
        {
            let remote = open.remote;
            self.remove_half_open(leg, remote);
        }
    }

    fn remove_half_open(&mut self, leg: TlsLegId, remote: SocketAddr) {
        let source = neighborhood(remote.ip());
        if let Some(waiting) = self.half_open.get_mut(&source) {
            waiting.remove(&leg);
            if waiting.is_empty() {
                self.half_open.remove(&source);
            }
        }
    }

    /// Closes the oldest leg of the source that has the most legs waiting.
    fn make_room(&mut self, newcomer: IpAddr) {
        let weight = |(source, waiting): &(&IpAddr, &BTreeSet<TlsLegId>)| {
            let oldest = waiting.first().copied();
            (waiting.len(), **source == newcomer, std::cmp::Reverse(oldest))
        };
        let heaviest = self.half_open.iter().max_by_key(weight);
        if let Some(oldest) = heaviest.and_then(|(_, waiting)| waiting.first()).copied() {
            self.finish(oldest);
        }
    }

    pub(super) fn sweep(&mut self, now: Instant) {
        let late = self.open.iter().filter(|(_, leg)| {
            leg.session.is_none() && now.saturating_duration_since(leg.opened) >= ADMISSION
        });
        let late: Vec<_> = late.map(|(id, _)| *id).collect();
        for leg in late {
            self.finish(leg);
        }
    }

    fn remove(&mut self, leg: TlsLegId) -> Option<SessionId> {
        self.ready.remove(&leg);
        let closed = self.open.remove(&leg)?;
        self.remove_half_open(leg, closed.remote);
        closed.session
    }
}

impl Switchboard {
    /// Opens a TLS leg and challenges its client. When too many legs wait to be admitted, the oldest of the source
    /// that has the most waiting is closed.
    pub fn open_tls_leg(&mut self, remote: SocketAddr, now: Now) -> TlsLegId {
        let cookie = cookies::fresh(&mut self.random);
        let source = neighborhood(remote.ip());
        let tls_legs = &mut self.tls_legs;
        if tls_legs.half_open.values().map(BTreeSet::len).sum::<usize>() >= self.limits.half_open {
            tls_legs.make_room(source);
        }
        tls_legs.last += 1;
        let id = TlsLegId(tls_legs.last);
        tls_legs.half_open.entry(source).or_default().insert(id);
        let leg = TlsLeg {
            remote,
            cookie,
            opened: now.at,
            session: None,
            answers: VecDeque::new(),
            run: VecDeque::new(),
            finished: false,
        };
        tls_legs.open.insert(id, leg);
        self.totals.challenged += 1;
        self.answer(Leg::Tls(id), &Frame::Challenge(Challenge { tx: 0, cookie }));
        id
    }

    /// The device that was admitted on a leg.
    pub fn device_of(&self, leg: TlsLegId) -> Option<DeviceId> {
        let session = self.tls_legs.open.get(&leg)?.session?;
        Some(self.clients.get(session)?.device)
    }

    /// The connection of a leg is gone: its session ends.
    pub fn close_tls_leg(&mut self, leg: TlsLegId) {
        if let Some(session) = self.tls_legs.remove(leg)
            && self.clients.is_on(session, Leg::Tls(leg))
        {
            self.end(session, None);
        }
    }

    /// A leg that got something to send since it last came out here.
    pub fn poll_tls_leg_ready(&mut self) -> Option<TlsLegId> {
        self.tls_legs.ready.pop_first()
    }

    /// What a leg sends next; nothing comes after a close.
    pub fn poll_tls_leg(&mut self, leg: TlsLegId) -> Option<TlsLegOutput> {
        let open = self.tls_legs.open.get_mut(&leg)?;
        if let Some(answer) = open.answers.pop_front() {
            return Some(TlsLegOutput::Message(answer));
        }
        if open.finished {
            return Some(TlsLegOutput::Close);
        }
        if open.run.is_empty()
            && let Some(run) = open.session.and_then(|session| self.clients.dequeue(session))
        {
            open.run = run.bytes.chunks(run.segment.max(1)).map(<[u8]>::to_vec).collect();
        }
        open.run.pop_front().map(TlsLegOutput::Message)
    }
}
