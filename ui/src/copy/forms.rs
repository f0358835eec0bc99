//! Texts of every form.

pub const DISCARD_TITLE: &str = "Discard your changes?";
pub const DISCARD_TEXT: &str = "What you entered here is not saved.";
pub const DISCARD: &str = "Discard changes";
pub const KEEP: &str = "Keep editing";
