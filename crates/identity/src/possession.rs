//! Proof that an enrolling device holds the private key of its WireGuard key.
//!
//! An X25519 key cannot sign; it can only agree on a secret with another key. So control has such a key of its own,
//! whose public half it tells every device. From the secret that the two keys share, the device makes a tag, and
//! control makes the same one to compare. The tag is over the token and the key that is to be certified, so it is
//! useless for any other enrollment.
//!
//! Control's key is derived from the key of its certificate, so it need not be stored and stays the same across
//! restarts.

use crate::{LeafKey, WireguardKey, WireguardPublicKey};
use aws_lc_rs::{
    hkdf::{HKDF_SHA256, KeyType, Prk, Salt},
    hmac,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use flotilla_protocol::{id::TokenId, pin::Pin};
use zeroize::Zeroizing;

/// Separates the secret from the one that WireGuard derives from the same keys.
const LABEL: &[u8] = b"flotilla proof of a wireguard key v1";

/// Separates control's key from everything else that may be derived from the key of its certificate.
const OWN_LABEL: &[u8] = b"flotilla control's key for proofs v1";

/// The proof was made for another key, another token or another request, or is not a proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("nothing proves that the device holds the private half of its WireGuard key")]
pub struct InvalidProof;

/// Control's key for checking proofs.
#[derive(Clone, derive_more::Debug)]
#[debug("ProofKey({})", self.public())]
pub struct ProofKey(WireguardKey);

impl ProofKey {
    /// Derives the key from the key of control's certificate.
    pub fn of(control: &LeafKey) -> Self {
        let der = control.private_der();
        let mut bytes = Zeroizing::new([0; 32]);
        expand(
            &Salt::new(HKDF_SHA256, OWN_LABEL).extract(der.secret_der()),
            &[],
            &mut bytes,
        );
        Self(WireguardKey::from_bytes(&bytes))
    }

    /// The public key that a device needs to make a proof.
    pub fn public(&self) -> WireguardPublicKey {
        self.0.public()
    }

    /// Checks the output of [`WireguardKey::prove`].
    ///
    /// It was not made with the private key of `device`, for this token and this certified key.
    pub fn check(
        &self,
        proof: &str,
        device: &WireguardPublicKey,
        token: TokenId,
        certified: &Pin,
    ) -> Result<(), InvalidProof> {
        let tag = STANDARD.decode(proof).map_err(|_| InvalidProof)?;
        let key = tag_key(&self.0, device, [device, &self.public()]).ok_or(InvalidProof)?;
        hmac::verify(&key, &statement(token, certified), &tag).map_err(|_| InvalidProof)
    }
}

impl WireguardKey {
    /// Makes the proof, in base64, that this private key is held here, for a control whose key for proofs is
    /// `control`. The proof is for one token and one key that is to be certified.
    ///
    /// Control's key leads to a secret that anyone can compute.
    pub fn prove(
        &self,
        control: &WireguardPublicKey,
        token: TokenId,
        certified: &Pin,
    ) -> Result<String, InvalidProof> {
        let key = tag_key(self, control, [&self.public(), control]).ok_or(InvalidProof)?;
        Ok(STANDARD.encode(hmac::sign(&key, &statement(token, certified))))
    }
}

/// The key of the tag, derived from the secret that both ends share; `ends` are the device's key and control's.
fn tag_key(
    own: &WireguardKey,
    other: &WireguardPublicKey,
    ends: [&WireguardPublicKey; 2],
) -> Option<hmac::Key> {
    let secret = own.agree(other)?;
    let mut bytes = Zeroizing::new([0; 32]);
    let ends = ends.map(|end| end.as_bytes().as_slice());
    expand(
        &Salt::new(HKDF_SHA256, LABEL).extract(&*secret),
        &ends,
        &mut bytes,
    );
    Some(hmac::Key::new(hmac::HMAC_SHA256, &*bytes))
}

fn statement(token: TokenId, certified: &Pin) -> Vec<u8> {
    [token.0.as_bytes().as_slice(), certified.as_str().as_bytes()].concat()
}

fn expand(secret: &Prk, info: &[&[u8]], bytes: &mut [u8; 32]) {
    struct Length;
    impl KeyType for Length {
        fn len(&self) -> usize {
            32
        }
    }
    let filled = secret.expand(info, Length).and_then(|okm| okm.fill(bytes));
    filled.expect("HKDF gives 255 blocks, and a key is one");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EnrollmentToken;
    use flotilla_protocol::Timestamp;
    use proptest::prelude::*;

    struct Enrolling {
        control: ProofKey,
        device: WireguardKey,
        token: TokenId,
        certified: Pin,
    }

    fn token() -> TokenId {
        EnrollmentToken::generate(Timestamp::UNIX_EPOCH).id()
    }

    fn enrolling() -> Enrolling {
        Enrolling {
            control: ProofKey::of(&LeafKey::generate().unwrap()),
            device: WireguardKey::generate(),
            token: token(),
            certified: LeafKey::generate().unwrap().pin(),
        }
    }

    #[test]
    fn who_holds_the_key_proves_it_and_who_saw_its_public_half_does_not() {
        let Enrolling {
            control,
            device,
            token,
            certified,
        } = enrolling();
        let proof = device.prove(&control.public(), token, &certified).unwrap();
        assert_eq!(control.check(&proof, &device.public(), token, &certified), Ok(()));
        let thief = WireguardKey::generate();
        let forged = thief.prove(&control.public(), token, &certified).unwrap();
        assert_eq!(
            control.check(&forged, &device.public(), token, &certified),
            Err(InvalidProof)
        );
        assert_eq!(
            control.check(&proof, &thief.public(), token, &certified),
            Err(InvalidProof)
        );
    }

    #[test]
    fn a_proof_is_worth_nothing_for_another_token_another_certificate_or_another_control() {
        let Enrolling {
            control,
            device,
            token,
            certified,
        } = enrolling();
        let other = enrolling();
        let proof = device.prove(&control.public(), token, &certified).unwrap();
        let key = device.public();
        assert_eq!(
            control.check(&proof, &key, other.token, &certified),
            Err(InvalidProof)
        );
        assert_eq!(
            control.check(&proof, &key, token, &other.certified),
            Err(InvalidProof)
        );
        assert_eq!(
            other.control.check(&proof, &key, token, &certified),
            Err(InvalidProof)
        );
    }

    #[test]
    fn control_has_the_same_key_after_a_restart() {
        let leaf = LeafKey::generate().unwrap();
        let again = LeafKey::from_pem(&leaf.to_pem()).unwrap();
        assert_eq!(ProofKey::of(&leaf).public(), ProofKey::of(&again).public());
        let other = LeafKey::generate().unwrap();
        assert_ne!(ProofKey::of(&leaf).public(), ProofKey::of(&other).public());
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text in "[A-Za-z0-9+/= ]{0,60}") {
            let Enrolling { control, device, token, certified } = enrolling();
            prop_assert_eq!(control.check(&text, &device.public(), token, &certified), Err(InvalidProof));
        }
    }
}
