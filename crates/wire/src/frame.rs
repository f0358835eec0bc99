//! The frames as values: parsing and writing.

use crate::{
    DATA_HEADER_LEN, MAGIC, MAX_TICKET_LEN, REFLECT_REQUEST_LEN, address,
    cursor::{Reader, Writer},
    probe::SealedProbe,
    relay::{Cookie, Proof},
};
use flotilla_protocol::key::PublicKey;
use std::net::SocketAddr;

/// Whether a datagram is one of these frames and not a message of WireGuard. It may still be malformed.
#[must_use]
pub fn is_ours(datagram: &[u8]) -> bool {
    datagram.starts_with(&MAGIC)
}

/// Why the bytes are not a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("it does not begin as a frame does")]
    Foreign,
    #[error("no frame has the kind {0:#04x}")]
    Kind(u8),
    #[error("a field is missing, too long, or not what it must be")]
    Content,
}

/// One session of a client with a relay: 64 random bits, so that a sender who cannot see the frames cannot forge one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, derive_more::Debug)]
#[debug("SessionId(…)")]
pub struct SessionId(pub u64);

/// One frame. A frame that parses is written back as the same bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frame<'a> {
    Probe(SealedProbe<'a>),
    ReflectRequest {
        tx: u64,
    },
    ReflectAnswer {
        tx: u64,
        observed: SocketAddr,
    },
    Hello(Hello<'a>),
    Challenge(Challenge),
    Welcome(Welcome),
    Refused {
        tx: u64,
        reason: Reason,
    },
    Data(Data<'a>),
    /// No session with this key is connected to the relay.
    Gone {
        session: SessionId,
        key: PublicKey,
    },
    Ping {
        session: SessionId,
        tx: u64,
    },
    Pong {
        session: SessionId,
        tx: u64,
    },
    /// The session does not exist, or has ended.
    End {
        session: SessionId,
        reason: Reason,
    },
}

/// A client asks for admission. Its first hello has neither cookie, proof nor ticket: all zero and empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hello<'a> {
    /// Chosen by the client; returned in the answer.
    pub tx: u64,
    pub cookie: Cookie,
    pub proof: Proof,
    pub ticket: &'a [u8],
}

/// The relay asks the client to prove that it receives at its address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Challenge {
    /// The hello's `tx`; 0 in the challenge that begins a TLS leg.
    pub tx: u64,
    pub cookie: Cookie,
}

/// The relay admitted the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Welcome {
    pub tx: u64,
    pub session: SessionId,
    /// The pause between pings that the client should keep. The relay ends the session after a multiple of it in
    /// silence.
    pub keepalive_seconds: u16,
    /// The address at which the relay sees the client.
    pub observed: SocketAddr,
    pub proof: Proof,
}

/// A packet that is sent through a relay.
#[derive(Clone, Copy, PartialEq, Eq, derive_more::Debug)]
#[debug("Data({}, {} bytes)", self.key, self.payload.len())]
pub struct Data<'a> {
    pub session: SessionId,
    /// Toward the relay the destination's key, from the relay the source's.
    pub key: PublicKey,
    /// A WireGuard message or a probe.
    pub payload: &'a [u8],
}

/// Why a relay refused a client, or a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The relay knows no such session from this address; the client has to say hello again.
    NoSession,
    /// The ticket is not of this fleet, or the proof does not fit it.
    Ticket,
    TicketExpired,
    Revoked,
    /// The relay has as many clients as it accepts.
    Full,
    /// A newer session of the same key replaced this one.
    Replaced,
    Idle,
    /// The end that sends this is stopping.
    Leaving,
    /// A reason that this version does not know.
    Other(u8),
}

impl Reason {
    const KNOWN: [Self; 8] = [
        Self::NoSession,
        Self::Ticket,
        Self::TicketExpired,
        Self::Revoked,
        Self::Full,
        Self::Replaced,
        Self::Idle,
        Self::Leaving,
    ];

    fn from_byte(byte: u8) -> Self {
        let known = Self::KNOWN.iter().find(|reason| reason.to_byte() == byte);
        known.copied().unwrap_or(Self::Other(byte))
    }

