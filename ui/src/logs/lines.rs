//! Lines of a log, put together from the pieces that arrive. The newest [`KEPT`] are there; older ones are counted.

use super::ansi::{Style, Styled};
use flotilla_protocol::{
    Timestamp,
    log::{LogPiece, LogSource},
};
use std::{collections::VecDeque, mem::take, sync::Arc};

/// How many lines are kept.
pub const KEPT: usize = 100_000;

/// How much of a line is kept, in bytes: as much as its device looks for an expression in. What is more is counted.
pub const LONGEST: usize = 64 * 1024;

/// The bytes of all lines that are kept, at most: what a page may hold beside all else that it shows.
const KEPT_BYTES: usize = 32 << 20;

/// A line. Its number stays, whatever goes before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub number: u64,
    /// `None` for a note, and where the log has no times.
    pub at: Option<Timestamp>,
    pub kind: LineKind,
    pub content: Styled,
    /// How many more bytes the container wrote in it.
    pub more: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineKind {
    Output,
    Error,
    /// Not of the container: what happened to the log itself.
    Note,
}

/// The lines of one log.
#[derive(Debug)]
pub struct LogLines {
    /// How many are kept.
    most: usize,
    lines: VecDeque<Arc<Line>>,
    /// How many lines are gone: the number of the first one that is there.
    gone: u64,
    bytes: usize,
    /// The lines that are not over, of output and of errors.
    open: [Option<Open>; 2],
    /// The styles with which the last lines of output and errors ended.
    styles: [Style; 2],
    /// The first line that changed since that was last asked.
    changed: Option<u64>,
}

/// A line that is not over.
#[derive(Debug)]
struct Open {
    number: u64,
    /// All of it that is kept, as the container wrote it.
    raw: Vec<u8>,
    more: u64,
    /// The style before it.
    style: Style,
}

impl Default for LogLines {
    fn default() -> Self {
        Self::of_newest(KEPT)
    }
}

impl LogLines {
    /// Lines of which so many are kept.
    #[must_use]
    pub fn of_newest(most: usize) -> Self {
        Self {
            most,
            lines: VecDeque::new(),
            gone: 0,
            bytes: 0,
            open: [None, None],
            styles: [Style::default(); 2],
            changed: None,
        }
    }

    pub fn push(&mut self, piece: &LogPiece) {
        let (slot, kind) = match piece.source {
            LogSource::Stderr => (1, LineKind::Error),
            LogSource::Stdout | LogSource::Unknown => (0, LineKind::Output),
        };
        let mut open = self.open[slot].take().unwrap_or_else(|| Open {
            number: self.end(),
            raw: Vec::new(),
            more: 0,
            style: self.styles[slot],
        });
        let room = piece.bytes.len().min(LONGEST - open.raw.len());
        let (kept, rest) = piece.bytes.split_at(room);
        open.more += rest.len() as u64;
        let is_begun = open.number < self.end();
        if is_begun && kept.is_empty() {
            self.lengthen(open.number, open.more);
        } else {
            let content = if open.raw.is_empty() && piece.ends_line {
                Styled::read(&String::from_utf8_lossy(kept), &mut self.styles[slot])
            } else {
                open.raw.extend_from_slice(kept);
                let mut style = open.style;
                let content = Styled::read(&String::from_utf8_lossy(&open.raw), &mut style);
                self.styles[slot] = style;
                content
            };
            self.put(Line {
                number: open.number,
                at: piece.at,
                kind,
                content,
                more: open.more,
            });
        }
        if !piece.ends_line {
            self.open[slot] = Some(open);
        }
    }

    /// Adds a line that says what happened to the log, and answers its number.
    pub fn note(&mut self, text: String) -> u64 {
        let number = self.end();
        self.put(Line {
            number,
            at: None,
            kind: LineKind::Note,
            content: Styled {
                text,
                runs: Vec::new(),
            },
            more: 0,
        });
        number
    }

    /// Says something else in a note.
    pub fn change_note(&mut self, number: u64, text: String) {
        if let Some(note) = self.line(number).cloned() {
            let content = Styled {
                text,
                runs: Vec::new(),
            };
            self.put(Line {
                content,
                ..Line::clone(&note)
            });
        }
    }

    /// Forgets everything, as if nothing had arrived.
    pub fn clear(&mut self) {
        *self = Self {
            changed: Some(0),
            ..Self::of_newest(self.most)
        };
    }

    /// The lines from a number on.
    pub fn from(&self, number: u64) -> impl DoubleEndedIterator<Item = &Arc<Line>> + ExactSizeIterator {
        self.lines.range(self.position(number).min(self.lines.len())..)
    }

