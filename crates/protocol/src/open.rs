//! Values of which a newer build may know more than this one.
//!
//! What another program reports is read openly: a value that this build does not know becomes `Unknown`, and all that
//! stands around it is read. What a request asks for is read by [`known`] instead and refused, because doing something
//! else than what was asked is worse than doing nothing. Documents that people write (the access policy, the config
//! file) are read like requests.

use serde::{Deserialize, Deserializer, de::Error};

/// An enum with an `Unknown` for what newer builds know.
pub trait Open: Sized {
    /// The values that this build knows, for people: `host, bridge, pause`.
    const CHOICES: &'static str;

    fn is_known(&self) -> bool;
}

/// Reads a value that this build has to know.
///
/// # Errors
/// The value is none of its choices.
pub fn known<'de, D: Deserializer<'de>, T: Open + Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    let value = T::deserialize(deserializer)?;
    if value.is_known() {
        Ok(value)
    } else {
        Err(D::Error::custom(format_args!("expected one of {}", T::CHOICES)))
    }
}

/// Reads a value that may be absent, and that this build has to know when it is present.
///
/// # Errors
/// The value is none of its choices.
pub fn known_if_any<'de, D: Deserializer<'de>, T: Open + Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let value = Option::<T>::deserialize(deserializer)?;
    match value {
        Some(value) if !value.is_known() => {
            Err(D::Error::custom(format_args!("expected one of {}", T::CHOICES)))
        }
        value => Ok(value),
    }
}
