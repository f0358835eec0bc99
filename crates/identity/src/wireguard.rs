//! A device's WireGuard key: X25519, which every enrollment includes.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::str::FromStr;
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::{Zeroize, Zeroizing};

/// The text is not a key in WireGuard's notation: 44 characters of base64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not a WireGuard key: 32 bytes in base64, 44 characters")]
pub struct InvalidWireguardKey;

/// The private key. It is wiped from memory when dropped and has no `Display`.
#[derive(Clone, derive_more::Debug)]
#[debug("WireguardKey({})", self.public())]
pub struct WireguardKey(StaticSecret);

impl WireguardKey {
    /// The system gives no randomness.
    pub fn generate() -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        aws_lc_rs::rand::fill(bytes.as_mut()).expect("the system gives randomness");
        Self(StaticSecret::from(*bytes))
    }

    /// Reads the output of [`WireguardKey::to_base64`].
    ///
    /// The text is not a key.
    pub fn from_base64(text: &str) -> Result<Self, InvalidWireguardKey> {
        let mut bytes = decode(text)?;
        let key = Self(StaticSecret::from(bytes));
        bytes.zeroize();
        Ok(key)
    }

    pub fn to_base64(&self) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(self.0.as_bytes()))
    }

    pub fn public(&self) -> WireguardPublicKey {
        WireguardPublicKey(PublicKey::from(&self.0).to_bytes())
    }

    pub(crate) fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self(StaticSecret::from(*bytes))
    }

    /// The secret that the two keys share; `None` when anyone can compute it.
    pub(crate) fn agree(&self, other: &WireguardPublicKey) -> Option<Zeroizing<[u8; 32]>> {
        let secret = self.0.diffie_hellman(&PublicKey::from(other.0));
        secret
            .was_contributory()
            .then(|| Zeroizing::new(secret.to_bytes()))
    }
}

/// The public key; it prints in the form of `wg`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, derive_more::Debug, derive_more::Display)]
#[debug("{self}")]
#[display("{}", STANDARD.encode(self.0))]
pub struct WireguardPublicKey([u8; 32]);

impl WireguardPublicKey {
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl FromStr for WireguardPublicKey {
    type Err = InvalidWireguardKey;

    /// Refuses keys with which every handshake gives the same secret (RFC 7748 §6.1), and any second spelling of a
    /// key, because devices are told apart by their keys.
    fn from_str(text: &str) -> Result<Self, InvalidWireguardKey> {
        let bytes = decode(text)?;
        let probe = StaticSecret::from([0x40; 32]);
        if is_canonical(&bytes) && probe.diffie_hellman(&PublicKey::from(bytes)).was_contributory() {
            Ok(Self(bytes))
        } else {
            Err(InvalidWireguardKey)
        }
    }
}

/// Whether the number is below 2^255 - 19. Arithmetic ignores the highest bit and reduces modulo that prime, so other
/// numbers would be a second spelling (RFC 7748 §5).
fn is_canonical(bytes: &[u8; 32]) -> bool {
    let [low, middle @ .., high] = bytes;
    *high < 0x7f || (*high == 0x7f && (*low < 0xed || middle.iter().any(|byte| *byte != 0xff)))
}

fn decode(text: &str) -> Result<[u8; 32], InvalidWireguardKey> {
    let bytes = Zeroizing::new(STANDARD.decode(text.trim()).map_err(|_| InvalidWireguardKey)?);
    bytes.as_slice().try_into().map_err(|_| InvalidWireguardKey)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_key_survives_being_written_and_read() {
        let key = WireguardKey::generate();
        let read = WireguardKey::from_base64(&key.to_base64()).unwrap();
        assert_eq!(read.public(), key.public());
        assert_eq!(key.public().to_string().parse(), Ok(key.public()));
    }

    #[test]
    fn the_public_half_is_what_the_standard_says() {
        // The key of Alice in RFC 7748 §6.1.
        let key = WireguardKey::from_base64("dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=").unwrap();
        assert_eq!(
            key.public().to_string(),
            "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo="
        );
    }

    #[test]
    fn a_private_key_does_not_print_itself() {
        let key = WireguardKey::generate();
        assert!(!format!("{key:?}").contains(key.to_base64().as_str()));
    }

    #[test]
    fn a_public_key_that_makes_every_secret_the_same_is_refused() {
        let zero = STANDARD.encode([0; 32]);
        assert_eq!(zero.parse::<WireguardPublicKey>(), Err(InvalidWireguardKey));
        let mut one = [0; 32];
        one[0] = 1;
        assert_eq!(
            STANDARD.encode(one).parse::<WireguardPublicKey>(),
            Err(InvalidWireguardKey)
        );
    }

    #[test]
    fn there_is_one_way_to_write_a_key() {
        let key = WireguardKey::generate().public();
        let mut twin = *key.as_bytes();
        twin[31] |= 0x80;
        assert_eq!(
            STANDARD.encode(twin).parse::<WireguardPublicKey>(),
            Err(InvalidWireguardKey)
        );
        // The prime plus nine equals nine, the base point.
        let mut nine = [0xff; 32];
        (nine[0], nine[31]) = (0xf6, 0x7f);
        assert_eq!(
            STANDARD.encode(nine).parse::<WireguardPublicKey>(),
            Err(InvalidWireguardKey)
        );
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text in "[A-Za-z0-9+/= ]{0,60}") {
            if let Ok(key) = text.parse::<WireguardPublicKey>() {
                prop_assert_eq!(key.to_string().parse(), Ok(key));
            }
        }
    }
}