    fn to_byte(self) -> u8 {
        match self {
            Self::NoSession => 1,
            Self::Ticket => 2,
            Self::TicketExpired => 3,
            Self::Revoked => 4,
            Self::Full => 5,
            Self::Replaced => 6,
            Self::Idle => 7,
            Self::Leaving => 8,
            Self::Other(byte) => byte,
        }
    }
}

pub(crate) const PROBE: u8 = 0x01;
const REFLECT_REQUEST: u8 = 0x02;
const REFLECT_ANSWER: u8 = 0x03;
const HELLO: u8 = 0x04;
const CHALLENGE: u8 = 0x05;
const WELCOME: u8 = 0x06;
const REFUSED: u8 = 0x07;
const DATA: u8 = 0x10;
const GONE: u8 = 0x11;
const PING: u8 = 0x12;
const PONG: u8 = 0x13;
const END: u8 = 0x14;

impl<'a> Frame<'a> {
    /// The bytes are not a frame.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let rest = bytes.strip_prefix(&MAGIC).ok_or(Malformed::Foreign)?;
        let (&kind, rest) = rest.split_first().ok_or(Malformed::Content)?;
        let mut fields = Reader(rest);
        let fields = &mut fields;
        let frame = match kind {
            PROBE => SealedProbe::parse(bytes).map(Self::Probe),
            REFLECT_REQUEST => reflect_request(fields),
            REFLECT_ANSWER => reflect_answer(fields),
            HELLO => hello(fields),
            CHALLENGE => challenge(fields),
            WELCOME => welcome(fields),
            REFUSED => refused(fields),
            DATA => data(fields),
            GONE => gone(fields),
            PING => session_and_tx(fields).map(|(session, tx)| Self::Ping { session, tx }),
            PONG => session_and_tx(fields).map(|(session, tx)| Self::Pong { session, tx }),
            END => end(fields),
            unknown => return Err(Malformed::Kind(unknown)),
        };
        frame.ok_or(Malformed::Content)
    }

    /// Writes the frame at the beginning of `out`; returns its length, or `None` when it does not fit.
    #[must_use]
    pub fn write(&self, out: &mut [u8]) -> Option<usize> {
        let mut to = Writer::new(out);
        to.put(&MAGIC)?;
        match *self {
            Self::Probe(probe) => return probe.write(out),
            Self::ReflectRequest { tx } => {
                put(&mut to, REFLECT_REQUEST, &[&tx.to_be_bytes()])?;
                to.pad(REFLECT_REQUEST_LEN)
            }
            Self::ReflectAnswer { tx, observed } => {
                let observed = address::encode(observed);
                put(&mut to, REFLECT_ANSWER, &[&tx.to_be_bytes(), &observed])
            }
            Self::Hello(hello) if hello.ticket.len() > MAX_TICKET_LEN => None,
            Self::Hello(hello) => {
                let tx = hello.tx.to_be_bytes();
                put(
                    &mut to,
                    HELLO,
                    &[&tx, &hello.cookie.0, &hello.proof.0, hello.ticket],
                )
            }
            Self::Challenge(challenge) => put(
                &mut to,
                CHALLENGE,
                &[&challenge.tx.to_be_bytes(), &challenge.cookie.0],
            ),
            Self::Welcome(welcome) => {
                let head = [welcome.tx.to_be_bytes(), welcome.session.0.to_be_bytes()];
                put(&mut to, WELCOME, &[head.as_flattened()])?;
                to.put(&welcome.keepalive_seconds.to_be_bytes())?;
                to.put(&address::encode(welcome.observed))?;
                to.put(&welcome.proof.0)
            }
            Self::Refused { tx, reason } => put(&mut to, REFUSED, &[&tx.to_be_bytes(), &[reason.to_byte()]]),
            Self::Data(data) if data.payload.is_empty() => None,
            Self::Data(data) => {
                to = Writer::new(out);
                to.put(&data.header())?;
                to.put(data.payload)
            }
            Self::Gone { session, key } => put(&mut to, GONE, &[&session.0.to_be_bytes(), key.as_bytes()]),
            Self::Ping { session, tx } => put(&mut to, PING, &[&session.0.to_be_bytes(), &tx.to_be_bytes()]),
            Self::Pong { session, tx } => put(&mut to, PONG, &[&session.0.to_be_bytes(), &tx.to_be_bytes()]),
            Self::End { session, reason } => {
                put(&mut to, END, &[&session.0.to_be_bytes(), &[reason.to_byte()]])
            }
        }?;
        Some(to.written())
    }
}

