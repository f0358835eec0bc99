//! Who may use the API port: the owner, on this computer, and programs with API tokens.
//!
//! The owner's programs show the token of `api.json`, made anew at each start; other programs show an API token that
//! the owner made for them, which says what they may do. A browser or the desktop window exchanges the
//! single-use code of a sign-in link for a session, which has two halves: a cookie, and a secret for the page. Browsers
//! send a cookie to every port of a host, so a program that listens on another port gets it; the page's half leaves the
//! page for control's own origin only, and either half alone opens nothing. All are 256 random bits; only hashes are
//! kept, and comparing two hashes takes the same time wherever they differ.

mod place;
mod sessions;
mod tokens;

pub(crate) use place::place;
pub(crate) use sessions::CurrentSession;
pub(crate) use tokens::CurrentToken;

use crate::store::ApiTokenRow;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use flotilla_fleet::access::Caller;
use flotilla_identity::ApiKey;
use flotilla_protocol::{Timestamp, api::SessionFacts, id::SessionId, name::TokenName};
use jiff::SignedDuration;
use parking_lot::Mutex;
use rand::{Rng, RngCore, SeedableRng, rngs::StdRng};
use sessions::{SecretHashes, Sessions};
use sha2::{Digest, Sha256};
use std::{net::SocketAddr, sync::Arc};
use subtle::ConstantTimeEq;
use tokens::Tokens;
use tokio_util::sync::CancellationToken;

/// Codes that wait at the same time: more than a person opens windows in a minute.
const CODES: usize = 16;

/// A secret on its way to the one who will hold it. Control itself keeps only its hash.
#[derive(derive_more::Debug)]
#[debug("Secret(redacted)")]
pub(crate) struct Secret(String);

impl Secret {
    pub(crate) fn reveal(&self) -> &str {
        &self.0
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

/// What a request was let in by.
#[derive(Debug, Clone)]
pub(crate) enum Credential {
    /// The token of `api.json`, which is good for as long as this control runs.
    Key,
    Session(CurrentSession),
    Token(CurrentToken),
}

impl Credential {
    pub(crate) fn caller(&self) -> Arc<Caller> {
        match self {
            Self::Key | Self::Session(_) => Arc::new(Caller::owner()),
            Self::Token(token) => token.caller.clone(),
        }
    }

    /// Cancelled when the credential is over; `None` for one that outlives every request.
    pub(crate) fn over(&self) -> Option<&CancellationToken> {
        match self {
            Self::Key => None,
            Self::Session(session) => Some(&session.over),
            Self::Token(token) => Some(&token.over),
        }
    }
}

/// Why control proves nothing to a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProofRefusal {
    /// The text is not a nonce.
    Nonce,
    /// There is no API token with this id that works.
    Token,
}

/// The API's token, the API tokens of programs, and the codes and sessions that are valid.
#[derive(derive_more::Debug)]
#[debug("Access")]
pub(crate) struct Access {
    key: ApiKey,
    token: [u8; 32],
    credentials: Mutex<Credentials>,
}

struct Credentials {
    random: StdRng,
    codes: Vec<SignInCode>,
    sessions: Sessions,
    tokens: Tokens,
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
                tokens: Tokens::default(),
            }),
        };
        (access, token)
    }

    /// Proves to a program that knows a token that this control, which listens at `own`, knows it too: the API token
    /// with the public id `token`, or else the token of `api.json`.
    ///
    /// # Errors
    /// `nonce` is not a nonce, or there is no such token.
    pub(crate) fn prove(
        &self,
        nonce: &str,
        token: Option<&str>,
        own: SocketAddr,
        now: Timestamp,
    ) -> Result<String, ProofRefusal> {
        let key = match token {
            Some(id) => self
                .credentials
                .lock()
                .tokens
                .key(id, now)
                .ok_or(ProofRefusal::Token)?,
            None => self.key.clone(),
        };
        key.prove(nonce, own).ok_or(ProofRefusal::Nonce)
    }

    /// Makes a code that opens one session.
    pub(crate) fn open_code(&self, purpose: LinkPurpose, now: Timestamp) -> Secret {
        let mut credentials = self.credentials.lock();
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
        let mut credentials = self.credentials.lock();
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
        let id = SessionId::new(now, credentials.random.random());
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
        self.credentials
            .lock()
            .sessions
            .find(&SecretHashes::of(cookie, page), now)
    }

    /// Notes that a session is still in use; answers whether it is still good.
    pub(crate) fn keep_session(&self, session: SessionId, now: Timestamp) -> bool {
        self.credentials.lock().sessions.keep(session, now)
    }

    /// Ends a session; answers whether there was one.
    pub(crate) fn end_session(&self, session: SessionId) -> bool {
        self.credentials.lock().sessions.end(session)
    }

    /// Sessions that are good now, newest first.
    pub(crate) fn sessions(&self, now: Timestamp) -> Vec<SessionFacts> {
        self.credentials.lock().sessions.list(now)
    }

    /// Whether this is the token of `api.json`.
    pub(crate) fn is_token(&self, token: &str) -> bool {
        same(&self.token, &hash(token))
    }

    /// The API token with this text, unless it is over. Finding it counts as a use.
    pub(crate) fn find_token(&self, token: &str, now: Timestamp) -> Option<CurrentToken> {
        self.credentials.lock().tokens.find(token, now)
    }

    /// Lets programs in by an API token. One of the same name ends.
    pub(crate) fn add_token(&self, token: ApiTokenRow) {
        self.credentials.lock().tokens.add(token);
    }

    /// Ends an API token, and all that is open by it.
    pub(crate) fn end_token(&self, name: &TokenName) {
        self.credentials.lock().tokens.end(name);
    }

    /// All API tokens by name, expired ones included.
    pub(crate) fn tokens(&self) -> Vec<ApiTokenRow> {
        self.credentials.lock().tokens.list()
    }

    /// Last uses of API tokens that are to be saved, by the tokens' ids. Each is answered once.
    pub(crate) fn take_token_uses(&self) -> Vec<(String, Timestamp)> {
        self.credentials.lock().tokens.take_uses()
    }

    /// Notes that what a stream was opened by is still in use; answers whether it is still good.
    pub(crate) fn keep(&self, credential: &Credential, now: Timestamp) -> bool {
        match credential {
            Credential::Key => true,
            Credential::Session(session) => self.keep_session(session.id, now),
            Credential::Token(token) => self.credentials.lock().tokens.keep(&token.id, now),
        }
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
mod tests;
