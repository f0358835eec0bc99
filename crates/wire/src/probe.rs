//! Probes between two peers, sealed with a key that only the two can compute.
//!
//! There is one key per pair. The first byte of the nonce tells which end sealed a probe, so that no end accepts its
//! own probe; the rest of the nonce is the sender's counter, which is never used twice.

use crate::{
    MAGIC, MAX_ADDRESSES, MAX_PROBE_LEN, address,
    cursor::{Reader, Writer},
    frame::PROBE,
    key::{StaticKey, WeakKey, expand},
};
use aws_lc_rs::{
    aead::{Aad, CHACHA20_POLY1305, LessSafeKey, MAX_TAG_LEN, Nonce, UnboundKey},
    digest::{SHA256, digest},
};
use flotilla_protocol::key::PublicKey;
use std::{net::SocketAddr, ops::Deref};

const LABEL: &[u8] = b"flotilla probe v1";
/// Magic, kind, hint and counter, which are readable by all and authenticated with the rest.
const HEADER_LEN: usize = 21;
const TAG_LEN: usize = MAX_TAG_LEN;

const PING: u8 = 0x01;
const PONG: u8 = 0x02;
const CANDIDATES: u8 = 0x03;

/// The messages between two peers beside WireGuard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "it lives on the stack for one call, so that nothing allocates"
)]
pub enum Probe {
    /// Asks whether this way works; the answer is expected by the same way.
    Ping { tx: u64 },
    /// The answer to a ping, with the address that the ping came from.
    Pong { tx: u64, observed: SocketAddr },
    /// Asks to be probed at these addresses at once. A lower revision than one already seen is outdated.
    Candidates { revision: u64, addresses: Addresses },
}

/// Up to [`MAX_ADDRESSES`] addresses, in place.
#[derive(Clone, Copy, PartialEq, Eq, derive_more::Debug)]
#[debug("{:?}", **self)]
pub struct Addresses {
    // All slots beyond `count` hold `NOWHERE`.
    slots: [SocketAddr; MAX_ADDRESSES],
    count: usize,
}

const NOWHERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED), 0);

impl FromIterator<SocketAddr> for Addresses {
    /// Addresses that do not fit are left out.
    fn from_iter<I: IntoIterator<Item = SocketAddr>>(addresses: I) -> Self {
        let mut list = Self {
            slots: [NOWHERE; MAX_ADDRESSES],
            count: 0,
        };
        for (slot, address) in list.slots.iter_mut().zip(addresses) {
            *slot = address;
            list.count += 1;
        }
        list
    }
}

impl Deref for Addresses {
    type Target = [SocketAddr];

    fn deref(&self) -> &[SocketAddr] {
        self.slots.get(..self.count).unwrap_or_default()
    }
}

/// The beginning of the key's SHA-256, by which a receiver finds the sender among its peers. It proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hint(pub [u8; 8]);

impl Hint {
    pub fn of(key: PublicKey) -> Self {
        let hash = digest(&SHA256, key.as_bytes());
        let first = hash.as_ref().first_chunk();
        Self(*first.expect("SHA-256 is 32 bytes long"))
    }
}

/// A probe that is not opened yet.
#[derive(Clone, Copy, PartialEq, Eq, derive_more::Debug)]
#[debug("SealedProbe({} bytes)", self.bytes.len())]
pub struct SealedProbe<'a> {
    bytes: &'a [u8],
    hint: Hint,
    counter: u64,
}

impl<'a> SealedProbe<'a> {
    /// `bytes` is the whole frame; the caller has checked its magic and kind.
    pub(crate) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let lengths = HEADER_LEN + 1 + TAG_LEN..=MAX_PROBE_LEN;
        let mut fields = Reader(bytes);
        let _magic_and_kind = fields.array::<5>()?;
        let hint = Hint(*fields.array()?);
        let counter = fields.u64()?;
        lengths
            .contains(&bytes.len())
            .then_some(Self { bytes, hint, counter })
    }

    /// The claimed sender.
    pub fn hint(&self) -> Hint {
        self.hint
    }

    /// Not to be trusted before the probe is opened.
    pub fn counter(&self) -> u64 {
        self.counter
    }

    pub(crate) fn write(&self, out: &mut [u8]) -> Option<usize> {
        out.get_mut(..self.bytes.len())?.copy_from_slice(self.bytes);
        Some(self.bytes.len())
    }
}

/// The peer did not seal this, or it was changed in transit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the probe was not sealed by the peer that it names, or it was changed")]
pub struct Forged;

/// The key that seals and opens probes between this end and one peer.
#[derive(derive_more::Debug)]
#[debug("ProbeKey(redacted)")]
pub struct ProbeKey {
    key: LessSafeKey,
    own_hint: Hint,
    /// The first byte of this end's nonces, 0 or 1; the peer's is the other one.
    own_side: u8,
}

