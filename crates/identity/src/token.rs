//! The one-time secret with which a device enrolls: `ID.SECRET`.
//!
//! The id is public and identifies the token's record. The secret is 256 random bits of which control keeps only the
//! hash, so a token can be shown once, and a stolen store is of no use to enroll a device. A plain SHA-256 is enough
//! for a secret of that size.

use aws_lc_rs::digest::{Context, SHA256};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use flotilla_protocol::{Timestamp, id::TokenId};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

const SECRET_BYTES: usize = 32;

/// Separates these hashes from every other use of SHA-256 in Flotilla.
const HASH_LABEL: &[u8] = b"flotilla enrollment token v1";

/// The text does not have the form of a token. The error has no details and never contains the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not an enrollment token; paste it whole, it looks like ID.SECRET")]
pub struct InvalidToken;

/// A token as the device holds it. It has no `Display`, so that only [`EnrollmentToken::reveal`] gives the secret.
#[derive(Clone, derive_more::Debug)]
#[debug("EnrollmentToken({id}.redacted)")]
pub struct EnrollmentToken {
    id: TokenId,
    secret: Secret,
}

#[derive(Clone, Zeroize, ZeroizeOnDrop)]
struct Secret([u8; SECRET_BYTES]);

impl EnrollmentToken {
    /// Makes a new token; `now` orders its id.
    ///
    /// The system gives no randomness.
    pub fn generate(now: Timestamp) -> Self {
        let mut tail = [0; 10];
        let mut secret = Secret([0; SECRET_BYTES]);
        aws_lc_rs::rand::fill(&mut tail).expect("the system gives randomness");
        aws_lc_rs::rand::fill(&mut secret.0).expect("the system gives randomness");
        let id = TokenId::new(now, tail);
        Self { id, secret }
    }

    /// Reads `ID.SECRET`; surrounding white space is ignored.
    ///
    /// # Errors
    /// The text has another form.
    pub fn parse(text: &str) -> Result<Self, InvalidToken> {
        let (id, encoded) = text.trim().split_once('.').ok_or(InvalidToken)?;
        let id: TokenId = id.parse().map_err(|_| InvalidToken)?;
        let mut secret = Secret([0; SECRET_BYTES]);
        // The slice decoder requires exactly this many digits, and leaves no copy of the secret behind.
        if encoded.len() != SECRET_BYTES.div_ceil(3) * 4 - 1 {
            return Err(InvalidToken);
        }
        let length = URL_SAFE_NO_PAD
            .decode_slice(encoded, &mut secret.0)
            .map_err(|_| InvalidToken)?;
        if length == SECRET_BYTES {
            Ok(Self { id, secret })
        } else {
            Err(InvalidToken)
        }
    }

    /// The whole token, secret included, to be shown or sent once.
    pub fn reveal(&self) -> Zeroizing<String> {
        let secret = Zeroizing::new(URL_SAFE_NO_PAD.encode(self.secret.0));
        Zeroizing::new(format!("{}.{}", self.id, *secret))
    }

    pub fn id(&self) -> TokenId {
        self.id
    }

    /// The hash that control stores in place of the secret.
    pub fn hash(&self) -> TokenHash {
        let mut context = Context::new(&SHA256);
        context.update(HASH_LABEL);
        context.update(self.id.0.as_bytes());
        context.update(&self.secret.0);
        let mut hash = [0; 32];
        hash.copy_from_slice(context.finish().as_ref());
        TokenHash(hash)
    }
}

/// The hash of a token. Comparing two takes the same time wherever they differ.
#[derive(Clone, Copy, derive_more::Debug)]
#[debug("TokenHash(redacted)")]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl PartialEq for TokenHash {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for TokenHash {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn now() -> Timestamp {
        Timestamp::from_second(1_800_000_000).unwrap()
    }

    #[test]
    fn a_token_reads_back_as_it_was_shown() {
        let token = EnrollmentToken::generate(now());
        let read = EnrollmentToken::parse(&format!(" {}\n", *token.reveal())).unwrap();
        assert_eq!(read.id(), token.id());
        assert_eq!(read.hash(), token.hash());
    }

    #[test]
    fn two_tokens_differ_in_id_and_in_hash() {
        let (a, b) = (EnrollmentToken::generate(now()), EnrollmentToken::generate(now()));
        assert_ne!(a.id(), b.id());
        assert_ne!(a.hash(), b.hash());
    }

    #[test]
    fn the_same_secret_under_another_id_is_another_token() {
        let token = EnrollmentToken::generate(now());
        let shown = token.reveal();
        let secret = shown.split_once('.').unwrap().1;
        let other = EnrollmentToken::generate(now()).id();
        let swapped = EnrollmentToken::parse(&format!("{other}.{secret}")).unwrap();
        assert_ne!(swapped.hash(), token.hash());
    }

    #[test]
    fn debug_shows_neither_secret_nor_hash() {
        let token = EnrollmentToken::generate(now());
        let shown = token.reveal();
        let secret = shown.split_once('.').unwrap().1;
        let debug = format!("{token:?} {:?}", token.hash());
        assert!(!debug.contains(secret));
        assert!(debug.contains(&token.id().to_string()));
    }

    #[test]
    fn the_identifier_is_ordered_by_time() {
        let later = Timestamp::from_second(1_800_000_001).unwrap();
        assert!(EnrollmentToken::generate(now()).id() < EnrollmentToken::generate(later).id());
    }

    proptest! {
        #[test]
        fn any_text_is_answered_and_a_token_has_one_secret(text in "[A-Za-z0-9_.=+/ -]{0,120}") {
            if let Ok(token) = EnrollmentToken::parse(&text) {
                prop_assert_eq!(EnrollmentToken::parse(&token.reveal()).unwrap().hash(), token.hash());
            }
        }

        #[test]
        fn a_shortened_or_lengthened_token_is_refused(cut in 1usize..79, tail in "[A-Za-z0-9_-]{1,8}") {
            let shown = EnrollmentToken::generate(now()).reveal();
            prop_assert!(EnrollmentToken::parse(&shown[..shown.len() - cut]).is_err());
            let lengthened = format!("{}{tail}", *shown);
            prop_assert!(EnrollmentToken::parse(&lengthened).is_err());
        }
    }
}