    /// The line of a number, while it is there.
    #[must_use]
    pub fn line(&self, number: u64) -> Option<&Arc<Line>> {
        let position = number.checked_sub(self.gone)?;
        self.lines.get(usize::try_from(position).ok()?)
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// How many older lines are not kept, which is the number of the first that is.
    #[must_use]
    pub fn gone(&self) -> u64 {
        self.gone
    }

    /// The number of the next line.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.gone + self.lines.len() as u64
    }

    /// The first line that was added or changed since this was last asked; lines behind it may be, too.
    pub fn take_changed(&mut self) -> Option<u64> {
        take(&mut self.changed)
    }

    fn position(&self, number: u64) -> usize {
        usize::try_from(number.saturating_sub(self.gone)).unwrap_or(usize::MAX)
    }

    fn touch(&mut self, number: u64) {
        self.changed = Some(self.changed.map_or(number, |before| before.min(number)));
    }

    /// Counts what a line has more than is kept of it.
    fn lengthen(&mut self, number: u64, more: u64) {
        if number >= self.gone {
            let position = self.position(number);
            if let Some(line) = self.lines.get_mut(position) {
                Arc::make_mut(line).more = more;
                self.touch(number);
            }
        }
    }

    /// Puts a line where its number says: at the end, or in place of what there was of it. One that is gone stays so.
    fn put(&mut self, line: Line) {
        if line.number < self.gone {
            return;
        }
        self.touch(line.number);
        self.bytes += line.content.text.len();
        let position = self.position(line.number);
        if let Some(there) = self.lines.get_mut(position) {
            self.bytes -= there.content.text.len();
            let at = there.at.or(line.at);
            *there = Arc::new(Line { at, ..line });
        } else {
            self.lines.push_back(Arc::new(line));
        }
        while self.lines.len() > self.most || self.bytes > KEPT_BYTES {
            let Some(first) = self.lines.pop_front() else {
                break;
            };
            self.bytes -= first.content.text.len();
            self.gone += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(source: LogSource, text: &str, ends_line: bool) -> LogPiece {
        LogPiece {
            at: Some("2026-01-02T03:04:05Z".parse().unwrap()),
            source,
            ends_line,
            bytes: text.as_bytes().to_vec().into(),
        }
    }

    fn texts(lines: &LogLines) -> Vec<&str> {
        lines.from(0).map(|line| line.content.text.as_str()).collect()
    }

    #[test]
    fn a_line_in_several_pieces_is_one_line_also_between_those_of_the_other_source() {
        let mut lines = LogLines::default();
        lines.push(&piece(LogSource::Stdout, "one \u{1b}[31", false));
        lines.push(&piece(LogSource::Stderr, "error", true));
        assert_eq!(lines.take_changed(), Some(0));
        lines.push(&piece(LogSource::Stdout, "mred", true));
        lines.push(&piece(LogSource::Stdout, "still red", true));
        let note = lines.note("Link lost".to_owned());
        lines.change_note(note, "Link back".to_owned());
        assert_eq!(lines.take_changed(), Some(0), "its first line was not over");
        assert_eq!(lines.take_changed(), None);
        assert_eq!(texts(&lines), ["one red", "error", "still red", "Link back"]);
        assert_eq!(lines.line(1).unwrap().kind, LineKind::Error);
        assert_eq!(lines.line(2).unwrap().content.runs[0].start, 0);
        assert_eq!((note, lines.end()), (3, 4));
    }

    #[test]
    fn the_newest_lines_are_kept_and_a_line_without_end_is_cut_and_counted() {
        let mut lines = LogLines::default();
        for number in 0..KEPT + 10 {
            lines.push(&piece(LogSource::Stdout, &number.to_string(), true));
        }
        assert_eq!((lines.len(), lines.gone()), (KEPT, 10));
        assert_eq!(lines.from(0).next().unwrap().content.text, "10");
        assert_eq!(lines.line(9), None);
        let long = "x".repeat(LONGEST);
        for (text, ends) in [(&long[..], false), ("more", false), ("", true), ("next", true)] {
            lines.push(&piece(LogSource::Stdout, text, ends));
        }
        let [cut, next] = [2, 1].map(|back| lines.line(lines.end() - back).unwrap());
        assert_eq!((cut.content.text.len(), cut.more), (LONGEST, 4));
        assert_eq!((&next.content.text[..], next.more), ("next", 0));
    }

    #[test]
    fn long_lines_are_fewer_and_clearing_begins_anew() {
        let mut lines = LogLines::default();
        for _ in 0..2 * KEPT_BYTES / LONGEST {
            lines.push(&piece(LogSource::Stderr, &"x".repeat(LONGEST), true));
        }
        assert_eq!(lines.len(), KEPT_BYTES / LONGEST);
        lines.clear();
        assert_eq!((lines.end(), lines.take_changed(), lines.bytes), (0, Some(0), 0));
    }
}
