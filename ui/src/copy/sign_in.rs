//! What a browser without a session reads.

pub const TITLE: &str = "Sign in";
pub const HEADING: &str = "This browser is not signed in";
pub const TEXT: &str = "Open Flotilla from its own window, or use the address that it prints when it starts. That address works once, for a minute.";
pub const HOW: &str = "Without a window, start it in a terminal and open the address it prints:";
pub const AGAIN: &str = "Try again";
