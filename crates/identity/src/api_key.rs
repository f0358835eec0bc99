//! How a program and control show each other that they know the API's token, without showing the token.
//!
//! A port of this computer belongs to whoever takes it first, and a file that names one may be older than that. So a
//! program asks first: control answers an HMAC of the program's nonce and of the address at which control itself
//! listens. An impostor cannot make it up, and cannot pass the question on to control either, because the answer
//! names control's address and not the impostor's.

use aws_lc_rs::{
    digest::{Context, SHA256},
    hmac::{self, HMAC_SHA256},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use std::{fmt, net::SocketAddr};

/// Separates this key from every other use of the token.
const LABEL: &[u8] = b"flotilla API proof v1";

/// As long as what it protects.
const NONCE_BYTES: usize = 32;

/// Control reads no other nonces: a stranger decides neither length nor content of what is hashed.
const NONCE_CHARACTERS: std::ops::RangeInclusive<usize> = 16..=64;

/// What follows from the API's token and proves that its holder knows it.
#[derive(Clone)]
pub struct ApiKey(hmac::Key);

impl ApiKey {
    #[must_use]
    pub fn of_token(token: &str) -> Self {
        let mut context = Context::new(&SHA256);
        context.update(LABEL);
        context.update(token.as_bytes());
        Self(hmac::Key::new(HMAC_SHA256, context.finish().as_ref()))
    }

    /// A question that nobody asked before.
    ///
    /// # Panics
    /// The system has no randomness to give.
    #[must_use]
    pub fn nonce() -> String {
        let mut nonce = [0; NONCE_BYTES];
        aws_lc_rs::rand::fill(&mut nonce).expect("the system gives randomness");
        URL_SAFE_NO_PAD.encode(nonce)
    }

    /// The answer of a control that listens at `own`; `None` to what is no nonce.
    #[must_use]
    pub fn prove(&self, nonce: &str, own: SocketAddr) -> Option<String> {
        let plain = nonce
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        (plain && NONCE_CHARACTERS.contains(&nonce.len()))
            .then(|| URL_SAFE_NO_PAD.encode(hmac::sign(&self.0, &message(nonce, own))))
    }

    /// Whether this is the answer of the control that listens at `asked`. Takes the same time wherever a wrong one differs.
    #[must_use]
    pub fn is_proof(&self, proof: &str, nonce: &str, asked: SocketAddr) -> bool {
        let proof = URL_SAFE_NO_PAD.decode(proof).unwrap_or_default();
        hmac::verify(&self.0, &message(nonce, asked), &proof).is_ok()
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(redacted)")
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
