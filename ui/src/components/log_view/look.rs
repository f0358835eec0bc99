//! How lines are shown. A person's choice is kept in this browser.

use crate::browser;
use serde::{Deserialize, Serialize};

/// What is shown of each line, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Look {
    pub wraps: bool,
    pub times: bool,
    pub numbers: bool,
    /// Screen readers read new lines.
    pub announces: bool,
}

impl Default for Look {
    fn default() -> Self {
        Self {
            wraps: true,
            times: false,
            numbers: false,
            announces: false,
        }
    }
}

impl Look {
    /// The choice of the last visit.
    #[must_use]
    pub fn remembered() -> Self {
        let kept = browser::remembered(LOOK).and_then(|text| serde_json::from_str(&text).ok());
        kept.unwrap_or_default()
    }

    pub fn remember(self) {
        browser::remember(LOOK, &serde_json::to_string(&self).unwrap_or_default());
    }
}

/// How many lines a person last asked for.
#[must_use]
pub fn remembered_tail() -> Option<u32> {
    match browser::remembered(TAIL).as_deref() {
        Some("") => None,
        Some(text) => Some(text.parse().unwrap_or(FIRST_TAIL)),
        None => Some(FIRST_TAIL),
    }
}

pub(super) fn remember_tail(tail: Option<u32>) {
    browser::remember(TAIL, &tail.map(|tail| tail.to_string()).unwrap_or_default());
}

/// Enough to see what led to what is going on, and there at once.
const FIRST_TAIL: u32 = 1_000;

const LOOK: &str = "log.look";
const TAIL: &str = "log.tail";
