//! Errors that any page can show.

pub const UNREACHABLE: &str = "The controller didn't answer. Is Flotilla still running on its computer?";
pub const UNREADABLE: &str = "The controller answered something this page can't read. Reload the page to get the version that fits it.";
pub const PART_MISSING: &str = "This part of Flotilla could not be fetched. The controller may be out of reach, or newer than this page.";

#[must_use]
pub fn too_slow(seconds: u64) -> String {
    format!(
        "The controller didn't answer within {seconds} s. It may be busy, or out of reach. Try again in a moment."
    )
}

/// Content that could not be loaded again.
#[must_use]
pub fn outdated(age: &str, failure: &str) -> String {
    format!("This is what was known {age}. It could not be loaded again: {failure}")
}

pub const DETAILS: &str = "Details";
/// Its button copies them: "Copy details".
pub const DETAILS_NAME: &str = "details";
