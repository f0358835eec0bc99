//! WireGuard sessions. No other file depends on the WireGuard implementation.
//!
//! A [`Session`] sleeps until its first packet or handshake. Awake, it must be ticked every [`TICK`]; it asks for
//! handshakes and keepalives by itself, and falls asleep when the other side is away for so long that WireGuard gives
//! up. It keeps what it needs to recognize replayed handshakes.
//!
//! The implementation reads its own clock, and dates each event by the last tick. After a long sleep an event would so
//! be dated too early and the session seem expired; therefore a session is always ticked before it is used.

mod sources;
#[cfg(test)]
mod tests;

use crate::{DropReason, PrivateKey};
use boringtun::{
    noise::{
        Packet, Tunn, TunnResult, errors::WireGuardError, handshake::parse_handshake_anon,
        rate_limiter::RateLimiter,
    },
    x25519,
};
use flotilla_protocol::key::PublicKey;
use sources::Sources;
use std::{
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

/// How often an awake session must be ticked.
pub(crate) const TICK: Duration = Duration::from_millis(250);

/// Bytes that are added to an IP packet.
pub(crate) const OVERHEAD: usize = 32;

/// The least buffer: the implementation builds handshakes in the buffer for a packet, and panics in a smaller one.
pub(crate) const LEAST_BUFFER: usize = 148;

/// Handshakes per second that are answered without asking the sender to prove its address first.
const HANDSHAKE_LIMIT: u64 = 100;

/// The last bytes of a handshake, which prove the sender's address when it was asked to; zeros otherwise (Whitepaper
/// §5.4.4).
const SECOND_MAC: usize = 16;

/// The pause after a handshake that is offered to a peer whose own are too old, so that a replayed old handshake does
/// not cause one each time.
const OFFER_PAUSE: Duration = Duration::from_secs(5);

/// Each further offer waits twice as long, up to this: by then a session would be renewed anyway.
const LONGEST_OFFER_PAUSE: Duration = Duration::from_secs(120);

/// Packets that may wait for a handshake: a first flight of TCP and some pings.
const MAX_WAITING: usize = 64;

/// The most messages under one key (Whitepaper §6.1).
const REJECT_AFTER_MESSAGES: u64 = u64::MAX - (1 << 13) - 1;

/// Session indices are 24 bits of this end's and 8 of the implementation's.
pub(crate) const INDEX_BITS: u32 = 24;

/// This device's key, and the limits for handshakes of strangers.
pub(crate) struct Keys {
    secret: x25519::StaticSecret,
    public: x25519::PublicKey,
    /// Checks each handshake first, and asks for a proof of address under a flood.
    strangers_limiter: RateLimiter,
    /// Limits the handshakes of sources that proved their address.
    sources: Sources,
    /// Shared by all sessions, without a limit, because they only see what passed `strangers_limiter`.
    no_limit: Arc<RateLimiter>,
}

/// The peer that a WireGuard message is for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Addressee {
    /// The session with this index.
    Index(u32),
    /// The session with the peer that has this key.
    Key(PublicKey),
}

/// Why a message is not handled.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The first bytes of the buffer are a reply that asks the sender to prove its address.
    Cookie(usize),
    Drop(DropReason),
}

impl Keys {
    pub(crate) fn new(key: &PrivateKey) -> Self {
        let secret = x25519::StaticSecret::from(*key.as_bytes());
        let public = x25519::PublicKey::from(&secret);
        Self {
            strangers_limiter: RateLimiter::new(&public, HANDSHAKE_LIMIT),
            sources: Sources::default(),
            no_limit: Arc::new(RateLimiter::new(&public, u64::MAX)),
            secret,
            public,
        }
    }

