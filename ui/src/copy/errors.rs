//! Errors that any page can show.

pub const UNREACHABLE: &str = "The controller didn't answer. Is Flotilla still running on its computer?";
pub const UNREADABLE: &str = "The controller answered something this page can't read. Reload the page to get the version that fits it.";
pub const PART_MISSING: &str = "This part of Flotilla could not be fetched. The controller may be out of reach, or newer than this page.";
