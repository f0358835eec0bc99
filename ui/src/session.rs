//! The session of this page: the caller, what the caller may do, and the secret that calls carry. A browser sends its
//! cookie to other ports of the same host too, so a call needs a second secret, which this origin keeps in its local
//! storage for all of its pages.

use crate::browser;
use flotilla_protocol::{
    api::{CallerFacts, LIVE_PROTOCOL, SESSION_PROTOCOL},
    stream::STREAM_PROTOCOL,
};
use std::sync::Arc;

/// Whether this page may ask the controller anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Session {
    /// The controller has not answered yet.
    Opening,
    /// It knows this browser, as this caller.
    Open(Arc<CallerFacts>),
    /// It does not know this browser.
    Missing,
}

/// The event on the window when the controller refused the session of a call, whichever call it was.
pub const REFUSED: &str = "flotilla-session-refused";

/// The key of the secret in local storage.
const SECRET: &str = "session";

/// The secret that every call carries in its header.
#[must_use]
pub fn page_secret() -> Option<String> {
    browser::remembered(SECRET)
}

pub(crate) fn keep_page_secret(secret: &str) {
    browser::remember(SECRET, secret);
}

/// The WebSocket protocols of the live stream.
pub(crate) fn live_protocols() -> Vec<String> {
    with_secret(LIVE_PROTOCOL)
}

/// The WebSocket protocols of a stream of its own.
pub(crate) fn stream_protocols() -> Vec<String> {
    with_secret(STREAM_PROTOCOL)
}

/// A protocol, and another one that carries the secret, since a browser sends no headers of the page with a WebSocket.
fn with_secret(protocol: &str) -> Vec<String> {
    let secret = page_secret().map(|secret| format!("{SESSION_PROTOCOL}{secret}"));
    [protocol.to_owned()].into_iter().chain(secret).collect()
}