    /// Finds out which peer a message is for, at the cost of some hashing, and of a key agreement for a handshake.
    pub(crate) fn address(
        &mut self,
        datagram: &[u8],
        from: IpAddr,
        reply: &mut [u8],
        now: Instant,
    ) -> Result<Addressee, Refusal> {
        // Without this the count only grows, and every handshake after the limit is refused.
        self.strangers_limiter.reset_count();
        let packet = match self.strangers_limiter.verify_packet(Some(from), datagram, reply) {
            Ok(packet) => packet,
            Err(TunnResult::WriteToNetwork(cookie)) => return Err(Refusal::Cookie(cookie.len())),
            Err(TunnResult::Err(error)) => return Err(Refusal::Drop(reason(&error))),
            Err(_) => return Err(Refusal::Drop(DropReason::UnknownDatagram)),
        };
        let is_handshake = matches!(packet, Packet::HandshakeInit(_) | Packet::HandshakeResponse(_));
        if is_handshake && shows_cookie(datagram) && !self.sources.admit(from, now) {
            return Err(Refusal::Drop(DropReason::UnderLoad));
        }
        match packet {
            Packet::HandshakeInit(init) => {
                let half = parse_handshake_anon(&self.secret, &self.public, &init)
                    .map_err(|error| Refusal::Drop(reason(&error)))?;
                Ok(Addressee::Key(PublicKey::from_bytes(half.peer_static_public)))
            }
            Packet::HandshakeResponse(response) => Ok(Addressee::Index(response.receiver_idx >> 8)),
            Packet::PacketCookieReply(cookie) => Ok(Addressee::Index(cookie.receiver_idx >> 8)),
            Packet::PacketData(data) => Ok(Addressee::Index(data.receiver_idx >> 8)),
        }
    }
}

/// Whether the sender of a handshake was asked to prove its address, and did: it then passes also under load. A sender
/// that was not asked counts toward the common limit.
fn shows_cookie(handshake: &[u8]) -> bool {
    let mac = handshake.last_chunk::<SECOND_MAC>();
    mac.is_some_and(|mac| *mac != [0; SECOND_MAC])
}

/// Whether a datagram begins a handshake. Only that makes a session known to a new peer.
pub(crate) fn is_initiation(datagram: &[u8]) -> bool {
    datagram.first() == Some(&1)
}

/// The session of a datagram that is a data message; the fast path around [`Keys::address`].
pub(crate) fn data_index(datagram: &[u8]) -> Option<u32> {
    match datagram {
        [4, 0, 0, 0, a, b, c, d, counter @ ..] if datagram.len() >= OVERHEAD => {
            let (counter, _) = counter.split_first_chunk()?;
            (u64::from_le_bytes(*counter) < REJECT_AFTER_MESSAGES)
                .then(|| u32::from_le_bytes([*a, *b, *c, *d]) >> 8)
        }
        _ => None,
    }
}

/// The result of sealing an IP packet. Lengths count from the start of the buffer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Sealing {
    Data(usize),
    /// The packet waits; the buffer holds a handshake.
    Handshake(usize),
    Waits,
    Full,
}

/// The result of opening a message from the peer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Opening {
    Packet(usize),
    /// The message was authentic; the buffer holds an answer, and [`Session::waiting`] may have more.
    Answer(usize),
    Nothing,
    Drop(DropReason),
    /// The peer's handshake is older than one that came before. When the peer's clock was set back while it was off,
    /// only a handshake from this end helps.
    Old,
}

/// The WireGuard session with one peer.
#[derive(derive_more::Debug)]
#[debug("Session(awake: {awake})")]
pub(crate) struct Session {
    tunn: Tunn,
    awake: bool,
    ticked: Instant,
    initiated: Option<Instant>,
    /// When a handshake was last offered, and how long no other is offered after it.
    offered: Option<(Instant, Duration)>,
    waiting: usize,
}

impl Session {
    pub(crate) fn new(keys: &Keys, peer: PublicKey, index: u32, now: Instant) -> Self {
        let peer = x25519::PublicKey::from(*peer.as_bytes());
        Self {
            tunn: Tunn::new(
                keys.secret.clone(),
                peer,
                None,
                None,
                index,
                Some(Arc::clone(&keys.no_limit)),
            ),
            awake: false,
            ticked: now,
            initiated: None,
            offered: None,
            waiting: 0,
        }
    }

    pub(crate) fn is_awake(&self) -> bool {
        self.awake
    }

    /// Whether [`Self::tick`] must be called before the session is used.
    pub(crate) fn is_due(&self, now: Instant) -> bool {
        !self.awake || now.saturating_duration_since(self.ticked) >= TICK
    }

    /// Ticks the session; returns the length of the datagram that it wants to send, if any. It falls asleep when
    /// WireGuard gives up.
    pub(crate) fn tick(&mut self, out: &mut [u8], now: Instant) -> Option<usize> {
        self.ticked = now;
        match self.tunn.update_timers(out) {
            TunnResult::WriteToNetwork(bytes) => {
                let len = bytes.len();
                self.note_initiation(out, now);
                Some(len)
            }
            TunnResult::Err(WireGuardError::ConnectionExpired) => {
                self.awake = false;
                self.waiting = 0;
                None
            }
            _ => None,
        }
    }

