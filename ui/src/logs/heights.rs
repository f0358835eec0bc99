//! How many rows of text each line takes, and so where each line begins. Rows are all of one height.

use std::collections::VecDeque;

/// The heights of lines with numbers one after the other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Heights {
    /// The number of the first line.
    first: u64,
    /// The row at which it begins, counted from the first line that ever was.
    base: u64,
    /// The row behind each line, counted likewise.
    ends: VecDeque<u64>,
}

impl Heights {
    /// Adds the height of the next line.
    pub fn push(&mut self, rows: u32) {
        self.ends.push_back(self.bottom() + u64::from(rows));
    }

    /// Forgets the lines from a number on.
    pub fn cut(&mut self, number: u64) {
        self.ends.truncate(self.position(number));
    }

    /// Forgets the lines before a number, and answers how many rows they took. Where all of them are forgotten, the next
    /// line is the one of that number.
    pub fn forget(&mut self, number: u64) -> u64 {
        let before = self.base;
        while self.first < number {
            match self.ends.pop_front() {
                Some(end) => (self.base, self.first) = (end, self.first + 1),
                None => self.first = number,
            }
        }
        self.base - before
    }

    /// The number of the first line.
    #[must_use]
    pub fn first(&self) -> u64 {
        self.first
    }

    /// The number of the next line.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.first + self.ends.len() as u64
    }

    /// The rows of all lines.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.bottom() - self.base
    }

    /// The row at which a line begins.
    #[must_use]
    pub fn start(&self, number: u64) -> u64 {
        let before = self.position(number).checked_sub(1);
        let end = before.map(|at| self.ends.get(at).copied().unwrap_or_else(|| self.bottom()));
        end.map_or(0, |end| end - self.base)
    }

    /// The number of the line at a row; the one behind the last where there is none.
    #[must_use]
    pub fn at(&self, row: u64) -> u64 {
        let position = self.ends.partition_point(|end| end - self.base <= row);
        self.first + position as u64
    }

    fn bottom(&self) -> u64 {
        self.ends.back().copied().unwrap_or(self.base)
    }

    fn position(&self, number: u64) -> usize {
        usize::try_from(number.saturating_sub(self.first)).unwrap_or(usize::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_begin_where_those_before_them_end() {
        let mut heights = Heights::default();
        [1, 3, 1, 2].into_iter().for_each(|rows| heights.push(rows));
        assert_eq!([0, 1, 2, 3, 4].map(|line| heights.start(line)), [0, 1, 4, 5, 7]);
        assert_eq!(
            [0, 1, 3, 4, 6, 7, 99].map(|row| heights.at(row)),
            [0, 1, 1, 2, 3, 4, 4]
        );
        assert_eq!(heights.forget(2), 4);
        assert_eq!((heights.total(), heights.start(3), heights.at(0)), (3, 1, 2));
        heights.cut(3);
        heights.push(5);
        assert_eq!((heights.total(), heights.end()), (6, 4));
        assert_eq!(heights.forget(9), 6);
        heights.push(1);
        assert_eq!((heights.start(9), heights.at(0), heights.end()), (0, 9, 10));
    }

    proptest! {
        #[test]
        fn the_line_at_the_row_at_which_a_line_begins_is_that_line(rows in proptest::collection::vec(1u32..5, 1..60), gone in 0u64..50) {
            let mut heights = Heights::default();
            rows.iter().for_each(|rows| heights.push(*rows));
            heights.forget(gone);
            for number in gone..heights.end() {
                prop_assert_eq!(heights.at(heights.start(number)), number);
            }
            let left: u64 = rows.iter().skip(usize::try_from(gone).unwrap()).map(|rows| u64::from(*rows)).sum();
            prop_assert_eq!(heights.total(), left);
        }
    }
}
