//! WebSockets: each has a cookie of its own, and messages that wait until it takes them.

use super::{Leg, Now, Switchboard, cookies};
use flotilla_protocol::{id::DeviceId, neighborhood::neighborhood};
use flotilla_wire::{Challenge, Cookie, Frame, SessionId};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

/// How long a stream may take to be admitted.
const ADMISSION: Duration = Duration::from_secs(10);

/// Answers that wait on a stream: more are of a client that asks and does not read.
const ANSWERS: usize = 64;

/// One WebSocket, for as long as the relay runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct StreamId(u64);

/// What a stream does next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamOutput {
    Message(Vec<u8>),
    Close,
}

#[derive(Debug, Default)]
pub(super) struct Streams {
    open: BTreeMap<StreamId, Stream>,
    ready: BTreeSet<StreamId>,
    last: u64,
    /// Streams that wait to be admitted, by where they come from.
    half_open: BTreeMap<IpAddr, BTreeSet<StreamId>>,
}

#[derive(Debug)]
struct Stream {
    remote: SocketAddr,
    cookie: Cookie,
    opened: Instant,
    session: Option<SessionId>,
    answers: VecDeque<Vec<u8>>,
    /// Datagrams of a run of which the first were taken already.
    run: VecDeque<Vec<u8>>,
    finished: bool,
}

impl Streams {
    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    pub(super) fn wake(&mut self, stream: StreamId) {
        if self.open.contains_key(&stream) {
            self.ready.insert(stream);
        }
    }

    pub(super) fn say(&mut self, stream: StreamId, message: Vec<u8>) {
        if let Some(open) = self.open.get_mut(&stream) {
            if open.answers.len() == ANSWERS {
                open.answers.pop_front();
            }
            open.answers.push_back(message);
            self.ready.insert(stream);
        }
    }

    /// It closes when its answers are out.
    pub(super) fn finish(&mut self, stream: StreamId) {
        if let Some(open) = self.open.get_mut(&stream) {
            open.finished = true;
            self.ready.insert(stream);
            let remote = open.remote;
            self.waits_no_more(stream, remote);
        }
    }

    /// Its cookie and where it comes from.
    pub(super) fn lookup(&self, stream: StreamId) -> Option<(Cookie, SocketAddr)> {
        let open = self.open.get(&stream)?;
        Some((open.cookie, open.remote))
    }

    /// A client was admitted on it.
    pub(super) fn admit(&mut self, stream: StreamId, session: SessionId) {
        if let Some(open) = self.open.get_mut(&stream)
            && open.session.replace(session).is_none()
        {
            let remote = open.remote;
            self.waits_no_more(stream, remote);
        }
    }

    fn waits_no_more(&mut self, stream: StreamId, remote: SocketAddr) {
        let source = neighborhood(remote.ip());
        if let Some(waiting) = self.half_open.get_mut(&source) {
            waiting.remove(&stream);
            if waiting.is_empty() {
                self.half_open.remove(&source);
            }
        }
    }

    /// Closes the oldest stream of the source that has the most waiting.
    fn make_room(&mut self, newcomer: IpAddr) {
        let weight = |(source, waiting): &(&IpAddr, &BTreeSet<StreamId>)| {
            let oldest = waiting.first().copied();
            (waiting.len(), **source == newcomer, std::cmp::Reverse(oldest))
        };
        let heaviest = self.half_open.iter().max_by_key(weight);
        if let Some(oldest) = heaviest.and_then(|(_, waiting)| waiting.first()).copied() {
            self.finish(oldest);
        }
    }

    pub(super) fn sweep(&mut self, now: Instant) {
        let late = self.open.iter().filter(|(_, stream)| {
            stream.session.is_none() && now.saturating_duration_since(stream.opened) >= ADMISSION
        });
        let late: Vec<_> = late.map(|(id, _)| *id).collect();
        for stream in late {
            self.finish(stream);
        }
    }

    fn remove(&mut self, stream: StreamId) -> Option<SessionId> {
        self.ready.remove(&stream);
        let closed = self.open.remove(&stream)?;
        self.waits_no_more(stream, closed.remote);
        closed.session
    }
}

impl Switchboard {
    /// A WebSocket opened; it is challenged at once. Where too many wait to be admitted, the oldest of the source
    /// that has the most waiting is closed.
    pub fn open_stream(&mut self, remote: SocketAddr, now: Now) -> StreamId {
        let cookie = cookies::fresh(&mut self.random);
        let source = neighborhood(remote.ip());
        let streams = &mut self.streams;
        if streams.half_open.values().map(BTreeSet::len).sum::<usize>() >= self.limits.half_open {
            streams.make_room(source);
        }
        streams.last += 1;
        let id = StreamId(streams.last);
        streams.half_open.entry(source).or_default().insert(id);
        let stream = Stream {
            remote,
            cookie,
            opened: now.at,
            session: None,
            answers: VecDeque::new(),
            run: VecDeque::new(),
            finished: false,
        };
        streams.open.insert(id, stream);
        self.totals.challenged += 1;
        self.answer(Leg::Stream(id), &Frame::Challenge(Challenge { tx: 0, cookie }));
        id
    }

    /// The device that was admitted on a stream.
    #[must_use]
    pub fn device_of(&self, stream: StreamId) -> Option<DeviceId> {
        let session = self.streams.open.get(&stream)?.session?;
        Some(self.clients.get(session)?.device)
    }

    /// The WebSocket is gone, and its session with it.
    pub fn close_stream(&mut self, stream: StreamId) {
        if let Some(session) = self.streams.remove(stream)
            && self.clients.is_on(session, Leg::Stream(stream))
        {
            self.end(session, None);
        }
    }

    /// A stream that has something to take since it was last asked.
    pub fn poll_stream_ready(&mut self) -> Option<StreamId> {
        self.streams.ready.pop_first()
    }

    /// What a stream sends next; nothing comes after a close.
    pub fn poll_stream(&mut self, stream: StreamId) -> Option<StreamOutput> {
        let open = self.streams.open.get_mut(&stream)?;
        if let Some(answer) = open.answers.pop_front() {
            return Some(StreamOutput::Message(answer));
        }
        if open.finished {
            return Some(StreamOutput::Close);
        }
        if open.run.is_empty()
            && let Some(run) = open.session.and_then(|session| self.clients.take(session))
        {
            open.run = run.bytes.chunks(run.segment.max(1)).map(<[u8]>::to_vec).collect();
        }
        open.run.pop_front().map(StreamOutput::Message)
    }
}