impl Data<'_> {
    /// The bytes in front of the payload, so that a sender can leave room for them and write the payload in place.
    pub fn header(&self) -> [u8; DATA_HEADER_LEN] {
        let mut header = [0; DATA_HEADER_LEN];
        let mut to = Writer::new(&mut header);
        to.put(&MAGIC)
            .and_then(|()| {
                put(
                    &mut to,
                    DATA,
                    &[&self.session.0.to_be_bytes(), self.key.as_bytes()],
                )
            })
            .expect("the header has room for its fields");
        header
    }
}

fn put(to: &mut Writer<'_>, kind: u8, fields: &[&[u8]]) -> Option<()> {
    to.put(&[kind])?;
    fields.iter().try_for_each(|field| to.put(field))
}

fn reflect_request<'a>(fields: &mut Reader<'a>) -> Option<Frame<'a>> {
    let tx = fields.u64()?;
    let padding = fields.array::<{ REFLECT_REQUEST_LEN - 13 }>()?;
    fields.end()?;
    padding
        .iter()
        .all(|byte| *byte == 0)
        .then_some(Frame::ReflectRequest { tx })
}

fn reflect_answer<'a>(fields: &mut Reader<'a>) -> Option<Frame<'a>> {
    let (tx, observed) = (fields.u64()?, address::read(fields)?);
    fields.end()?;
    Some(Frame::ReflectAnswer { tx, observed })
}

fn hello<'a>(fields: &mut Reader<'a>) -> Option<Frame<'a>> {
    let hello = Hello {
        tx: fields.u64()?,
        cookie: Cookie(*fields.array()?),
        proof: Proof(*fields.array()?),
        ticket: fields.0,
    };
    (hello.ticket.len() <= MAX_TICKET_LEN).then_some(Frame::Hello(hello))
}

fn challenge<'a>(fields: &mut Reader<'a>) -> Option<Frame<'a>> {
    let (tx, cookie) = (fields.u64()?, Cookie(*fields.array()?));
    fields.end()?;
    Some(Frame::Challenge(Challenge { tx, cookie }))
}

fn welcome<'a>(fields: &mut Reader<'a>) -> Option<Frame<'a>> {
    let welcome = Welcome {
        tx: fields.u64()?,
        session: SessionId(fields.u64()?),
        keepalive_seconds: fields.u16()?,
        observed: address::read(fields)?,
        proof: Proof(*fields.array()?),
    };
    fields.end()?;
    Some(Frame::Welcome(welcome))
}

fn refused<'a>(fields: &mut Reader<'a>) -> Option<Frame<'a>> {
    let (tx, reason) = (fields.u64()?, Reason::from_byte(fields.byte()?));
    fields.end()?;
    Some(Frame::Refused { tx, reason })
}

fn data<'a>(fields: &mut Reader<'a>) -> Option<Frame<'a>> {
    let data = Data {
        session: SessionId(fields.u64()?),
        key: PublicKey::from_bytes(*fields.array()?),
        payload: fields.0,
    };
    (!data.payload.is_empty()).then_some(Frame::Data(data))
}

fn gone<'a>(fields: &mut Reader<'a>) -> Option<Frame<'a>> {
    let session = SessionId(fields.u64()?);
    let key = PublicKey::from_bytes(*fields.array()?);
    fields.end()?;
    Some(Frame::Gone { session, key })
}

fn session_and_tx(fields: &mut Reader<'_>) -> Option<(SessionId, u64)> {
    let pair = (SessionId(fields.u64()?), fields.u64()?);
    fields.end()?;
    Some(pair)
}

fn end<'a>(fields: &mut Reader<'a>) -> Option<Frame<'a>> {
    let session = SessionId(fields.u64()?);
    let reason = Reason::from_byte(fields.byte()?);
    fields.end()?;
    Some(Frame::End { session, reason })
}
