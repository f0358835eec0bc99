//! Tables for people: columns as wide as their widest cell.

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

    /// Adds a row. What would move the terminal's cursor is shown as `?`: names come from other machines.
    pub(crate) fn push(&mut self, row: [String; N]) {
        self.rows
            .push(row.map(|cell| cell.replace(char::is_control, "?")));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The lines of the table.
    pub(crate) fn render(&self) -> String {
        let widths: Vec<_> = (0..N).map(|column| self.width(column)).collect();
        let mut text = line(&self.heading, &widths);
        for row in &self.rows {
            text.push_str(&line(row, &widths));
        }
        text
    }

    /// Width of a column in characters; zero when nothing is in it.
    fn width(&self, column: usize) -> usize {
        let cells = self.rows.iter().map(|row| row[column].chars().count());
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
        text.extend(std::iter::repeat_n(' ', width - cell.chars().count() + 3));
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
    fn names_from_elsewhere_cannot_steer_the_terminal() {
        let mut table = Table::new(["NAME"]);
        table.push(["\x1b[2Jx\n".into()]);
        assert_eq!(table.render(), "NAME\n?[2Jx?\n");
    }
}
