//! API tokens in memory: every call looks its token up here.
//!
//! Life cycle: created or read from the store → used by calls, and for as long as streams are open → over when it
//! expires or its owner revokes it. A token that has expired stays in the list until it is revoked or replaced.

use crate::store::ApiTokenRow;
use flotilla_fleet::access::Caller;
use flotilla_identity::{ApiKey, ApiToken};
use flotilla_protocol::{Timestamp, name::TokenName};
use jiff::SignedDuration;
use std::{collections::BTreeMap, sync::Arc};
use tokio_util::sync::CancellationToken;

/// How precisely the last use is kept: a program may call many times a second.
const USE_PRECISION: SignedDuration = SignedDuration::from_mins(1);

/// The token that a request shows.
#[derive(Debug, Clone)]
pub(crate) struct CurrentToken {
    pub(crate) id: String,
    pub(crate) caller: Arc<Caller>,
    /// Cancelled when the token is over: its open streams end then, too.
    pub(crate) over: CancellationToken,
}

/// All tokens by their public ids.
#[derive(Default)]
pub(super) struct Tokens(BTreeMap<String, Held>);

struct Held {
    row: ApiTokenRow,
    caller: Arc<Caller>,
    over: CancellationToken,
    /// The last use is newer than what the store has.
    is_use_unsaved: bool,
}

/// Dropping a token ends its open streams.
impl Drop for Held {
    fn drop(&mut self) {
        self.over.cancel();
    }
}

impl Held {
    /// Notes a use of the token; answers whether it works.
    fn touch(&mut self, now: Timestamp) -> bool {
        if self.row.expires <= now {
            self.over.cancel();
            return false;
        }
        let used = self.row.last_used;
        if used.is_none_or(|at| now.duration_since(at).abs() >= USE_PRECISION) {
            self.row.last_used = Some(now);
            self.is_use_unsaved = true;
        }
        true
    }
}

impl Tokens {
    pub(super) fn add(&mut self, row: ApiTokenRow) {
        self.end(&row.name);
        let held = Held {
            caller: Arc::new(Caller::token(row.name.clone(), vec![row.grant.clone()])),
            over: CancellationToken::new(),
            is_use_unsaved: false,
            row,
        };
        self.0.insert(held.row.id.clone(), held);
    }

    /// The token with this text, unless it is over. Finding it counts as a use.
    pub(super) fn find(&mut self, token: &str, now: Timestamp) -> Option<CurrentToken> {
        let id = ApiToken::id_of(token)?;
        let held = self.0.get_mut(id)?;
        // The hashes are compared in the same time wherever they differ.
        let is_right = held.row.hash == ApiKey::hash(token);
        (is_right && held.touch(now)).then(|| CurrentToken {
            id: id.to_owned(),
            caller: held.caller.clone(),
            over: held.over.clone(),
        })
    }

    /// The key by which control proves that it knows a token that works.
    pub(super) fn key(&self, id: &str, now: Timestamp) -> Option<ApiKey> {
        let held = self.0.get(id).filter(|held| held.row.expires > now)?;
        Some(ApiKey::of_hash(&held.row.hash))
    }

    /// Notes that a token is still in use; answers whether it still works.
    pub(super) fn keep(&mut self, id: &str, now: Timestamp) -> bool {
        self.0.get_mut(id).is_some_and(|held| held.touch(now))
    }

    pub(super) fn end(&mut self, name: &TokenName) {
        self.0.retain(|_, held| held.row.name != *name);
    }

    /// All tokens by name.
    pub(super) fn list(&self) -> Vec<ApiTokenRow> {
        let mut rows: Vec<_> = self.0.values().map(|held| held.row.clone()).collect();
        rows.sort_by(|a, b| a.name.cmp(&b.name));
        rows
    }

    /// Last uses that the store does not have, by the tokens' ids. Each is answered once.
    pub(super) fn take_uses(&mut self) -> Vec<(String, Timestamp)> {
        let unsaved = self.0.iter_mut().filter(|(_, held)| held.is_use_unsaved);
        unsaved
            .filter_map(|(id, held)| {
                held.is_use_unsaved = false;
                Some((id.clone(), held.row.last_used?))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flotilla_protocol::api::{Grant, Role, Scope};
    use std::collections::BTreeSet;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    /// Tokens with a new one in them, which works for an hour.
    fn with_one(name: &str) -> (Tokens, ApiToken) {
        let (mut tokens, token) = (Tokens::default(), ApiToken::generate());
        tokens.add(row(name, &token));
        (tokens, token)
    }

    fn row(name: &str, token: &ApiToken) -> ApiTokenRow {
        ApiTokenRow {
            id: token.id().to_owned(),
            name: name.parse().unwrap(),
            hash: ApiKey::hash(token.reveal()),
            grant: Grant {
                roles: BTreeSet::from([Role::Viewer]),
                verbs: BTreeSet::new(),
                scope: Scope::All,
            },
            created: at(0),
            expires: at(3_600),
            last_used: None,
        }
    }

    #[test]
    fn a_token_works_until_it_expires_and_its_streams_end_then() {
        let (mut tokens, token) = with_one("ci");
        let found = tokens.find(token.reveal(), at(3_599)).unwrap();
        assert_eq!(found.caller.who().to_string(), "token ci");
        assert!(tokens.keep(&found.id, at(3_599)) && !found.over.is_cancelled());
        assert!(!tokens.keep(&found.id, at(3_600)) && found.over.is_cancelled());
        assert!(
            tokens.find(token.reveal(), at(3_600)).is_none() && tokens.key(&found.id, at(3_600)).is_none()
        );
        assert_eq!(tokens.list().len(), 1, "people see that it has expired");
    }

    #[test]
    fn a_token_that_is_revoked_or_replaced_works_no_longer() {
        let (mut tokens, token) = with_one("ci");
        let found = tokens.find(token.reveal(), at(1)).unwrap();
        let other = ApiToken::generate();
        tokens.add(row("ci", &other));
        assert!(found.over.is_cancelled() && tokens.find(token.reveal(), at(1)).is_none());
        let found = tokens.find(other.reveal(), at(1)).unwrap();
        tokens.end(&"ci".parse().unwrap());
        assert!(found.over.is_cancelled() && tokens.find(other.reveal(), at(1)).is_none());
        assert!(!tokens.keep(&found.id, at(1)) && tokens.list().is_empty());
    }

    #[test]
    fn the_id_alone_and_another_secret_open_nothing() {
        let (mut tokens, token) = with_one("ci");
        let other = ApiToken::generate();
        let (_, secret) = other.reveal().split_once('.').unwrap();
        let (head, _) = token.reveal().split_once('.').unwrap();
        for wrong in [
            token.id(),
            head,
            &format!("{head}."),
            &format!("{head}.{secret}"),
            other.reveal(),
            "",
        ] {
            assert!(tokens.find(wrong, at(1)).is_none(), "{wrong}");
        }
        assert!(
            tokens.take_uses().is_empty(),
            "a wrong secret is no use of the token"
        );
    }

    #[test]
    fn the_last_use_is_kept_to_the_minute() {
        let (mut tokens, token) = with_one("ci");
        for seconds in [5, 10, 64] {
            tokens.find(token.reveal(), at(seconds)).unwrap();
        }
        assert_eq!(tokens.take_uses(), [(token.id().to_owned(), at(5))]);
        assert!(tokens.take_uses().is_empty());
        tokens.find(token.reveal(), at(65)).unwrap();
        assert_eq!(tokens.take_uses(), [(token.id().to_owned(), at(65))]);
    }
}
