//! A device's or relay's static X25519 key, and the secret that two of them share.

use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Okm, Prk, Salt};
use flotilla_protocol::key::PublicKey;
use x25519_dalek::StaticSecret;

/// The other end's key leads to a secret that anyone can compute (RFC 7748 §6.1), or it is this end's own key where
/// two different ones are needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the peer's public key gives no secret")]
pub struct WeakKey;

/// A private key with its public half. It is wiped from memory when dropped.
#[derive(Clone, derive_more::Debug)]
#[debug("StaticKey({public})")]
pub struct StaticKey {
    secret: StaticSecret,
    public: PublicKey,
}

impl StaticKey {
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        let bytes = zeroize::Zeroizing::new(bytes);
        let secret = StaticSecret::from(*bytes);
        let public = PublicKey::from_bytes(x25519_dalek::PublicKey::from(&secret).to_bytes());
        Self { secret, public }
    }

    pub fn public(&self) -> PublicKey {
        self.public
    }

    /// The secret that only the two ends can compute; `label` separates its uses.
    pub(crate) fn shared(&self, other: PublicKey, label: &[u8]) -> Result<Prk, WeakKey> {
        let point = x25519_dalek::PublicKey::from(*other.as_bytes());
        let secret = self.secret.diffie_hellman(&point);
        if !secret.was_contributory() {
            return Err(WeakKey);
        }
        Ok(Salt::new(HKDF_SHA256, label).extract(secret.as_bytes()))
    }
}

/// A key for these two ends only.
pub(crate) fn expand<K, A: KeyType>(secret: &Prk, ends: [PublicKey; 2], algorithm: A) -> K
where
    K: for<'a> From<Okm<'a, A>>,
{
    let [a, b] = &ends;
    let okm = secret
        .expand(&[a.as_bytes().as_slice(), b.as_bytes().as_slice()], algorithm)
        .map(K::from);
    okm.expect("HKDF gives 255 blocks, and a key is one")
}
