//! Text that must not be shown: private keys.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// Wiped from memory when dropped, and not printed by `Debug`. Serialized as plain text, into a file of mode 0600.
#[derive(Clone, PartialEq, Eq, derive_more::Debug)]
#[debug("Secret(redacted)")]
pub(crate) struct Secret(Zeroizing<String>);

impl Secret {
    pub(crate) fn new(text: Zeroizing<String>) -> Self {
        Self(text)
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl Serialize for Secret {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}
