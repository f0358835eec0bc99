//! Who may use the API port: the owner, on this computer.
//!
//! Programs show the token of `api.json`, made anew at each start. A browser or the desktop window exchanges a
//! single-use code for a session cookie. All three are 256 random bits; only hashes are kept, and comparing
//! two hashes takes the same time wherever they differ.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use flotilla_protocol::Timestamp;
use jiff::SignedDuration;
use rand::{RngCore, SeedableRng, rngs::StdRng};
use sha2::{Digest, Sha256};
use std::{
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};
use subtle::ConstantTimeEq;

/// How long a code waits to be exchanged.
const CODE_LIFETIME: SignedDuration = SignedDuration::from_secs(60);

/// Codes that wait at the same time: more than a person opens windows in a minute.
const CODES: usize = 16;

/// Sessions at the same time; the oldest one ends when another opens.
const SESSIONS: usize = 64;

/// A secret in the only moment in which it is shown.
pub(crate) struct Secret(String);

impl Secret {
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

/// The credentials that are good now.
pub(crate) struct Access(Mutex<Issued>);

struct Issued {
    random: StdRng,
    token: [u8; 32],
    codes: Vec<(Timestamp, [u8; 32])>,
    sessions: Vec<[u8; 32]>,
}

impl Access {
    /// Starts with one token and nothing else; `seed` must be random outside of tests.
    pub(crate) fn new(seed: [u8; 32]) -> (Self, Secret) {
        let mut random = StdRng::from_seed(seed);
        let token = secret(&mut random);
        let issued = Issued {
            token: hash(&token.0),
            random,
            codes: Vec::new(),
            sessions: Vec::new(),
        };
        (Self(Mutex::new(issued)), token)
    }

    /// A fresh code for one session.
    pub(crate) fn open_code(&self, now: Timestamp) -> Secret {
        let mut issued = self.lock();
        let code = secret(&mut issued.random);
        issued.codes.retain(|(expires, _)| *expires > now);
        if issued.codes.len() == CODES {
            issued.codes.remove(0);
        }
        let expires = now.checked_add(CODE_LIFETIME).unwrap_or(now);
        issued.codes.push((expires, hash(&code.0)));
        code
    }

    /// Exchanges a code for a session's secret; `None` when the code was never given, was used, or is too old.
    pub(crate) fn open_session(&self, code: &str, now: Timestamp) -> Option<Secret> {
        let mut issued = self.lock();
        let given = hash(code);
        let at = issued.codes.iter().position(|(_, known)| same(known, &given))?;
        let (expires, _) = issued.codes.remove(at);
        if expires <= now {
            return None;
        }
        let session = secret(&mut issued.random);
        if issued.sessions.len() == SESSIONS {
            issued.sessions.remove(0);
        }
        issued.sessions.push(hash(&session.0));
        Some(session)
    }

    pub(crate) fn close_session(&self, session: &str) {
        let given = hash(session);
        self.lock().sessions.retain(|known| !same(known, &given));
    }

    pub(crate) fn is_token(&self, token: &str) -> bool {
        same(&self.lock().token, &hash(token))
    }

    pub(crate) fn is_session(&self, session: &str) -> bool {
        let given = hash(session);
        self.lock().sessions.iter().any(|known| same(known, &given))
    }

    fn lock(&self) -> MutexGuard<'_, Issued> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Access")
    }
}

fn secret(random: &mut StdRng) -> Secret {
    let mut bytes = [0; 32];
    random.fill_bytes(&mut bytes);
    Secret(URL_SAFE_NO_PAD.encode(bytes))
}

fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret).into()
}

fn same(a: &[u8; 32], b: &[u8; 32]) -> bool {
    a.ct_eq(b).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    #[test]
    fn a_code_opens_one_session_and_only_for_a_minute() {
        let (access, _) = Access::new([1; 32]);
        let code = access.open_code(at(0));
        let session = access.open_session(code.reveal(), at(59)).unwrap();
        assert!(access.is_session(session.reveal()));
        assert!(
            access.open_session(code.reveal(), at(59)).is_none(),
            "it works once"
        );
        let late = access.open_code(at(0));
        assert!(access.open_session(late.reveal(), at(60)).is_none());
        access.close_session(session.reveal());
        assert!(!access.is_session(session.reveal()));
    }

    #[test]
    fn no_secret_passes_for_another_kind() {
        let (access, token) = Access::new([2; 32]);
        let code = access.open_code(at(0));
        let session = access
            .open_session(access.open_code(at(0)).reveal(), at(1))
            .unwrap();
        assert!(access.is_token(token.reveal()));
        assert!(!access.is_session(token.reveal()) && !access.is_token(session.reveal()));
        assert!(!access.is_token(code.reveal()) && !access.is_session(code.reveal()));
        assert!(!access.is_token("") && !access.is_session(""));
    }

    #[test]
    fn codes_and_sessions_are_bounded() {
        let (access, _) = Access::new([3; 32]);
        let first = access.open_code(at(0));
        for _ in 0..CODES {
            access.open_code(at(0));
        }
        assert!(
            access.open_session(first.reveal(), at(0)).is_none(),
            "the oldest code gave way"
        );
    }
}
