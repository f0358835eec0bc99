//! The lines in view as the page draws them.

use crate::logs::lines::Line;
use std::{ops::Range, sync::Arc};

/// The lines that are elements of the page.
#[derive(Debug, Clone, Default)]
pub(super) struct Window {
    pub range: Range<u64>,
    pub lines: Vec<Placed>,
    /// How far below the top of the paper they begin, in px.
    pub offset: f64,
}

#[derive(Debug, Clone)]
pub(super) struct Placed {
    pub line: Arc<Line>,
    /// Changes when a line that has not changed looks different.
    pub version: u32,
    pub is_current: bool,
}

/// What is said about all lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub lines: usize,
    pub gone: u64,
    /// Lines that came since the pause.
    pub unread: u64,
    /// Lines in which something was found, and which of them the current one is; `None` while nothing is looked for.
    pub found: Option<(Option<usize>, usize)>,
}

impl Placed {
    /// What makes the row of a line another one.
    pub fn key(&self) -> (u64, usize, u64, u32, bool) {
        let line = &self.line;
        (
            line.number,
            line.content.text.len(),
            line.more,
            self.version,
            self.is_current,
        )
    }
}

impl Window {
    /// Whether something else is drawn.
    pub fn differs(&self, other: &Self) -> bool {
        let mut pairs = self.lines.iter().zip(&other.lines);
        self.range != other.range
            || (self.offset - other.offset).abs() > f64::EPSILON
            || pairs.any(|(one, other)| one.key() != other.key())
    }
}
