//! The only place that prints: answers to standard output, everything else to standard error.

use serde::Serialize;
use std::io::{self, Write};

/// Prints an answer. A reader that went away (`flotilla ps | head`) is no failure.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Prints one line of an answer.
pub(crate) fn line(text: &str) -> io::Result<()> {
    print(&format!("{text}\n"))
}

/// Prints an answer as JSON.
pub(crate) fn json<T: Serialize>(value: &T) -> io::Result<()> {
    line(&serde_json::to_string_pretty(value)?)
}

/// Says what went wrong.
pub(crate) fn complain(text: &str) {
    note(&format!("flotilla: {text}"));
}

/// Says something beside the answer. Nobody is left to tell when standard error is gone.
pub(crate) fn note(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}
