//! The lines that a job says, of which the last are kept.

use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Lines by their numbers, from 0 on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lines {
    kept: VecDeque<String>,
    /// How many came before those that are kept.
    dropped: u32,
}

impl Lines {
    /// Adds a line, unless it repeats the last one; returns whether it did. Of more than `most`, the oldest goes.
    pub fn add(&mut self, line: String, most: usize) -> bool {
        if self.last() == Some(&line) {
            return false;
        }
        self.kept.push_back(line);
        if self.kept.len() > most {
            self.kept.pop_front();
            self.dropped += 1;
        }
        true
    }

    pub fn last(&self) -> Option<&String> {
        self.kept.back()
    }

    /// The number of the line that comes next.
    pub fn next_number(&self) -> u32 {
        self.dropped + u32::try_from(self.kept.len()).unwrap_or(0)
    }

    /// The lines from this number on, at most so many.
    pub fn page(&self, from: u32, most: usize) -> Vec<String> {
        let skipped = usize::try_from(from.saturating_sub(self.dropped)).unwrap_or(usize::MAX);
        self.kept.iter().skip(skipped).take(most).cloned().collect()
    }

    /// The first line of the next report to a reader that has the lines before `from`: `from` itself, or the oldest line
    /// that is kept. It is 0 where `from` is past the end: the reader then has lines of an earlier run of the program.
    pub fn place(&self, from: u32) -> u32 {
        if from > self.next_number() {
            return 0;
        }
        from.max(self.dropped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_keeps_its_number_when_older_ones_go() {
        let mut lines = Lines::default();
        let added: Vec<_> = ["a", "b", "b", "c", "d"]
            .map(|line| lines.add(line.into(), 3))
            .into();
        assert_eq!(added, [true, true, false, true, true]);
        assert_eq!(lines.next_number(), 4);
        assert_eq!(lines.page(0, 9), ["b", "c", "d"]);
        assert_eq!(lines.page(2, 9), ["c", "d"]);
        assert_eq!(lines.page(2, 1), ["c"]);
        assert_eq!(lines.page(4, 9), [""; 0]);
        assert_eq!([0, 2, 4, 5].map(|from| lines.place(from)), [1, 2, 4, 0]);
    }
}
