//! Whether a line of a log is wanted: by an expression that is looked for in it, and by how much it matters.
//!
//! A line that does not say how much it matters is a part of the last one before it of its source that does, so lines are
//! judged in their order.

use super::level::level_of;
use flotilla_protocol::{
    Code, Problem,
    log::{EXPRESSION_CHARS, LogLevel, LogQuery, LogSource},
    text::shown,
};
use regex::bytes::{Regex, RegexBuilder};

/// The most memory for a compiled expression, and for what it keeps while it is looked for; in bytes. The first one bounds
/// the time for a line, too.
const COMPILED: usize = 128 << 10;
const LOOKED_UP: usize = 4 << 20;

/// The longest quote of why an expression is none, in characters.
const REASON_CHARS: usize = 300;

#[derive(Debug)]
pub(super) struct Judge {
    expression: Option<Regex>,
    /// How much a line has to matter.
    level: Option<LogLevel>,
    /// What was said last, by the source.
    said: [Option<LogLevel>; 2],
}

impl Judge {
    /// # Errors
    /// The expression is none, or too large.
    pub(super) fn new(query: &LogQuery) -> Result<Self, Problem> {
        Ok(Self {
            expression: query.grep.as_deref().map(expression).transpose()?,
            level: query.level,
            said: [None; 2],
        })
    }

    /// Whether it has to look at lines.
    pub(super) fn looks(&self) -> bool {
        self.expression.is_some() || self.level.is_some()
    }

    /// Judges a line by its beginning.
    pub(super) fn judge(&mut self, source: LogSource, beginning: &[u8]) -> bool {
        self.learn(source, beginning);
        self.level
            .is_none_or(|level| self.said[index(source)] >= Some(level))
            && self
                .expression
                .as_ref()
                .is_none_or(|expression| expression.is_match(beginning))
    }

    /// Takes notice of a line that was read before.
    pub(super) fn learn(&mut self, source: LogSource, beginning: &[u8]) {
        if self.level.is_some() {
            let said = &mut self.said[index(source)];
            *said = level_of(beginning).or(*said);
        }
    }
}

/// The place of a source in what is kept by source.
pub(super) fn index(source: LogSource) -> usize {
    usize::from(source == LogSource::Stderr)
}

fn expression(pattern: &str) -> Result<Regex, Problem> {
    let refused =
        |reason: String| Code::InvalidInput.because(format!("This expression can't be looked for: {reason}"));
    if pattern.chars().count() > EXPRESSION_CHARS {
        return Err(refused(format!(
            "it has more than {EXPRESSION_CHARS} characters."
        )));
    }
    let compiled = RegexBuilder::new(pattern)
        .size_limit(COMPILED)
        .dfa_size_limit(LOOKED_UP)
        .build();
    compiled.map_err(|error| {
        // The lines before the last one show the place.
        let text = error.to_string();
        let reason = text.lines().last().unwrap_or_default();
        refused(shown(
            &format!("{}.", reason.trim_start_matches("error: ")),
            REASON_CHARS,
        ))
    })
}
