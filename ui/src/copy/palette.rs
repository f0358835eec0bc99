//! Texts of the command palette.

use crate::frame::Group;

pub const TITLE: &str = "Command palette";
pub const PLACEHOLDER: &str = "Search or run a command";
pub const FOUND: &str = "Found";
pub const NOTHING: &str = "Nothing has these letters in this order.";
pub const HINT: &str = "↑ ↓ choose · Enter open · → actions · Esc back or close";

pub const NO_OBJECT: &str = "There is nothing now that this can be done to.";
pub const RENAME: &str = "Rename";

pub const DARK: &str = "Use the dark theme";
pub const LIGHT: &str = "Use the light theme";
pub const SYSTEM: &str = "Use this computer's theme";
pub const RELOAD: &str = "Ask all devices again";
pub const OPEN: &str = "Open";

/// A verb as an entry; its object is chosen next.
#[must_use]
pub fn verb(word: &str) -> String {
    format!("{word} …")
}

#[must_use]
pub fn group(group: Group) -> &'static str {
    match group {
        Group::Recent => "Recent",
        Group::GoTo => "Go to",
        Group::Devices => "Devices",
        Group::Containers => "Containers",
        Group::Stacks => "Stacks",
        Group::Actions => "Actions",
    }
}
