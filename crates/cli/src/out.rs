//! The only place that prints: answers to standard output, everything else to standard error.
//!
//! Devices, containers and strangers write parts of what is printed. So the only things printed are [`Lines`], in which
//! no character can steer a terminal, JSON that is escaped likewise, and logs ([`LogPrinter`]).

#![expect(clippy::disallowed_methods, reason = "this is the room that prints")]

mod log;

pub(crate) use log::LogPrinter;

use flotilla_protocol::text::{is_unseen, shown};
use serde::Serialize;
use std::io::{self, Write};

/// The longest line, in characters: longer than any sentence of ours, and short enough that one device can't fill the
/// screen.
const LINE_CHARS: usize = 4000;

/// Lines for a terminal.
#[derive(Debug, Default, derive_more::Display)]
#[display("{_0}")]
pub(crate) struct Lines(String);

impl Lines {
    /// Adds one line, whatever is in the text.
    pub(crate) fn push(&mut self, text: &str) {
        self.add(text, LINE_CHARS);
    }

    /// Adds the lines of a text that control or this program composed, such as a config file.
    pub(crate) fn push_text(&mut self, text: &str) {
        text.lines().for_each(|line| self.add(line, usize::MAX));
    }

    pub(crate) fn append(&mut self, more: Self) {
        self.0.push_str(&more.0);
    }

    fn add(&mut self, text: &str, longest: usize) {
        self.0.push_str(&shown(text, longest));
        self.0.push('\n');
    }
}

/// Prints an answer. A reader that went away (`flotilla ps | head`) is no failure.
pub(crate) fn print(lines: &Lines) -> io::Result<()> {
    write(&lines.0)
}

/// Prints one line of an answer.
pub(crate) fn line(text: &str) -> io::Result<()> {
    let mut lines = Lines::default();
    lines.push(text);
    print(&lines)
}

/// Prints an answer as JSON.
pub(crate) fn json<T: Serialize>(value: &T) -> io::Result<()> {
    write(&format!("{}\n", escaped(&serde_json::to_string_pretty(value)?)))
}

/// Prints an answer as JSON, or as people read it.
pub(crate) fn answer<T: Serialize>(
    is_json: bool,
    value: &T,
    lines: impl FnOnce() -> Lines,
) -> io::Result<()> {
    if is_json { json(value) } else { print(&lines()) }
}

/// Prints JSON on a line of its own.
pub(crate) fn json_line<T: Serialize>(value: &T) -> io::Result<()> {
    write(&format!("{}\n", escaped(&serde_json::to_string(value)?)))
}

/// Prints values as one array of JSON, each on a line of its own, and keeps none of them.
#[derive(Debug, Default)]
pub(crate) struct JsonArray {
    has_some: bool,
}

impl JsonArray {
    pub(crate) fn push<T: Serialize>(&mut self, value: &T) -> io::Result<()> {
        let text = self.next(value)?;
        write(&text)
    }

    /// Closes the array. One that is not closed is not JSON, so that a reader notices what is missing.
    pub(crate) fn finish(self) -> io::Result<()> {
        write(self.last())
    }

    fn next<T: Serialize>(&mut self, value: &T) -> io::Result<String> {
        let before = if std::mem::replace(&mut self.has_some, true) {
            ",\n"
        } else {
            "[\n"
        };
        Ok(format!("{before}{}", escaped(&serde_json::to_string(value)?)))
    }

    fn last(&self) -> &'static str {
        if self.has_some { "\n]\n" } else { "[]\n" }
    }
}

/// Prints what went wrong.
pub(crate) fn complain(reasons: &Lines) {
    let _ = write!(io::stderr(), "flotilla: {reasons}");
}

/// Prints a note beside the answer. A failure is ignored: without standard error there is nowhere to report it.
pub(crate) fn note(text: &str) {
    let _ = writeln!(io::stderr(), "{}", shown(text, LINE_CHARS));
}

fn write(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// The same JSON with every character that can't be seen as a `\u` escape. Apart from line ends, JSON has such
/// characters in strings only.
fn escaped(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for character in json.chars() {
        if character == '\n' || !is_unseen(character) {
            escaped.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            escaped.push_str(&format!("\\u{unit:04x}"));
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_line_stays_one_line_and_a_text_keeps_its_own() {
        let mut lines = Lines::default();
        lines.push("refused: \u{1b}]0;x\u{7}\nnas is removed.");
        lines.push_text("version = 1\n# \u{202e}\n");
        insta::assert_snapshot!(lines, @r"
        refused: \u{1b}]0;x\u{7}\nnas is removed.
        version = 1
        # \u{202e}
        ");
    }

    #[test]
    fn a_line_from_a_device_can_not_fill_the_screen() {
        let mut lines = Lines::default();
        lines.push(&"x".repeat(1 << 20));
        assert_eq!(lines.0.chars().count(), LINE_CHARS + 2);
    }

    #[test]
    fn values_one_after_the_other_are_one_array() {
        let read = |values: &[&str]| {
            let mut array = JsonArray::default();
            let mut text: String = values.iter().map(|value| array.next(value).unwrap()).collect();
            text.push_str(array.last());
            serde_json::from_str::<Vec<String>>(&text).unwrap()
        };
        assert_eq!(read(&[]), [""; 0]);
        assert_eq!(read(&["a"]), ["a"]);
        assert_eq!(read(&["a\n", "\u{1b}b"]), ["a\n", "\u{1b}b"]);
    }

    proptest! {
        #[test]
        fn json_says_the_same_when_nothing_in_it_is_unseen(text: String, key: String) {
            let value = serde_json::json!({ key: [text, "\u{7f}\u{9b}\u{202e}\u{e0041}"] });
            for json in [serde_json::to_string(&value).unwrap(), serde_json::to_string_pretty(&value).unwrap()] {
                let escaped = escaped(&json);
                prop_assert!(!escaped.contains(|c| c != '\n' && is_unseen(c)));
                prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&escaped).unwrap(), value.clone());
            }
        }
    }
}