impl ProbeKey {
    /// The peer's key leads to no secret, or is this end's own.
    pub fn between(own: &StaticKey, peer: PublicKey) -> Result<Self, WeakKey> {
        // With its own key an end would accept its own probes.
        if peer == own.public() {
            return Err(WeakKey);
        }
        let secret = own.shared(peer, LABEL)?;
        let mut ends = [own.public(), peer];
        ends.sort_unstable();
        let key: UnboundKey = expand(&secret, ends, &CHACHA20_POLY1305);
        Ok(Self {
            key: LessSafeKey::new(key),
            own_hint: Hint::of(own.public()),
            own_side: u8::from(own.public() > peer),
        })
    }

    /// Writes the sealed frame at the beginning of `out`; returns its length, or `None` when it does not fit in `out`
    /// or in a frame. `counter` must be higher than with every earlier call for this pair, restarts included. A ping
    /// is padded to `length` bytes; 0 asks for no padding, and other probes have none.
    #[must_use]
    pub fn seal(&self, probe: &Probe, counter: u64, length: usize, out: &mut [u8]) -> Option<usize> {
        let out_len = out.len().min(MAX_PROBE_LEN);
        let mut to = Writer::new(out.get_mut(..out_len)?);
        to.put(&MAGIC)?;
        to.put(&[PROBE])?;
        to.put(&self.own_hint.0)?;
        to.put(&counter.to_be_bytes())?;
        probe.write(&mut to)?;
        if matches!(probe, Probe::Ping { .. }) {
            to.pad(length.saturating_sub(TAG_LEN))?;
        }
        let end = to.written();
        let (header, rest) = out.split_first_chunk_mut::<HEADER_LEN>()?;
        let (plaintext, rest) = rest.split_at_mut_checked(end - HEADER_LEN)?;
        let room = rest.get_mut(..TAG_LEN)?;
        let nonce = nonce(self.own_side, counter);
        let tag = self
            .key
            .seal_in_place_separate_tag(nonce, Aad::from(&header[..]), plaintext)
            .ok()?;
        room.copy_from_slice(tag.as_ref());
        Some(end + TAG_LEN).filter(|whole| *whole <= MAX_PROBE_LEN)
    }

    /// The peer did not seal it, or its type is unknown; the two cases are not told apart.
    pub fn open(&self, sealed: &SealedProbe<'_>) -> Result<Probe, Forged> {
        self.opened(sealed).ok_or(Forged)
    }

    fn opened(&self, sealed: &SealedProbe<'_>) -> Option<Probe> {
        let (header, rest) = sealed.bytes.split_first_chunk::<HEADER_LEN>()?;
        let (ciphertext, tag) = rest.split_last_chunk::<TAG_LEN>()?;
        let mut buffer = [0; MAX_PROBE_LEN];
        let plaintext = buffer.get_mut(..ciphertext.len())?;
        let nonce = nonce(1 - self.own_side, sealed.counter);
        self.key
            .open_separate_gather(nonce, Aad::from(header), ciphertext, tag, plaintext)
            .ok()?;
        Probe::read(plaintext)
    }
}

fn nonce(side: u8, counter: u64) -> Nonce {
    let [a, b, c, d, e, f, g, h] = counter.to_be_bytes();
    Nonce::assume_unique_for_key([side, 0, 0, 0, a, b, c, d, e, f, g, h])
}

impl Probe {
    fn write(&self, to: &mut Writer<'_>) -> Option<()> {
        match self {
            Self::Ping { tx } => {
                to.put(&[PING])?;
                to.put(&tx.to_be_bytes())
            }
            Self::Pong { tx, observed } => {
                to.put(&[PONG])?;
                to.put(&tx.to_be_bytes())?;
                to.put(&address::encode(*observed))
            }
            Self::Candidates { revision, addresses } => {
                to.put(&[CANDIDATES])?;
                to.put(&revision.to_be_bytes())?;
                addresses
                    .iter()
                    .try_for_each(|one| to.put(&address::encode(*one)))
            }
        }
    }

    fn read(plaintext: &[u8]) -> Option<Self> {
        let mut fields = Reader(plaintext);
        match fields.byte()? {
            PING => Some(Self::Ping { tx: fields.u64()? }),
            PONG => Some(Self::Pong {
                tx: fields.u64()?,
                observed: address::read(&mut fields)?,
            }),
            CANDIDATES => {
                let revision = fields.u64()?;
                let addresses = std::iter::from_fn(|| address::read(&mut fields)).collect();
                Some(Self::Candidates { revision, addresses })
            }
            _ => None,
        }
    }
}
