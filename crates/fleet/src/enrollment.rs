//! Whether an enrollment token may enroll the key that is shown with it, and how long a token is good.
//!
//! Life of a token: offered → used, withdrawn or expired. The store uses it up atomically, so of two agents that race
//! exactly one enrolls. Its answer may be lost, so for ten minutes the same key gets the same certificate again.

use flotilla_identity::{EnrollmentToken, TokenHash};
use flotilla_protocol::{Code, Problem, Timestamp, pin::Pin};
use std::time::Duration;

/// The shortest and the longest life of a token, and the life when the caller asks for none.
pub const SHORTEST: Duration = Duration::from_secs(15 * 60);
pub const LONGEST: Duration = Duration::from_secs(7 * 86_400);
pub const USUAL: Duration = Duration::from_secs(3_600);

/// For how long after its use a token answers the same key again.
pub const RETRY: Duration = Duration::from_secs(600);

/// What control has recorded of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRecord {
    pub hash: TokenHash,
    pub expires: Timestamp,
    /// A newer token replaced it, or its device was revoked.
    pub withdrawn: bool,
    pub used: Option<Redemption>,
}

/// The one enrollment that used a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redemption {
    pub at: Timestamp,
    /// The key that was certified.
    pub key: Pin,
}

/// What to do with a good token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Use the token up and issue a certificate.
    Issue,
    /// Answer with the certificate that was issued for this key before.
    Repeat,
}

/// Why a token does not enroll a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    #[error("This enrollment token is not known here. Copy it again from Add Device, whole.")]
    Unknown,
    #[error("This enrollment token was withdrawn or replaced by a newer one. Use the newest command.")]
    Withdrawn,
    #[error("This enrollment token has enrolled a device already. Create a new command for this device.")]
    Used,
    #[error("This enrollment token has expired. Create a new command for this device.")]
    Expired,
}

impl From<TokenError> for Problem {
    fn from(error: TokenError) -> Self {
        let code = match error {
            TokenError::Unknown => Code::TokenUnknown,
            TokenError::Withdrawn => Code::TokenRevoked,
            TokenError::Used => Code::TokenUsed,
            TokenError::Expired => Code::TokenExpired,
        };
        code.because(error.to_string())
    }
}

impl TokenRecord {
    /// Judges a token before it is used: may its bearer fetch the installer, or try to enroll?
    ///
    /// It is another token, or it was withdrawn, used or has expired. A caller without the secret only ever gets
    /// [`TokenError::Unknown`].
    pub fn check(&self, shown: &EnrollmentToken, now: Timestamp) -> Result<(), TokenError> {
        if shown.hash() != self.hash {
            return Err(TokenError::Unknown);
        }
        if self.withdrawn {
            return Err(TokenError::Withdrawn);
        }
        if self.used.is_some() {
            return Err(TokenError::Used);
        }
        if now >= self.expires {
            return Err(TokenError::Expired);
        }
        Ok(())
    }

    /// Judges an enrollment: a shown token with a key whose possession is proved.
    ///
    /// As [`TokenRecord::check`], except that for [`RETRY`] after its use a token is good for the key that used it.
    pub fn judge(&self, shown: &EnrollmentToken, key: &Pin, now: Timestamp) -> Result<Verdict, TokenError> {
        match self.check(shown, now) {
            Ok(()) => Ok(Verdict::Issue),
            Err(TokenError::Used) if self.is_retry(key, now) => Ok(Verdict::Repeat),
            Err(error) => Err(error),
        }
    }

    fn is_retry(&self, key: &Pin, now: Timestamp) -> bool {
        self.used.as_ref().is_some_and(|used| {
            let since = now.duration_since(used.at).unsigned_abs();
            used.key == *key && since <= RETRY
        })
    }
}

