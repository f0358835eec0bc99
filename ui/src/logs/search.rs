//! Where a text is found in lines.

use super::lines::{Line, LineKind, LogLines};
use std::{collections::VecDeque, ops::Range};

/// What is looked for. Without capital letters, case does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needle {
    text: String,
    is_exact: bool,
}

impl Needle {
    /// `None` where nothing is looked for.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let is_exact = text.chars().any(char::is_uppercase);
        (!text.is_empty()).then(|| Self {
            text: text.to_owned(),
            is_exact,
        })
    }

    #[must_use]
    pub fn is_in(&self, text: &str) -> bool {
        self.next(text, 0).is_some()
    }

    /// All places in a text, at most `most` of them.
    #[must_use]
    pub fn places(&self, text: &str, most: usize) -> Vec<Range<usize>> {
        let mut places: Vec<Range<usize>> = Vec::new();
        while places.len() < most
            && let Some(place) = self.next(text, places.last().map_or(0, |last| last.end))
        {
            places.push(place);
        }
        places
    }

    fn next(&self, text: &str, from: usize) -> Option<Range<usize>> {
        let start = if self.is_exact {
            from + text.get(from..)?.find(&self.text)?
        } else if self.text.is_ascii() {
            from + find_ascii(text.as_bytes().get(from..)?, self.text.as_bytes())?
        } else {
            return text
                .get(from..)?
                .char_indices()
                .find_map(|(start, _)| self.end(text, from + start).map(|end| from + start..end));
        };
        Some(start..start + self.text.len())
    }

    /// Where the needle ends that begins here, whatever the case of its letters.
    fn end(&self, text: &str, start: usize) -> Option<usize> {
        let mut there = text.get(start..)?.char_indices();
        for wanted in self.text.chars() {
            let (_, found) = there.next()?;
            if !found.to_lowercase().eq(wanted.to_lowercase()) {
                return None;
            }
        }
        Some(start + there.next().map_or(text.len() - start, |(end, _)| end))
    }
}

/// Finds small letters and their capitals. A key press looks through megabytes, so this reads each byte but once or twice.
fn find_ascii(text: &[u8], needle: &[u8]) -> Option<usize> {
    let first = needle.first()?.to_ascii_lowercase();
    let last = text.len().checked_sub(needle.len())?;
    text[..=last].iter().enumerate().find_map(|(at, byte)| {
        let begins = byte.to_ascii_lowercase() == first;
        (begins && text[at..at + needle.len()].eq_ignore_ascii_case(needle)).then_some(at)
    })
}

/// The lines of a log in which a text is found.
#[derive(Debug, Default)]
pub struct Found {
    needle: Option<Needle>,
    /// Their numbers, ascending.
    lines: VecDeque<u64>,
}

impl Found {
    #[must_use]
    pub fn needle(&self) -> Option<&Needle> {
        self.needle.as_ref()
    }

    /// Looks for something else, in all lines.
    pub fn look_for(&mut self, needle: Option<Needle>, lines: &LogLines) {
        self.needle = needle;
        self.update(lines, 0);
    }

    /// Follows lines of which those from a number on may have changed.
    pub fn update(&mut self, lines: &LogLines, changed: u64) {
        self.lines
            .truncate(self.lines.partition_point(|number| *number < changed));
        let gone = self.lines.partition_point(|number| *number < lines.gone());
        self.lines.drain(..gone);
        if let Some(needle) = &self.needle {
            let has = |line: &&_| is_of_container(line) && needle.is_in(&line.content.text);
            let new = lines.from(changed).map(AsRef::as_ref).filter(has);
            self.lines.extend(new.map(|line: &Line| line.number));
        }
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The place of a line among those that were found, from 0.
    #[must_use]
    pub fn place(&self, number: u64) -> Option<usize> {
        self.lines.binary_search(&number).ok()
    }

    /// The next line that was found after the current one, or before it. It goes round at the ends.
    #[must_use]
    pub fn step(&self, current: Option<u64>, forward: bool) -> Option<u64> {
        let (first, last) = (self.lines.front()?, self.lines.back()?);
        // Who begins to look comes from the end, where the newest lines are.
        let Some(current) = current else {
            return Some(*last);
        };
        let found = if forward {
            let after = self.lines.partition_point(|number| *number <= current);
            self.lines.get(after).unwrap_or(first)
        } else {
            let before = self.lines.partition_point(|number| *number < current);
            before
                .checked_sub(1)
                .and_then(|at| self.lines.get(at))
                .unwrap_or(last)
        };
        Some(*found)
    }
}

fn is_of_container(line: &Line) -> bool {
    line.kind != LineKind::Note
}

#[cfg(test)]
mod tests {
    use super::*;
    use flotilla_protocol::log::{LogPiece, LogSource};
    use proptest::prelude::*;

    #[test]
    fn small_letters_find_both_and_a_capital_one_only_itself() {
        let places = |needle: &str, text| Needle::new(needle).unwrap().places(text, 10);
        assert_eq!(places("err", "Error, ERR, err"), [0..3, 7..10, 12..15]);
        assert_eq!(places("Err", "Error, ERR, Errand"), [0..3, 12..15]);
        assert_eq!(places("ß", "Straße, Maß"), [4..6, 11..13]);
        assert_eq!(places("aa", "aaaaa"), [0..2, 2..4]);
        assert!(places("longer than", "that").is_empty());
        assert_eq!(Needle::new(""), None);
    }

    #[test]
    fn lines_are_found_as_they_come_and_stepped_through_in_a_circle() {
        let mut lines = LogLines::default();
        let write = |lines: &mut LogLines, text: &str| {
            lines.push(&LogPiece {
                at: None,
                source: LogSource::Stdout,
                ends_line: true,
                bytes: text.as_bytes().to_vec().into(),
            });
        };
        for text in ["error", "fine", "Error"] {
            write(&mut lines, text);
        }
        lines.note("an error of ours".to_owned());
        let mut found = Found::default();
        found.look_for(Needle::new("error"), &lines);
        assert_eq!(found.lines, [0, 2]);
        lines.take_changed();
        write(&mut lines, "one more error");
        let changed = lines.take_changed().unwrap();
        found.update(&lines, changed);
        assert_eq!((found.len(), found.place(4)), (3, Some(2)));
        let steps = [
            (None, true, 4),
            (Some(4), true, 0),
            (Some(0), true, 2),
            (Some(0), false, 4),
            (Some(3), false, 2),
        ];
        for (current, forward, next) in steps {
            assert_eq!(found.step(current, forward), Some(next));
        }
        found.look_for(None, &lines);
        assert_eq!(found.step(None, true), None);
    }

    proptest! {
        #[test]
        fn places_are_parts_of_the_text_in_order(needle in "[aAbß]{1,3}", text in "[aAbBßİx]{0,30}") {
            let needle = Needle::new(&needle).unwrap();
            let places = needle.places(&text, 10);
            prop_assert!(places.iter().all(|place| text.get(place.clone()).is_some_and(|part| !part.is_empty())));
            prop_assert!(places.windows(2).all(|pair| pair[0].end <= pair[1].start));
            prop_assert_eq!(places.is_empty(), !needle.is_in(&text));
        }
    }
}
