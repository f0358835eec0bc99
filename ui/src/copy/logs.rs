//! Texts about logs.

use crate::format::{count, counted, disk};
use flotilla_protocol::log::LogEndReason;

pub const LOGS: &str = "Logs";
pub const VIEW: &str = "View logs";
pub const TOOLS: &str = "What is shown of the log";
pub const SEARCH: &str = "Search logs";
pub const SEARCH_HINT: &str = "Search what is loaded";
pub const PREVIOUS: &str = "Previous match (N)";
pub const NEXT: &str = "Next match (n)";
pub const NO_MATCH: &str = "No match";
pub const ONLY: &str = "Only lines that match";
pub const ONLY_HINT: &str = "Only lines with a|b";
pub const ONLY_TITLE: &str = "A regular expression. The device looks for it, in as many lines as are chosen, and sends the lines in which it matches.";
pub const SINCE: &str = "Since";
pub const LINES: &str = "Lines";
pub const OUTPUT: &str = "Output";
pub const FOLLOW: &str = "Follow";
pub const WRAP: &str = "Wrap";
pub const TIMES: &str = "Timestamps";
pub const NUMBERS: &str = "Line numbers";
pub const ANNOUNCE: &str = "Announce new lines";
pub const COPY: &str = "Copy logs";
pub const DOWNLOAD: &str = "Download logs";
pub const COPIED: &str = "The lines that are loaded are copied.";
pub const NOT_COPIED: &str = "This browser lets nothing be copied. Download the logs instead.";
pub const JUMP: &str = "Jump to latest";
pub const ERROR_OUTPUT: &str = "Error output";
pub const SHOW_WHOLE: &str = "Show the whole line";
pub const NO_OUTPUT: &str = "No output yet";
pub const NOTHING_FOUND: &str = "No line matches";
pub const SHOW_ALL: &str = "Show all time";
pub const ALL_LINES: &str = "Look at all lines";
pub const TRY_AGAIN: &str = "Try again";
pub const NEWEST: &str = "Newest lines";

/// From how long ago on lines are wanted, in seconds; from the beginning without.
pub const SINCE_OPTIONS: &[(Option<i64>, &str)] = &[
    (None, "All time"),
    (Some(900), "15 minutes ago"),
    (Some(3_600), "1 hour ago"),
    (Some(86_400), "1 day ago"),
    (Some(604_800), "7 days ago"),
];

/// How many lines are asked for.
pub const TAIL_OPTIONS: &[(Option<u32>, &str)] = &[
    (Some(100), "100"),
    (Some(1_000), "1,000"),
    (Some(10_000), "10,000"),
    (None, "All"),
];

/// The words of a source in the choice of it.
pub const OUTPUT_OPTIONS: &[(&str, &str)] = &[("", "All"), ("stdout", "Standard"), ("stderr", "Errors")];

#[must_use]
pub fn of(container: &str, device: &str) -> String {
    format!("Logs of {container} on {device}")
}

#[must_use]
pub fn opening(container: &str, device: &str) -> String {
    format!("Reading the log of {container} on {device}…")
}

#[must_use]
pub fn nothing_written(container: &str) -> String {
    format!("{container} has written nothing in this time range.")
}

#[must_use]
pub fn nothing_found(expression: &str, tail: Option<u32>) -> String {
    match tail {
        Some(tail) => format!(
            "None of the last {} lines matches {expression}. New ones appear here.",
            count(tail as usize)
        ),
        None => format!("No line matches {expression}. New ones appear here."),
    }
}

#[must_use]
pub fn lost(at: &str) -> String {
    format!("Link lost {at}. The log goes on here when it is back.")
}

#[must_use]
pub fn waiting(why: &str) -> String {
    format!("{why} The log goes on by itself.")
}

#[must_use]
pub fn resumed(lost: &str, back: &str) -> String {
    format!("Link lost {lost}, resumed {back}, nothing missed.")
}

/// What ended the log; nothing where all that was asked for is there.
#[must_use]
pub fn over(container: &str, reason: LogEndReason) -> Option<String> {
    match reason {
        LogEndReason::Stopped => Some(format!("{container} has stopped.")),
        LogEndReason::Removed => Some(format!("{container} was removed.")),
        LogEndReason::Complete | LogEndReason::Unknown => None,
    }
}

#[must_use]
pub fn more(bytes: u64) -> String {
    format!("{} more in this line", disk(bytes))
}

#[must_use]
pub fn lines(number: usize) -> String {
    counted(number, "line", "lines")
}

#[must_use]
pub fn older(number: u64) -> String {
    let number = usize::try_from(number).unwrap_or(usize::MAX);
    format!(
        "{} dropped from this page",
        counted(number, "older line", "older lines")
    )
}

#[must_use]
pub fn unread(number: u64) -> String {
    let number = usize::try_from(number).unwrap_or(usize::MAX);
    counted(number, "new line", "new lines")
}

/// "3 of 340".
#[must_use]
pub fn place(place: Option<usize>, all: usize) -> String {
    match (place, all) {
        (_, 0) => NO_MATCH.to_owned(),
        (Some(place), _) => format!("{} of {}", count(place + 1), count(all)),
        (None, _) => lines(all),
    }
}
