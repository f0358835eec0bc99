//! Sessions of browsers, in memory only: none outlives control's process.
//!
//! Life cycle: opened by a code → used by every call, and for as long as a page holds the live stream → over when a
//! person ends it, when it was not used for [`IDLE`], or [`LONGEST`] after it was opened.

use super::{hash, same};
use flotilla_protocol::{Timestamp, api::SessionFacts, id::SessionId};
use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;

/// A browser that was not used since yesterday may be in other hands than its owner's.
const IDLE: SignedDuration = SignedDuration::from_hours(12);

/// Even a session in constant use is opened anew once a month.
const LONGEST: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Sessions at the same time. When one more opens, the one that was used least recently ends.
const SESSIONS: usize = 64;

/// Hashes of a session's two secrets: the cookie's and the page's.
pub(super) struct SecretHashes {
    cookie: [u8; 32],
    page: [u8; 32],
}

impl SecretHashes {
    pub(super) fn of(cookie: &str, page: &str) -> Self {
        Self {
            cookie: hash(cookie),
            page: hash(page),
        }
    }

    fn match_both(&self, other: &Self) -> bool {
        same(&self.cookie, &other.cookie) & same(&self.page, &other.page)
    }
}

/// The session that a request belongs to.
#[derive(Debug, Clone)]
pub(crate) struct CurrentSession {
    pub(crate) id: SessionId,
    /// Cancelled when the session is over: its live stream ends then, too.
    pub(crate) over: CancellationToken,
}

#[derive(Default)]
pub(super) struct Sessions(Vec<Session>);

struct Session {
    id: SessionId,
    hashes: SecretHashes,
    place: String,
    opened: Timestamp,
    last_used: Timestamp,
    over: CancellationToken,
}

impl Session {
    fn is_over(&self, now: Timestamp) -> bool {
        now.duration_since(self.last_used) >= IDLE || now.duration_since(self.opened) >= LONGEST
    }
}

/// Dropping a session ends its live stream.
impl Drop for Session {
    fn drop(&mut self) {
        self.over.cancel();
    }
}

impl Sessions {
    pub(super) fn open(&mut self, id: SessionId, hashes: SecretHashes, place: String, now: Timestamp) {
        self.forget(now);
        if self.0.len() == SESSIONS {
            let least = (0..SESSIONS).min_by_key(|at| self.0[*at].last_used).unwrap_or(0);
            self.0.remove(least);
        }
        self.0.push(Session {
            id,
            hashes,
            place,
            opened: now,
            last_used: now,
            over: CancellationToken::new(),
        });
    }

    pub(super) fn find(&mut self, shown: &SecretHashes, now: Timestamp) -> Option<CurrentSession> {
        self.forget(now);
        let session = self
            .0
            .iter_mut()
            .find(|session| session.hashes.match_both(shown))?;
        session.last_used = now;
        Some(CurrentSession {
            id: session.id,
            over: session.over.clone(),
        })
    }

    pub(super) fn keep(&mut self, id: SessionId, now: Timestamp) -> bool {
        self.forget(now);
        match self.0.iter_mut().find(|session| session.id == id) {
            Some(session) => session.last_used = now,
            None => return false,
        }
        true
    }

    pub(super) fn end(&mut self, id: SessionId) -> bool {
        let before = self.0.len();
        self.0.retain(|session| session.id != id);
        self.0.len() < before
    }

    pub(super) fn list(&mut self, now: Timestamp) -> Vec<SessionFacts> {
        self.forget(now);
        let facts = self.0.iter().rev().map(|session| SessionFacts {
            id: session.id,
            place: session.place.clone(),
            opened: session.opened,
            last_used: session.last_used,
            current: false,
        });
        facts.collect()
    }

    fn forget(&mut self, now: Timestamp) {
        self.0.retain(|session| !session.is_over(now));
    }
}
