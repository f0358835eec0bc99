//! Texts of the sign-in page.

pub const TITLE: &str = "Sign in";
pub const HEADING: &str = "This browser is not signed in";
pub const TEXT: &str = "Run this in a terminal of the computer that Flotilla runs on, as the same user. It opens Flotilla in the browser there, signed in.";
/// The name of the command for the button that copies it.
pub const COMMAND: &str = "command";
pub const OPEN: &str = "flotilla open";
pub const NOTES: &[&str] = &[
    "Without a browser there, flotilla open --print prints the link instead.",
    "Running flotilla serve again does not help: it is running, and a second one would only say so.",
    "A link works once: the one that a start prints for 30 minutes, a later one for a minute.",
];
pub const AGAIN: &str = "Try again";

pub const WINDOW_HEADING: &str = "This window is not signed in";
pub const WINDOW_TEXT: &str =
    "Its session ended: it was not used for 12 hours, is 30 days old, or was ended in Settings.";
pub const SIGN_IN: &str = "Sign in";
