//! An engine's error messages in words of ours: which thing is missing, taken or forbidden, and what to do about it.
//!
//! Engines answer 404 for anything that they miss while they act on a container (an image, a network, another
//! container), and name it by an id of 64 digits. Their words differ by version; words that are not recognized are
//! passed on as they are, with ids shortened.

use crate::{action::ActionError, id};
use bollard::errors::Error;
use flotilla_protocol::text::shown;

/// The longest message that is passed on, in characters: enough for a runtime's reason, which stands behind those of
/// the two programs that called it.
const MESSAGE_CHARS: usize = 800;

/// The longest name that is repeated, in characters.
const NAME_CHARS: usize = 100;

/// The error that an engine's answer about the container with this id or name stands for.
pub(crate) fn explain(error: Error, id: &str) -> ActionError {
    explain_named(error, id, id)
}

/// As [`explain`], for a container whose name is known, too.
pub(crate) fn explain_named(error: Error, id: &str, name: &str) -> ActionError {
    match error {
        Error::DockerResponseServerError { status_code, message } => {
            explain_answer(status_code, &message, id, name)
        }
        Error::RequestTimeoutError => ActionError::Unavailable(
            "The container engine did not answer in time. Look at the device.".to_owned(),
        ),
        error => ActionError::Unavailable(format!(
            "The container engine cannot be reached: {}.",
            one_line(&error.to_string())
        )),
    }
}

fn explain_answer(status: u16, message: &str, id: &str, name: &str) -> ActionError {
    let words = message.to_ascii_lowercase();
    let is_about_it = words.contains(&id.to_ascii_lowercase());
    let speaks_of_container = words.contains("no such container") || words.contains("no container with");
    if speaks_of_container && (is_about_it && !words.contains("namespace") || !mentions_id(message)) {
        return ActionError::NotFound(id.to_owned());
    }
    if speaks_of_container || words.contains("non running container") {
        return ActionError::LenderLost(name.to_owned());
    }
    if let Some(network) = between(message, "network ", " not found") {
        return ActionError::network_gone(name, network);
    }
    if words.contains("no such image") || words.contains("image not known") {
        return ActionError::ImageGone(name.to_owned());
    }
    if words.trim() == "address already in use" {
        return ActionError::AddressInUse(name.to_owned());
    }
    let is_stop = ["stop", "kill", "signal", "restart"]
        .iter()
        .any(|verb| words.contains(verb));
    if is_stop && words.contains("permission denied") {
        return ActionError::Forbidden(name.to_owned());
    }
    if status == 404 && !words.contains("volume") && !words.contains("network") {
        return ActionError::NotFound(id.to_owned());
    }
    ActionError::Refused(one_line(message))
}

/// The last word before `end` that follows `begin`.
fn between<'a>(text: &'a str, begin: &str, end: &str) -> Option<&'a str> {
    let (before, _) = text.split_once(end)?;
    let (_, word) = before.rsplit_once(begin)?;
    Some(word).filter(|word| !word.is_empty() && !word.contains(char::is_whitespace))
}

/// An engine's message, or that of a program that it started, as part of a sentence of ours.
pub(crate) fn one_line(words: &str) -> String {
    let words: Vec<_> = words.split_whitespace().map(short_ids).collect();
    shown(&words.join(" "), MESSAGE_CHARS)
}

/// A name as a person can read it.
pub(crate) fn name(text: &str) -> String {
    shown(&short_ids(text), NAME_CHARS)
}

/// Shortens every id in a text to what people use.
pub(crate) fn short_ids(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest
            .bytes()
            .take_while(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'))
            .count();
        let shown = if digits == id::DIGITS { id::SHORT } else { digits };
        out.push_str(&rest[..shown]);
        rest = &rest[digits..];
        let other = rest
            .find(|c| matches!(c, '0'..='9' | 'a'..='f'))
            .unwrap_or(rest.len());
        out.push_str(&rest[..other]);
        rest = &rest[other..];
    }
    out
}

fn mentions_id(text: &str) -> bool {
    short_ids(text).len() != text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "4f1c0d1e2f3a4b5c6d7e8f901a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d";
    const OTHER: &str = "b162cf50aaec1a23087abba89b2736820c2502a01d1778e6016d9e155754fa34";

    fn answer(status: u16, message: &str) -> ActionError {
        explain_answer(status, message, ID, "app")
    }

    #[test]
    fn each_thing_that_an_engine_misses_is_told_for_what_it_is() {
        let app = || "app".to_owned();
        let lost = ActionError::LenderLost(app());
        let gone = ActionError::NotFound(ID.to_owned());
        for (status, message, expected) in [
            (404, format!("No such container: {ID}"), gone.clone()),
            (404, "No such container: 1234".to_owned(), gone.clone()),
            (
                404,
                format!("no container with name or ID \"{ID}\" found: no such container"),
                gone,
            ),
            (404, format!("No such container: {OTHER}"), lost.clone()),
            (
                409,
                format!("cannot join network of a non running container: {OTHER}"),
                lost.clone(),
            ),
            (
                500,
                format!("failed to join PID namespace: No such container: {OTHER}"),
                lost.clone(),
            ),
            (
                500,
                format!("can't join IPC of container {OTHER}: No such container: {OTHER}"),
                lost,
            ),
            (
                404,
                "network gone13 not found".to_owned(),
                ActionError::network_gone("app", "gone13"),
            ),
            (
                404,
                "No such image: sha256:aa".to_owned(),
                ActionError::ImageGone(app()),
            ),
            (
                403,
                "Address already in use".to_owned(),
                ActionError::AddressInUse(app()),
            ),
            (
                500,
                "cannot stop container: x: permission denied".to_owned(),
                ActionError::Forbidden(app()),
            ),
        ] {
            assert_eq!(answer(status, &message), expected, "{message}");
        }
    }

    #[test]
    fn no_error_shows_an_id_of_64_digits() {
        let message =
            format!("driver failed on endpoint web ({OTHER}):\n  Bind for 0.0.0.0:80 failed, sha256:{ID}");
        for error in [
            answer(500, &message),
            answer(404, &format!("network {OTHER} not found")),
            answer(404, &format!("No such container: {ID}")),
        ] {
            let text = error.to_string();
            assert!(!mentions_id(&text) && !text.contains('\n'), "{text}");
        }
        assert_eq!(short_ids("über abc 12"), "über abc 12");
    }
}
