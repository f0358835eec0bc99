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

/// Reads a list of values that this build has to know.
///
/// # Errors
/// One is none of the choices.
pub fn all_known<'de, D: Deserializer<'de>, T: Open + Deserialize<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    let values = Vec::<T>::deserialize(deserializer)?;
    if values.iter().all(T::is_known) {
        Ok(values)
    } else {
        Err(D::Error::custom(format_args!("expected some of {}", T::CHOICES)))
    }
}

/// The text is none of the words of a closed choice.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{given}\" is not one of {choices}")]
pub struct InvalidChoice {
    pub(crate) given: String,
    pub(crate) choices: &'static str,
}

/// Defines an enum of words, with an `Unknown` for those of newer builds.
macro_rules! choice {
    ($(#[$doc:meta])* $name:ident: $($(#[$vdoc:meta])* $variant:ident = $text:literal),*) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
            derive_more::Display,
        )]
        #[display("{}", self.as_str())]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            $($(#[$vdoc])* $variant,)*
            /// A choice that a newer build knows.
            #[serde(other)]
            Unknown,
        }

        impl $crate::open::Open for $name {
            /// The words, without the comma before the first.
            const CHOICES: &'static str = concat!($(", ", $text),*).split_at(2).1;

            fn is_known(&self) -> bool {
                *self != Self::Unknown
            }
        }

        impl $name {
            /// Every choice that there is to make.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* Self::Unknown => "unknown" }
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::open::InvalidChoice;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::ALL.iter().copied().find(|choice| choice.as_str() == text).ok_or_else(|| {
                    let choices = <Self as $crate::open::Open>::CHOICES;
                    $crate::open::InvalidChoice { given: text.to_owned(), choices }
                })
            }
        }
    };
}

pub(crate) use choice;
