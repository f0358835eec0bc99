//! A pin: the SHA-256 of a certificate's SubjectPublicKeyInfo, in curl's notation `sha256//BASE64`.
//!
//! Two of them exist per fleet and are never mixed up: `ca_pin` (what agents check) and `tls_pin` (what the
//! install line's curl checks). The rule of what is hashed is RFC 7469 §2.4.

use crate::text::written_as_text;
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// The text is not `sha256//` and 43 base64 digits with their padding.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a pin looks like sha256//BASE64 with 44 base64 characters")]
pub struct InvalidPin;

#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize, derive_more::Display)]
#[display("{_0}")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String))]
#[serde(try_from = "String", into = "String")]
pub struct Pin(String);

impl Pin {
    /// Wraps a digest that is already in base64 (standard alphabet, padded).
    ///
    /// # Errors
    /// The text does not have the form of a 32-byte digest.
    pub fn from_base64(digest: &str) -> Result<Self, InvalidPin> {
        let (digits, padding) = digest.split_at_checked(43).ok_or(InvalidPin)?;
        let base64 = |c: u8| c.is_ascii_alphanumeric() || c == b'+' || c == b'/';
        if padding == "=" && digits.bytes().all(base64) {
            Ok(Self(format!("sha256//{digest}")))
        } else {
            Err(InvalidPin)
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Pin {
    type Err = InvalidPin;
    fn from_str(text: &str) -> Result<Self, InvalidPin> {
        Self::from_base64(text.strip_prefix("sha256//").ok_or(InvalidPin)?)
    }
}

written_as_text!(Pin, InvalidPin);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_digest_is_a_pin() {
        let good = format!("sha256//{}=", "A".repeat(43));
        assert_eq!(good.parse::<Pin>().unwrap().to_string(), good);
        for bad in [
            "",
            "sha256//",
            "sha256//AAAA",
            &format!("sha1//{}=", "A".repeat(43)),
            &format!("sha256//{}='; rm", "A".repeat(43)),
            &format!("sha256//{}=", "é".repeat(22)),
        ] {
            assert!(bad.parse::<Pin>().is_err(), "{bad}");
        }
    }
}
