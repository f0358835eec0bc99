//! Names people give: devices, tags and API tokens. All validate on construction and on decoding.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Why a text cannot be a name; the display text is what a person should read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    #[error("Enter a device name.")]
    Missing,
    #[error("Use 1 to 63 lowercase letters, digits or hyphens, starting and ending with a letter or digit.")]
    Malformed,
    #[error("\"{0}\" is a reserved word. Choose another name.")]
    Reserved(&'static str),
    #[error(
        "A tag has 1 to 63 lowercase letters, digits, dots, underscores or hyphens, and starts with a letter or digit."
    )]
    Tag,
    #[error(
        "A token's name has 1 to 63 lowercase letters, digits, dots, underscores or hyphens, and starts with a letter or digit."
    )]
    Token,
}

/// A device's name: a DNS label (RFC 1123 §2.1), because it is one on the mesh.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, derive_more::Display)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String))]
#[serde(try_from = "String", into = "String")]
pub struct DeviceName(String);

/// Names that are also words in addresses of the user interface.
const RESERVED: [&str; 1] = ["add"];

impl FromStr for DeviceName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        if text.is_empty() {
            return Err(InvalidName::Missing);
        }
        let alphanumeric = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
        let bytes = text.as_bytes();
        let well_formed = bytes.len() <= 63
            && bytes.iter().all(|&c| alphanumeric(c) || c == b'-')
            && alphanumeric(bytes[0])
            && alphanumeric(bytes[bytes.len() - 1]);
        if !well_formed {
            return Err(InvalidName::Malformed);
        }
        match RESERVED.iter().find(|word| **word == text) {
            Some(word) => Err(InvalidName::Reserved(word)),
            None => Ok(Self(text.to_owned())),
        }
    }
}

/// A label on a device. The same tag drives fleet filters, roles, registry credentials and access rules.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, derive_more::Display)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String))]
#[serde(try_from = "String", into = "String")]
pub struct Tag(String);

impl FromStr for Tag {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        if is_label(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidName::Tag)
        }
    }
}

/// An API token's name, for people and the activity log. It opens nothing.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, derive_more::Display)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String))]
#[serde(try_from = "String", into = "String")]
pub struct TokenName(String);

impl FromStr for TokenName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        if is_label(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidName::Token)
        }
    }
}

/// Whether a text has 1 to 63 lowercase letters, digits, dots, underscores or hyphens, and starts with a letter or digit.
fn is_label(text: &str) -> bool {
    let alphanumeric = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
    let bytes = text.as_bytes();
    (1..=63).contains(&bytes.len())
        && alphanumeric(bytes[0])
        && bytes
            .iter()
            .all(|&c| alphanumeric(c) || matches!(c, b'-' | b'_' | b'.'))
}

macro_rules! textual {
    ($name:ident) => {
        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
        impl TryFrom<String> for $name {
            type Error = InvalidName;
            fn try_from(text: String) -> Result<Self, InvalidName> {
                text.parse()
            }
        }
        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }
    };
}
textual!(DeviceName);
textual!(Tag);
textual!(TokenName);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_device_name_is_a_dns_label() {
        for good in ["nas", "pi-garage", "0", "a1", &"x".repeat(63)] {
            assert!(good.parse::<DeviceName>().is_ok(), "{good}");
        }
        for bad in ["-a", "a-", "Nas", "a b", "a.b", "ä", "add", &"x".repeat(64)] {
            assert!(bad.parse::<DeviceName>().is_err(), "{bad}");
        }
        assert_eq!("".parse::<DeviceName>(), Err(InvalidName::Missing));
    }

    #[test]
    fn decoding_refuses_what_parsing_refuses() {
        assert!(serde_json::from_str::<DeviceName>("\"NAS\"").is_err());
        assert!(serde_json::from_str::<Tag>("\"a b\"").is_err());
    }

    proptest! {
        #[test]
        fn parsing_any_text_answers(text in ".{0,80}") {
            if let Ok(name) = text.parse::<DeviceName>() { prop_assert_eq!(name.as_str(), &text); }
            if let Ok(tag) = text.parse::<Tag>() { prop_assert_eq!(tag.as_str(), &text); }
        }
    }
}
