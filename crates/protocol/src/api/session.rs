//! Sessions: how control proves itself to a program, how a browser signs in, and which browsers are signed in.
//!
//! A browser sends its cookies to every port of a host, so the cookie alone is no credential. The page shows a second
//! secret beside it, which only pages of control's own origin can read: in [`SESSION_HEADER`] on every call, and as one
//! more subprotocol, [`SESSION_PROTOCOL`] and the secret, where a WebSocket leaves no room for a header.

use super::{Empty, List};
use crate::{Timestamp, id::SessionId};
use serde::{Deserialize, Serialize};

/// Header that carries the page's secret.
pub const SESSION_HEADER: &str = "flotilla-session";

/// Header with an id that a page gives to each of its calls: 1 to 16 hexadecimal digits, by which control's log and a report
/// about a failed call are put together.
pub const REQUEST_HEADER: &str = "flotilla-request";

/// Subprotocol of the live stream; the only one that control ever answers.
pub const LIVE_PROTOCOL: &str = "flotilla.live";

/// Prefix of the subprotocol that carries the page's secret.
pub const SESSION_PROTOCOL: &str = "flotilla.session.";

/// Exchanges the single-use code of a sign-in link for a session: a cookie, and the page's secret in the answer.
#[derive(Clone, Serialize, Deserialize, derive_more::Debug)]
#[debug("OpenSession(…)")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct OpenSession {
    pub code: String,
}

/// The half of a session that the page keeps.
#[derive(Clone, Serialize, Deserialize, derive_more::Debug)]
#[debug("SessionOpened(…)")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionOpened {
    /// 43 letters, digits, `-` and `_`.
    pub page_secret: String,
}

request!(OpenSession, Post "/session" (Self) => SessionOpened);

/// The browsers that are signed in, newest first.
#[derive(Debug, Clone, Copy)]
pub struct ListSessions;

/// A browser that is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionFacts {
    pub id: SessionId,
    /// The browser and its system, as far as it tells: `Firefox on Linux`.
    pub place: String,
    pub opened: Timestamp,
    /// The last call, or the last moment at which a page held the live stream.
    pub last_used: Timestamp,
    /// It is the session that asks.
    #[serde(default)]
    pub current: bool,
}

request!(ListSessions, Get "/sessions" => List<SessionFacts>);

/// Signs a browser out; its open pages notice at once.
#[derive(Debug, Clone)]
pub struct EndSession {
    /// Its id.
    pub session: String,
}

request!(EndSession, Delete "/sessions/{session}" [session] => Empty);

/// Asks for a link that signs one browser in.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateSignInLink {}

/// Good once, for 60 s.
#[derive(Clone, Serialize, Deserialize, derive_more::Debug)]
#[debug("SignInLink(…)")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignInLink {
    /// Its fragment carries the code, so no request line and no log does.
    pub url: String,
}

request!(CreateSignInLink, Post "/session/link" (Self) => SignInLink);

/// Asks the program at control's address to prove that it knows the token, before a client sends the token to it.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ProveControl {
    /// 16 to 64 characters that were never used before.
    pub nonce: String,
    /// The public id of the API token that is meant; the token of control's own file when absent.
    pub token: Option<String>,
}

/// The answer to a [`ProveControl`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ControlProof {
    /// Made from the token, the nonce and the address at which control listens.
    pub proof: String,
}

request!(ProveControl, Post "/proof" (Self) => ControlProof);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_that_sign_a_browser_in_are_not_in_debug_output() {
        let shown = format!(
            "{:?}{:?}{:?}",
            OpenSession {
                code: "s3cret".into()
            },
            SessionOpened {
                page_secret: "s3cret".into()
            },
            SignInLink {
                url: "http://127.0.0.1:7440/#code=s3cret".into()
            },
        );
        assert!(!shown.contains("s3cret"), "{shown}");
    }
}
