//! The lines of a log as a view of some width shows them: how high each is, which are in view, and which were looked for.

use super::{
    heights::Heights,
    lines::{Line, LogLines},
    search::{Found, Needle},
};
use std::{collections::BTreeSet, ops::Range};

/// How many bytes of a line are drawn unless the whole is asked for: more than anybody reads, and little enough that a view
/// full of such lines scrolls.
const DRAWN: usize = 4 * 1024;

/// Lines above and below the view that are in the page, so that fast scrolling shows no gap.
const AROUND: u64 = 8;

/// The most lines in the page.
pub const DRAWN_LINES: u64 = 280;

/// The columns of what is said behind a line of which not all is drawn.
const REST: u32 = 24;

/// Between two stops of the tabulator.
const TAB: u32 = 8;

#[derive(Debug, Default)]
pub struct Sheet {
    heights: Heights,
    found: Found,
    /// The columns of a row; without them each line is one row, however long it is.
    columns: Option<u32>,
    /// The columns of the widest line that ever was.
    widest: u32,
    /// The lines that are drawn to their end.
    whole: BTreeSet<u64>,
}

impl Sheet {
    /// Follows the lines. Answers how many rows are gone at the top.
    pub fn follow(&mut self, lines: &mut LogLines) -> u64 {
        let Some(changed) = lines.take_changed() else {
            return 0;
        };
        if lines.gone() < self.heights.first() || lines.is_empty() {
            self.forget();
        }
        let gone = self.heights.forget(lines.gone());
        self.whole = self.whole.split_off(&lines.gone());
        self.measure(lines, changed);
        self.found.update(lines, changed);
        gone
    }

    /// Wraps lines at so many columns; not at all without.
    pub fn wrap(&mut self, columns: Option<u32>, lines: &LogLines) {
        if self.columns != columns {
            self.columns = columns;
            self.measure(lines, 0);
        }
    }

    /// Looks for something else.
    pub fn look_for(&mut self, needle: Option<Needle>, lines: &LogLines) {
        self.found.look_for(needle, lines);
    }

    /// Draws a line to its end from then on.
    pub fn show_whole(&mut self, number: u64, lines: &LogLines) {
        if self.whole.insert(number) {
            self.measure(lines, number);
        }
    }

    /// How many bytes of a line are drawn.
    #[must_use]
    pub fn drawn(&self, line: &Line) -> usize {
        let text = &line.content.text;
        if self.whole.contains(&line.number) {
            text.len()
        } else {
            text.floor_char_boundary(DRAWN.min(text.len()))
        }
    }

    #[must_use]
    pub fn found(&self) -> &Found {
        &self.found
    }

    #[must_use]
    pub fn heights(&self) -> &Heights {
        &self.heights
    }

    /// The columns that a view needs which does not wrap.
    #[must_use]
    pub fn widest(&self) -> u32 {
        self.widest
    }

    /// The numbers of the lines that have to be in the page for rows in view.
    #[must_use]
    pub fn window(&self, rows: Range<u64>) -> Range<u64> {
        let first = self
            .heights
            .at(rows.start)
            .saturating_sub(AROUND)
            .max(self.heights.first());
        let behind = (self.heights.at(rows.end) + 1 + AROUND).min(self.heights.end());
        first..behind.min(first + DRAWN_LINES)
    }

    fn forget(&mut self) {
        self.heights = Heights::default();
        self.whole.clear();
        self.widest = 0;
    }

    /// Measures the lines from a number on.
    fn measure(&mut self, lines: &LogLines, number: u64) {
        self.heights.cut(number);
        for line in lines.from(self.heights.end()) {
            let text = &line.content.text;
            let drawn = self.drawn(line);
            let rest = if drawn < text.len() || line.more > 0 {
                REST
            } else {
                0
            };
            let wide = columns(&text[..drawn]) + rest;
            self.widest = self.widest.max(wide);
            self.heights.push(
                self.columns
                    .map_or(1, |columns| wide.div_ceil(columns.max(1)).max(1)),
            );
        }
    }
}

/// How many columns a text takes. Where a font draws a character wider or narrower than is usual, this is not exact.
fn columns(text: &str) -> u32 {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return u32::try_from(text.len()).unwrap_or(u32::MAX);
    }
    text.chars().fold(0, |columns, character| match character {
        '\t' => (columns / TAB + 1) * TAB,
        // From here on are the scripts of East Asia and the pictures.
        '\u{1100}'.. => columns + 2,
        _ => columns + 1,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use flotilla_protocol::log::{LogPiece, LogSource};

    fn write(lines: &mut LogLines, text: &str) {
        lines.push(&LogPiece {
            at: None,
            source: LogSource::Stdout,
            ends_line: true,
            bytes: text.as_bytes().to_vec().into(),
        });
    }

    fn sheet(texts: &[&str]) -> (Sheet, LogLines) {
        let (mut sheet, mut lines) = (Sheet::default(), LogLines::default());
        texts.iter().for_each(|text| write(&mut lines, text));
        sheet.follow(&mut lines);
        (sheet, lines)
    }

    #[test]
    fn lines_take_as_many_rows_as_they_are_wrapped_to() {
        let (mut sheet, mut lines) = sheet(&["", "0123456789", "01234567890", "a\tb", "日本語日本語"]);
        assert_eq!(sheet.heights().total(), 5);
        sheet.wrap(Some(10), &lines);
        let starts = [0, 1, 2, 3, 4].map(|line| sheet.heights().start(line));
        assert_eq!((starts, sheet.heights().total()), ([0, 1, 2, 4, 5], 7));
        write(&mut lines, "x");
        sheet.follow(&mut lines);
        assert_eq!((sheet.heights().total(), sheet.widest()), (8, 12));
        sheet.wrap(None, &lines);
        assert_eq!(sheet.heights().total(), 6);
    }

    #[test]
    fn a_long_line_is_drawn_whole_only_when_asked() {
        let long = "é".repeat(DRAWN);
        let (mut sheet, lines) = sheet(&[&long, "next"]);
        sheet.wrap(Some(100), &lines);
        let line = lines.line(0).unwrap();
        assert_eq!(sheet.drawn(line), DRAWN);
        assert_eq!(sheet.heights().start(1), 21);
        sheet.show_whole(0, &lines);
        assert_eq!(sheet.drawn(line), long.len());
        assert_eq!(sheet.heights().start(1), 41);
    }

    #[test]
    fn a_window_is_what_is_in_view_and_a_little_around_it_and_never_too_much() {
        let many: Vec<_> = (0..1000).map(|number| number.to_string()).collect();
        let many: Vec<_> = many.iter().map(String::as_str).collect();
        let (sheet, _) = sheet(&many);
        assert_eq!(sheet.window(100..140), 92..149);
        assert_eq!(sheet.window(0..40), 0..49);
        assert_eq!(sheet.window(990..2000), 982..1000);
        assert_eq!(sheet.window(0..1000), 0..DRAWN_LINES);
    }

    #[test]
    fn a_log_that_begins_anew_is_followed_from_its_beginning() {
        let (mut sheet, mut lines) = sheet(&["one", "two"]);
        sheet.look_for(Needle::new("t"), &lines);
        lines.clear();
        sheet.follow(&mut lines);
        assert_eq!((sheet.heights().total(), sheet.found().len()), (0, 0));
        write(&mut lines, "three");
        assert_eq!(sheet.follow(&mut lines), 0);
        assert_eq!((sheet.heights().total(), sheet.found().place(0)), (1, Some(0)));
    }
}