    /// Begins a handshake, even when another one is under way.
    pub(crate) fn initiate(&mut self, out: &mut [u8], now: Instant) -> Option<usize> {
        self.awake = true;
        self.initiated = Some(now);
        match self.tunn.format_handshake_initiation(out, true) {
            TunnResult::WriteToNetwork(bytes) => Some(bytes.len()),
            _ => None,
        }
    }

    /// Begins a handshake with a peer whose own are too old, unless one was offered just before.
    pub(crate) fn offer(&mut self, out: &mut [u8], now: Instant) -> Option<usize> {
        let is_recent = |at, pause| now < at + pause;
        if self.offered.is_some_and(|(at, pause)| is_recent(at, pause)) {
            return None;
        }
        let often = self.offered.filter(|(at, pause)| is_recent(*at, *pause * 2));
        let pause = often.map_or(OFFER_PAUSE, |(_, pause)| (pause * 2).min(LONGEST_OFFER_PAUSE));
        self.offered = Some((now, pause));
        self.initiate(out, now)
    }

    /// Needs room for the packet and [`OVERHEAD`], and at least [`LEAST_BUFFER`].
    pub(crate) fn seal(&mut self, packet: &[u8], out: &mut [u8], now: Instant) -> Sealing {
        if self.waiting >= MAX_WAITING && self.tunn.time_since_last_handshake().is_none() {
            return Sealing::Full;
        }
        self.awake = true;
        match self.tunn.encapsulate(packet, out) {
            TunnResult::WriteToNetwork(bytes) if bytes.first() == Some(&4) => Sealing::Data(bytes.len()),
            TunnResult::WriteToNetwork(bytes) => {
                let len = bytes.len();
                self.waiting += 1;
                self.initiated = Some(now);
                Sealing::Handshake(len)
            }
            _ => {
                self.waiting += 1;
                Sealing::Waits
            }
        }
    }

    pub(crate) fn open(&mut self, datagram: &[u8], from: IpAddr, out: &mut [u8]) -> Opening {
        match self.tunn.decapsulate(Some(from), datagram, out) {
            TunnResult::WriteToTunnelV4(packet, _) | TunnResult::WriteToTunnelV6(packet, _) => {
                self.awake = true;
                Opening::Packet(packet.len())
            }
            TunnResult::WriteToNetwork(bytes) => {
                self.awake = true;
                Opening::Answer(bytes.len())
            }
            TunnResult::Done => Opening::Nothing,
            TunnResult::Err(WireGuardError::WrongTai64nTimestamp) => Opening::Old,
            TunnResult::Err(error) => Opening::Drop(reason(&error)),
        }
    }

    /// The next packet that waited for the handshake, sealed.
    pub(crate) fn waiting(&mut self, out: &mut [u8]) -> Option<usize> {
        if !self.has_waiting() {
            return None;
        }
        match self.tunn.decapsulate(None, &[], out) {
            TunnResult::WriteToNetwork(bytes) if bytes.first() == Some(&4) => {
                self.waiting = self.waiting.saturating_sub(1);
                Some(bytes.len())
            }
            TunnResult::WriteToNetwork(_) => None,
            _ => {
                self.waiting = 0;
                None
            }
        }
    }

    /// Whether packets wait that can be sent.
    pub(crate) fn has_waiting(&self) -> bool {
        self.waiting > 0 && self.tunn.time_since_last_handshake().is_some()
    }

    /// When the last handshake was begun, while packets wait for one.
    pub(crate) fn stuck_since(&self) -> Option<Instant> {
        self.initiated.filter(|_| self.waiting > 0)
    }

    pub(crate) fn last_handshake(&self, now: Instant) -> Option<Instant> {
        now.checked_sub(self.tunn.time_since_last_handshake()?)
    }

    fn note_initiation(&mut self, sent: &[u8], now: Instant) {
        if sent.first() == Some(&1) {
            self.initiated = Some(now);
        }
    }
}

fn reason(error: &WireGuardError) -> DropReason {
    match error {
        WireGuardError::DuplicateCounter
        | WireGuardError::InvalidCounter
        | WireGuardError::WrongTai64nTimestamp => DropReason::Replayed,
        WireGuardError::UnderLoad => DropReason::UnderLoad,
        WireGuardError::InvalidMac | WireGuardError::InvalidAeadTag | WireGuardError::WrongKey => {
            DropReason::Forged
        }
        WireGuardError::NoCurrentSession | WireGuardError::WrongIndex => DropReason::UnknownPeer,
        WireGuardError::DestinationBufferTooSmall => DropReason::BufferTooSmall,
        _ => DropReason::Malformed,
    }
}