/// The life of a new token, as asked for or [`USUAL`].
///
/// # Errors
/// Less than [`SHORTEST`] or more than [`LONGEST`] was asked for.
pub fn lifetime(seconds: Option<u32>) -> Result<Duration, Problem> {
    let Some(seconds) = seconds else {
        return Ok(USUAL);
    };
    let asked = Duration::from_secs(seconds.into());
    if (SHORTEST..=LONGEST).contains(&asked) {
        Ok(asked)
    } else {
        let message = "An enrollment command is good for 15 minutes to 7 days.";
        Err(Code::InvalidInput.because(message).with_field("expires_seconds"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flotilla_identity::LeafKey;
    use proptest::prelude::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn key() -> Pin {
        LeafKey::generate().unwrap().pin()
    }

    fn record() -> (EnrollmentToken, TokenRecord) {
        let token = EnrollmentToken::generate(at(0));
        let record = TokenRecord {
            hash: token.hash(),
            expires: at(3_600),
            withdrawn: false,
            used: None,
        };
        (token, record)
    }

    #[test]
    fn a_fresh_token_is_used_once() {
        let (token, mut record) = record();
        let (winner, loser) = (key(), key());
        assert_eq!(record.judge(&token, &winner, at(5)), Ok(Verdict::Issue));
        record.used = Some(Redemption {
            at: at(5),
            key: winner.clone(),
        });
        assert_eq!(record.judge(&token, &loser, at(5)), Err(TokenError::Used));
        assert_eq!(record.judge(&token, &winner, at(6)), Ok(Verdict::Repeat));
    }

    #[test]
    fn a_lost_answer_can_be_asked_for_again_for_ten_minutes_even_after_expiry() {
        let (token, mut record) = record();
        let winner = key();
        record.used = Some(Redemption {
            at: at(3_599),
            key: winner.clone(),
        });
        assert_eq!(
            record.judge(&token, &winner, at(3_599 + 600)),
            Ok(Verdict::Repeat)
        );
        assert_eq!(
            record.judge(&token, &winner, at(3_599 + 601)),
            Err(TokenError::Used)
        );
    }

    #[test]
    fn a_revoked_device_cannot_repeat_its_enrollment() {
        let (token, mut record) = record();
        let winner = key();
        record.used = Some(Redemption {
            at: at(5),
            key: winner.clone(),
        });
        record.withdrawn = true;
        assert_eq!(record.judge(&token, &winner, at(6)), Err(TokenError::Withdrawn));
    }

    #[test]
    fn a_token_ends_at_its_last_second() {
        let (token, record) = record();
        assert_eq!(record.check(&token, at(3_599)), Ok(()));
        assert_eq!(record.check(&token, at(3_600)), Err(TokenError::Expired));
    }

    #[test]
    fn every_refusal_has_its_own_code() {
        let codes = [
            TokenError::Unknown,
            TokenError::Withdrawn,
            TokenError::Used,
            TokenError::Expired,
        ]
        .map(|error| Problem::from(error).code);
        assert_eq!(
            codes,
            [
                Code::TokenUnknown,
                Code::TokenRevoked,
                Code::TokenUsed,
                Code::TokenExpired
            ]
        );
    }

    #[test]
    fn lifetimes_have_bounds_and_a_default() {
        assert_eq!(lifetime(None), Ok(USUAL));
        assert_eq!(lifetime(Some(900)), Ok(SHORTEST));
        assert_eq!(lifetime(Some(604_800)), Ok(LONGEST));
        for bad in [0, 899, 604_801, u32::MAX] {
            assert_eq!(
                lifetime(Some(bad)).unwrap_err().field.as_deref(),
                Some("expires_seconds")
            );
        }
    }

    proptest! {
        #[test]
        fn without_the_secret_nothing_is_learned(withdrawn: bool, used: bool, now in 0i64..10_000) {
            let (_, mut record) = record();
            let stranger = EnrollmentToken::generate(at(0));
            let theirs = key();
            record.withdrawn = withdrawn;
            record.used = used.then(|| Redemption { at: at(1), key: theirs.clone() });
            prop_assert_eq!(record.judge(&stranger, &theirs, at(now)), Err(TokenError::Unknown));
        }

        #[test]
        fn no_second_key_ever_enrolls(used_at in 0i64..3_600, now in 0i64..10_000) {
            let (token, mut record) = record();
            record.used = Some(Redemption { at: at(used_at), key: key() });
            prop_assert!(record.judge(&token, &key(), at(now)).is_err());
        }
    }
}
