//! Who may use the API port: the owner, on this computer.
//!
//! Programs show the token of `api.json`, made anew at each start. A browser or the desktop window exchanges the
//! single-use code of a sign-in link for a session, which has two halves: a cookie, and a secret for the page. Browsers
//! send a cookie to every port of a host, so a program that listens on another port gets it; the page's half leaves the
//! page for control's own origin only, and either half alone opens nothing. All are 256 random bits; only hashes are
//! kept, and comparing two hashes takes the same time wherever they differ.

mod place;
mod sessions;

pub(crate) use place::place;
pub(crate) use sessions::CurrentSession;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use flotilla_identity::ApiKey;
use flotilla_protocol::{Timestamp, api::SessionFacts, id::SessionId};
use jiff::SignedDuration;
use rand::{RngCore, SeedableRng, rngs::StdRng};
use sessions::{SecretHashes, Sessions};
use sha2::{Digest, Sha256};
use std::{
    fmt,
    net::SocketAddr,
    sync::{Mutex, MutexGuard, PoisonError},
};
use subtle::ConstantTimeEq;

/// Codes that wait at the same time: more than a person opens windows in a minute.
const CODES: usize = 16;

/// A secret on its way to the one who will hold it. Control itself keeps only its hash.
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

/// What a sign-in link is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LinkPurpose {
    /// Printed when control starts. The person may read it only after a long build.
    Start,
    /// Asked for through the API, to be opened at once.
    Request,
    /// Opened by the desktop window of this process.
    Window,
}

impl LinkPurpose {
    /// How long the link's code can be exchanged.
    fn lifetime(self) -> SignedDuration {
        match self {
            Self::Start => SignedDuration::from_mins(30),
            Self::Request | Self::Window => SignedDuration::from_mins(1),
        }
    }
}

/// The two secrets of a new session: the cookie's and the page's.
#[derive(Debug)]
pub(crate) struct NewSession {
    pub(crate) cookie: Secret,
    pub(crate) page: Secret,
}

/// The API's token, and the codes and sessions that are valid.
pub(crate) struct Access {
    key: ApiKey,
    token: [u8; 32],
    credentials: Mutex<Credentials>,
}

struct Credentials {
    random: StdRng,
    codes: Vec<SignInCode>,
    sessions: Sessions,
}

struct SignInCode {
    hash: [u8; 32],
    purpose: LinkPurpose,
    expires: Timestamp,
}

impl Access {
    /// Makes a token; there are no codes and no sessions yet. `seed` must be random outside of tests.
    pub(crate) fn new(seed: [u8; 32]) -> (Self, Secret) {
        let mut random = StdRng::from_seed(seed);
        let token = secret(&mut random);
        let access = Self {
            key: ApiKey::of_token(&token.0),
            token: hash(&token.0),
            credentials: Mutex::new(Credentials {
                random,
                codes: Vec::new(),
                sessions: Sessions::default(),
            }),
        };
        (access, token)
    }

    /// Proves to a program that knows the token that this control, which listens at `own`, knows it too; `None` when
    /// `nonce` is not a nonce.
    pub(crate) fn prove(&self, nonce: &str, own: SocketAddr) -> Option<String> {
        self.key.prove(nonce, own)
    }

    /// Makes a code that opens one session.
    pub(crate) fn open_code(&self, purpose: LinkPurpose, now: Timestamp) -> Secret {
        let mut credentials = self.lock();
        let code = secret(&mut credentials.random);
        credentials.codes.retain(|code| code.expires > now);
        if credentials.codes.len() == CODES {
            // The code that expires next gives way, so that asking for links often does not take away the link that the
            // start printed.
            let next = (0..CODES)
                .min_by_key(|at| credentials.codes[*at].expires)
                .unwrap_or(0);
            credentials.codes.remove(next);
        }
        credentials.codes.push(SignInCode {
            hash: hash(&code.0),
            purpose,
            expires: now.checked_add(purpose.lifetime()).unwrap_or(now),
        });
        code
    }

    /// Exchanges a code for a session of the browser at `place`; `None` when the code was never given, was used, or is
    /// too old.
    pub(crate) fn open_session(&self, code: &str, place: String, now: Timestamp) -> Option<NewSession> {
        let mut credentials = self.lock();
        let given = hash(code);
        let at = credentials
            .codes
            .iter()
            .position(|code| same(&code.hash, &given))?;
        let code = credentials.codes.remove(at);
        if code.expires <= now {
            return None;
        }
        let opened = NewSession {
            cookie: secret(&mut credentials.random),
            page: secret(&mut credentials.random),
        };
        let id = session_id(now, &mut credentials.random);
        let place = match code.purpose {
            LinkPurpose::Window => place::WINDOW.to_owned(),
            LinkPurpose::Start | LinkPurpose::Request => place,
        };
        let hashes = SecretHashes::of(opened.cookie.reveal(), opened.page.reveal());
        credentials.sessions.open(id, hashes, place, now);
        Some(opened)
    }

    /// The session that both secrets belong to. Finding it counts as a use.
    pub(crate) fn find_session(&self, cookie: &str, page: &str, now: Timestamp) -> Option<CurrentSession> {
        self.lock().sessions.find(&SecretHashes::of(cookie, page), now)
    }

    /// Notes that a session is still in use; answers whether it is still good.
    pub(crate) fn keep_session(&self, session: SessionId, now: Timestamp) -> bool {
        self.lock().sessions.keep(session, now)
    }

    /// Ends a session; answers whether there was one.
    pub(crate) fn end_session(&self, session: SessionId) -> bool {
        self.lock().sessions.end(session)
    }

    /// Sessions that are good now, newest first.
    pub(crate) fn sessions(&self, now: Timestamp) -> Vec<SessionFacts> {
        self.lock().sessions.list(now)
    }

    pub(crate) fn is_token(&self, token: &str) -> bool {
        same(&self.token, &hash(token))
    }

    fn lock(&self) -> MutexGuard<'_, Credentials> {
        self.credentials.lock().unwrap_or_else(PoisonError::into_inner)
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

fn session_id(now: Timestamp, random: &mut StdRng) -> SessionId {
    let mut tail = [0; 10];
    random.fill_bytes(&mut tail);
    let millis = u64::try_from(now.as_millisecond()).unwrap_or(0);
    SessionId(uuid::Builder::from_unix_timestamp_millis(millis, &tail).into_uuid())
}

fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret).into()
}

fn same(a: &[u8; 32], b: &[u8; 32]) -> bool {
    a.ct_eq(b).into()
}

#[cfg(test)]
mod tests;
