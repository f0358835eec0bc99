//! How long a token lives: `90s`, `15m`, `1h`, `7d`.

use std::str::FromStr;

/// Shortest lifetime: a person needs time to get to the other machine.
const SHORTEST: u32 = 15 * 60;
/// Longest lifetime: a token that was forgotten must not let a device in for ever.
const LONGEST: u32 = 7 * 24 * 3600;

/// A token's lifetime in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lifetime(pub(crate) u32);

/// Why a text is not a lifetime.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidLifetime {
    #[error("write a number and a unit: 15m, 1h, 7d or 30d")]
    Malformed,
    #[error("a command works for at least 15 minutes: write 15m or more")]
    TooShort,
    #[error("a command works for at most 7 days: write 7d or less")]
    TooLong,
}

impl FromStr for Lifetime {
    type Err = InvalidLifetime;

    fn from_str(text: &str) -> Result<Self, InvalidLifetime> {
        match text.parse()? {
            Seconds(seconds) if seconds < SHORTEST => Err(InvalidLifetime::TooShort),
            Seconds(seconds) if seconds <= LONGEST => Ok(Self(seconds)),
            Seconds(_) => Err(InvalidLifetime::TooLong),
        }
    }
}

/// A length of time in seconds, without limits of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seconds(pub(crate) u32);

impl FromStr for Seconds {
    type Err = InvalidLifetime;

    fn from_str(text: &str) -> Result<Self, InvalidLifetime> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let unit = match unit.trim() {
            "s" => 1,
            "m" | "min" => 60,
            "h" => 3600,
            "d" => 86_400,
            _ => return Err(InvalidLifetime::Malformed),
        };
        if number.is_empty() {
            return Err(InvalidLifetime::Malformed);
        }
        let number: Option<u32> = number.parse().ok();
        let seconds = number.and_then(|number| number.checked_mul(unit));
        Ok(Self(seconds.unwrap_or(u32::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_lifetime_is_a_number_and_a_unit_within_limits() {
        for (text, seconds) in [
            ("15m", 900),
            ("900s", 900),
            ("1h", 3600),
            ("24 h", 86_400),
            ("7d", 604_800),
        ] {
            assert_eq!(text.parse(), Ok(Lifetime(seconds)), "{text}");
        }
        for text in ["", "1", "h", "1w", "-1h", "1.5h", "ééé"] {
            assert_eq!(
                text.parse::<Lifetime>(),
                Err(InvalidLifetime::Malformed),
                "{text}"
            );
        }
        assert_eq!("14m".parse::<Lifetime>(), Err(InvalidLifetime::TooShort));
        for text in ["8d", "99999999999h", "4294967295d"] {
            assert_eq!(text.parse::<Lifetime>(), Err(InvalidLifetime::TooLong), "{text}");
        }
    }

    proptest! {
        #[test]
        fn parsing_any_text_answers(text in ".{0,20}") {
            if let Ok(Lifetime(seconds)) = text.parse() {
                prop_assert!((SHORTEST..=LONGEST).contains(&seconds));
            }
        }
    }
}
