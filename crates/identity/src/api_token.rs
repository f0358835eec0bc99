//! The secret with which a program calls the control API: `flotilla_ID.SECRET`.
//!
//! The id is public and identifies the token's record. The secret is 256 random bits. Control keeps the key that proves
//! knowledge of the token ([`ApiKey`](crate::ApiKey)) in place of the token, so a token can be shown once.

use aws_lc_rs::rand::fill;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use flotilla_protocol::api::TOKEN_PREFIX;
use zeroize::Zeroizing;

const SECRET_BYTES: usize = 32;

/// Enough that no two tokens of a control have the same id.
const ID_BYTES: usize = 9;

/// The characters of an id: four for three bytes.
const ID_CHARACTERS: usize = ID_BYTES / 3 * 4;

/// A token as its program holds it. It has no `Display`, so that only [`ApiToken::reveal`] gives the secret.
#[derive(derive_more::Debug)]
#[debug("ApiToken({}.redacted)", self.id())]
pub struct ApiToken(Zeroizing<String>);

impl ApiToken {
    /// Makes a new token.
    ///
    /// The system gives no randomness.
    pub fn generate() -> Self {
        let (mut id, mut secret) = ([0; ID_BYTES], Zeroizing::new([0; SECRET_BYTES]));
        fill(&mut id).expect("the system gives randomness");
        fill(&mut *secret).expect("the system gives randomness");
        let (id, secret) = (
            URL_SAFE_NO_PAD.encode(id),
            Zeroizing::new(URL_SAFE_NO_PAD.encode(*secret)),
        );
        Self(Zeroizing::new(format!("{TOKEN_PREFIX}{id}.{}", *secret)))
    }

    /// The whole token, secret included, to be shown once.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The public id.
    pub fn id(&self) -> &str {
        Self::id_of(&self.0).unwrap_or_default()
    }

    /// The public id of a text that has the form of a token; `None` when it has not.
    pub fn id_of(text: &str) -> Option<&str> {
        let (id, secret) = text.strip_prefix(TOKEN_PREFIX)?.split_once('.')?;
        let is_id = id.len() == ID_CHARACTERS
            && id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        (is_id && !secret.is_empty()).then_some(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ApiKey;
    use proptest::prelude::*;

    #[test]
    fn a_token_is_recognized_and_its_secret_is_its_own() {
        let (a, b) = (ApiToken::generate(), ApiToken::generate());
        assert!(a.reveal().starts_with(TOKEN_PREFIX) && ApiToken::id_of(a.reveal()) == Some(a.id()));
        assert!(a.id() != b.id() && ApiKey::hash(a.reveal()) != ApiKey::hash(b.reveal()));
        let (_, secret) = a.reveal().split_once('.').unwrap();
        assert_eq!(URL_SAFE_NO_PAD.decode(secret).unwrap().len(), SECRET_BYTES);
        assert!(!format!("{a:?}").contains(secret));
    }

    #[test]
    fn the_token_of_controls_own_file_has_no_id() {
        for text in [
            "",
            "flotilla_",
            "AAECAwQFBgcICQoL",
            "flotilla_AAECAwQF.x",
            "flotilla_AAECAwQFBgcI.",
        ] {
            assert_eq!(ApiToken::id_of(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text in "(flotilla_)?[A-Za-z0-9_.-]{0,20}") {
            if let Some(id) = ApiToken::id_of(&text) {
                prop_assert_eq!(id.len(), ID_CHARACTERS);
            }
        }
    }
}
