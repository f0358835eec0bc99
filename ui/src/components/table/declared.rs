//! A table as a page declares it: its words and its columns.

use super::{
    column::{Column, ColumnAt, Facet, Head, Narrow},
    order::SortBy,
    rows::TableRow,
};
use crate::query::Key;

/// The declaration of the table of a kind of rows. The first column names the row and cannot be hidden or moved.
#[derive(Debug)]
pub struct Table<R: 'static> {
    pub(super) about: About,
    pub(super) columns: &'static [Column<R>],
}

impl<R> Table<R> {
    /// Declares a table.
    ///
    /// # Panics
    /// At compile time, if it could not be used as it is declared.
    #[must_use]
    pub const fn new(about: About, columns: &'static [Column<R>]) -> Self {
        check(columns);
        Self { about, columns }
    }
}

/// The words of a table.
#[derive(Debug)]
pub struct About {
    /// The word under which a browser keeps the person's columns.
    pub word: &'static str,
    /// The accessible name of the grid.
    pub label: &'static str,
    /// The accessible name of the filter field.
    pub filter: &'static str,
    /// The word for a row: "container".
    pub one: &'static str,
    pub many: &'static str,
    /// The table's own order in words: "Trouble first, then name".
    pub sort_words: &'static str,
    /// The keys whose values are chosen in a field of the page beside the filter field.
    pub scope: &'static [Key],
}

/// A declaration without the type of its rows, so that the components are compiled once for all tables.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spec {
    pub about: &'static About,
    heads: fn() -> Vec<&'static Head>,
    keys: fn() -> Vec<Key>,
}

impl Spec {
    pub(super) fn of<R: TableRow>() -> Self {
        fn keys<R: TableRow>() -> Vec<Key> {
            let mut keys = Vec::new();
            for (key, _) in R::table().columns.iter().flat_map(Column::facts) {
                if !keys.contains(&key) {
                    keys.push(key);
                }
            }
            keys
        }
        Self {
            about: &R::table().about,
            heads: || R::table().columns.iter().map(|column| &column.head).collect(),
            keys: keys::<R>,
        }
    }

    /// The columns in the order of their declaration.
    pub(super) fn heads(self) -> Vec<&'static Head> {
        (self.heads)()
    }

    pub(super) fn head(self, at: ColumnAt) -> Option<&'static Head> {
        self.heads().get(at).copied()
    }

    pub(super) fn facets(self) -> Vec<&'static Facet> {
        self.heads()
            .into_iter()
            .filter_map(|head| head.facet.as_ref())
            .collect()
    }

    /// The keys that filters can use, in the order of their columns.
    pub(super) fn keys(self) -> Vec<Key> {
        (self.keys)()
    }

    /// The order until the person chooses one.
    pub(super) fn own_order(self) -> Vec<SortBy> {
        let mut steps: Vec<_> = self
            .heads()
            .into_iter()
            .enumerate()
            .filter_map(|(column, head)| {
                let descending = head.descends;
                Some((head.ordered?, SortBy { column, descending }))
            })
            .collect();
        steps.sort_by_key(|(step, _)| *step);
        steps.into_iter().map(|(_, by)| by).collect()
    }
}

/// Panics where a declaration has a slip.
const fn check<R>(columns: &[Column<R>]) {
    let (mut below, mut status, mut figure, mut ages, mut steps) = (0, 0, 0, 0, 0);
    let mut at = 0;
    while at < columns.len() {
        let head = &columns[at].head;
        assert!(is_word(head.word), "the word of a column is of small letters");
        assert!(
            place_of(columns, head.word) == at,
            "two columns have the same word"
        );
        match head.narrow {
            Some(Narrow::Below) => below += 1,
            Some(Narrow::Status) => status += 1,
            Some(Narrow::Figure) => figure += 1,
            None => {}
        }
        ages += head.ages as u8;
        steps += head.ordered.is_some() as u8;
        at += 1;
    }
    let first = &columns[0].head;
    assert!(
        first.narrow.is_none() && !first.hidden,
        "the first column names the row in every view"
    );
    assert!(
        below == 1 && status <= 1 && figure <= 1,
        "a narrow view has one column below the name, and at most one status and one figure"
    );
    assert!(ages == 1, "a stale row shows its age in one column");
    assert!(steps > 0, "a table has an order of its own");
    while steps > 0 {
        assert!(
            has_step(columns, steps),
            "the steps of the order are counted from 1"
        );
        steps -= 1;
    }
}

/// Whether addresses can hold a word as it is.
const fn is_word(word: &str) -> bool {
    let bytes = word.as_bytes();
    let mut at = 0;
    while at < bytes.len() && bytes[at].is_ascii_lowercase() {
        at += 1;
    }
    at > 0 && at == bytes.len()
}

/// Where the first column of a word is.
const fn place_of<R>(columns: &[Column<R>], word: &str) -> ColumnAt {
    let mut at = 0;
    while at < columns.len() && !is_same(columns[at].head.word, word) {
        at += 1;
    }
    at
}

const fn is_same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let mut at = 0;
    while at < one.len() && at < other.len() && one[at] == other[at] {
        at += 1;
    }
    at == one.len() && at == other.len()
}

const fn has_step<R>(columns: &[Column<R>], step: u8) -> bool {
    let mut at = 0;
    while at < columns.len() {
        if matches!(columns[at].head.ordered, Some(own) if own == step) {
            return true;
        }
        at += 1;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    type Plain = Column<&'static str>;

    const NAME: Plain = Plain::text("name", "Name", 1.0, |row| row).ordered(1);
    const BELOW: Plain = Plain::text("below", "Below", 1.0, |row| row)
        .narrow(Narrow::Below)
        .ages();

    #[test]
    fn a_table_with_a_name_an_order_and_two_lines_is_right() {
        check(&[
            NAME,
            BELOW,
            Plain::text("other", "Other", 1.0, |row| row).ordered(2),
        ]);
    }

    #[test]
    #[should_panic(expected = "small letters")]
    fn a_word_that_no_address_can_hold_is_a_slip() {
        check(&[NAME, BELOW, Plain::text("last seen", "Other", 1.0, |row| row)]);
    }

    #[test]
    #[should_panic(expected = "the same word")]
    fn a_word_for_two_columns_is_a_slip() {
        check(&[NAME, BELOW, Plain::text("below", "Other", 1.0, |row| row)]);
    }

    #[test]
    #[should_panic(expected = "names the row")]
    fn a_hidden_name_is_a_slip() {
        check(&[NAME.hidden(), BELOW]);
    }

    #[test]
    #[should_panic(expected = "below the name")]
    fn a_narrow_view_without_a_second_line_is_a_slip() {
        check(&[NAME.ages(), Plain::text("other", "Other", 1.0, |row| row)]);
    }

    #[test]
    #[should_panic(expected = "in one column")]
    fn two_ages_are_a_slip() {
        check(&[NAME.ages(), BELOW]);
    }

    #[test]
    #[should_panic(expected = "counted from 1")]
    fn a_step_that_is_left_out_is_a_slip() {
        check(&[NAME, BELOW.ordered(3)]);
    }
}
