//! Tables for people: columns as wide as their widest cell.

use crate::out::Lines;
use flotilla_protocol::text::shown;
use unicode_width::UnicodeWidthStr;

/// The longest text of a cell, in characters; `--json` has all of it.
const CELL_CHARS: usize = 240;

/// Rows under a heading. Columns that are empty in every row are left out.
#[derive(Debug)]
pub(crate) struct Table<const N: usize> {
    heading: [&'static str; N],
    rows: Vec<[String; N]>,
}

impl<const N: usize> Table<N> {
    pub(crate) fn new(heading: [&'static str; N]) -> Self {
        Self {
            heading,
            rows: Vec::new(),
        }
    }

    pub(crate) fn of(heading: [&'static str; N], rows: impl Iterator<Item = [String; N]>) -> Self {
        let mut table = Self::new(heading);
        rows.for_each(|row| table.push(row));
        table
    }

    /// Adds a row. Cells may come from other machines, so each is cut to one line of at most [`CELL_CHARS`].
    pub(crate) fn push(&mut self, row: [String; N]) {
        self.rows.push(row.map(|cell| shown(&cell, CELL_CHARS)));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(crate) fn render(&self) -> Lines {
        let widths: Vec<_> = (0..N).map(|column| self.width(column)).collect();
        let mut text = line(&self.heading, &widths);
        for row in &self.rows {
            text.push_str(&line(row, &widths));
        }
        let mut lines = Lines::default();
        lines.push_text(&text);
        lines
    }

    /// Width of a column on a terminal; zero when it is empty.
    fn width(&self, column: usize) -> usize {
        let cells = self.rows.iter().map(|row| row[column].width());
        let widest = cells.max().unwrap_or_default();
        if widest == 0 && !self.rows.is_empty() {
            0
        } else {
            widest.max(self.heading[column].len())
        }
    }
}

fn line<S: AsRef<str>>(cells: &[S], widths: &[usize]) -> String {
    let mut text = String::new();
    for (cell, &width) in cells.iter().zip(widths).filter(|(_, width)| **width > 0) {
        let cell = cell.as_ref();
        text.push_str(cell);
        text.extend(std::iter::repeat_n(' ', width - cell.width() + 3));
    }
    format!("{}\n", text.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_empty_ones_are_left_out() {
        let mut table = Table::new(["NAME", "TAGS", "STATUS"]);
        table.push(["nas".into(), String::new(), "online".into()]);
        table.push(["dancing-panda".into(), String::new(), "é".into()]);
        insta::assert_snapshot!(table.render(), @r"
        NAME            STATUS
        nas             online
        dancing-panda   é
        ");
    }

    #[test]
    fn names_from_elsewhere_cannot_steer_the_terminal_or_push_columns_out_of_line() {
        let mut table = Table::new(["NAME", "IMAGE"]);
        table.push(["\u{1b}[2Jx\n".into(), "evil\u{202e}gpj".into()]);
        table.push(["東京".into(), "nginx".into()]);
        insta::assert_snapshot!(table.render(), @r"
        NAME           IMAGE
        \u{1b}[2Jx\n   evil\u{202e}gpj
        東京           nginx
        ");
    }

    #[test]
    fn a_cell_is_not_longer_than_one_reads() {
        let mut table = Table::new(["NAME", "STATUS"]);
        table.push(["x".repeat(1 << 20), "up".into()]);
        assert!(
            table
                .render()
                .to_string()
                .lines()
                .all(|line| line.chars().count() < CELL_CHARS + 20)
        );
    }
}
