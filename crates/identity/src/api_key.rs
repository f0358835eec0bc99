//! Mutual proof between a program and control that both know the API's token, without sending the token.
//!
//! Any program may listen on a free port of this computer, and a file that names control's port may be outdated. So a
//! program first asks: control answers with an HMAC of the program's nonce and of the address that control listens at.
//! An impostor cannot compute it, and cannot get it from control either, because control's answer names control's
//! address and not the impostor's.

use crate::TokenHash;
use aws_lc_rs::{
    digest::{Context, SHA256},
    hmac::{self, HMAC_SHA256},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use std::net::SocketAddr;

/// Separates this key from every other use of the token.
const LABEL: &[u8] = b"flotilla API proof v1";

/// Length of a nonce in bytes: as much randomness as the token has.
const NONCE_BYTES: usize = 32;

/// The lengths of nonces that control answers, so that a stranger decides neither length nor content of what is
/// hashed.
const NONCE_CHARACTERS: std::ops::RangeInclusive<usize> = 16..=64;

/// A key derived from the API's token; it proves that its holder knows the token.
#[derive(Clone, derive_more::Debug)]
#[debug("ApiKey(redacted)")]
pub struct ApiKey(hmac::Key);

impl ApiKey {
    pub fn of_token(token: &str) -> Self {
        Self::of_hash(&Self::hash(token))
    }

    /// The key of a token of which only the [hash](Self::hash) is known.
    pub fn of_hash(hash: &TokenHash) -> Self {
        Self(hmac::Key::new(HMAC_SHA256, hash.as_bytes()))
    }

    /// What control keeps in place of a token: it recognizes the token by it, and proves by it that it knows the token.
    pub fn hash(token: &str) -> TokenHash {
        let mut context = Context::new(&SHA256);
        context.update(LABEL);
        context.update(token.as_bytes());
        let mut hash = [0; 32];
        hash.copy_from_slice(context.finish().as_ref());
        TokenHash::from_bytes(hash)
    }

    /// A new random nonce.
    ///
    /// The system gives no randomness.
    pub fn nonce() -> String {
        let mut nonce = [0; NONCE_BYTES];
        aws_lc_rs::rand::fill(&mut nonce).expect("the system gives randomness");
        URL_SAFE_NO_PAD.encode(nonce)
    }

    /// The proof of a control that listens at `own`; `None` when the text is not a nonce.
    #[must_use]
    pub fn prove(&self, nonce: &str, own: SocketAddr) -> Option<String> {
        let plain = nonce
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        (plain && NONCE_CHARACTERS.contains(&nonce.len()))
            .then(|| URL_SAFE_NO_PAD.encode(hmac::sign(&self.0, &message(nonce, own))))
    }

    /// Whether this is the proof of the control that listens at `asked`. The comparison takes the same time for every
    /// wrong proof.
    #[must_use]
    pub fn is_proof(&self, proof: &str, nonce: &str, asked: SocketAddr) -> bool {
        let proof = URL_SAFE_NO_PAD.decode(proof).unwrap_or_default();
        hmac::verify(&self.0, &message(nonce, asked), &proof).is_ok()
    }
}

fn message(nonce: &str, address: SocketAddr) -> Vec<u8> {
    format!("{address}\n{nonce}").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_is_good_for_its_token_its_nonce_and_its_address() {
        let key = ApiKey::of_token("token");
        let (own, nonce): (SocketAddr, _) = ("127.0.0.1:7440".parse().unwrap(), ApiKey::nonce());
        let proof = key.prove(&nonce, own).unwrap();
        assert!(ApiKey::of_token("token").is_proof(&proof, &nonce, own));
        assert!(!ApiKey::of_token("other").is_proof(&proof, &nonce, own));
        assert!(!key.is_proof(&proof, &ApiKey::nonce(), own));
        for elsewhere in ["127.0.0.1:7441", "[::1]:7440", "127.0.0.2:7440"] {
            assert!(
                !key.is_proof(&proof, &nonce, elsewhere.parse().unwrap()),
                "passed on from {elsewhere}"
            );
        }
        for wrong in ["", "token", &nonce, "ä"] {
            assert!(!key.is_proof(wrong, &nonce, own), "{wrong}");
        }
    }

    #[test]
    fn only_nonces_are_answered() {
        let key = ApiKey::of_token("token");
        let own = "127.0.0.1:7440".parse().unwrap();
        for wrong in ["", "short", &"x".repeat(65), "127.0.0.1:7441\n0123456789abcdef"] {
            assert_eq!(key.prove(wrong, own), None, "{wrong:?}");
        }
    }
}
