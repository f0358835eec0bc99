//! A table as a page declares it: its words and its columns.

use super::{
    column::{Column, ColumnAt, Facet, Head},
    order::SortBy,
    rows::TableRow,
};
use crate::query::Key;

/// The declaration of the table of a kind of rows. The first column names the row and cannot be hidden or moved.
#[derive(Debug)]
pub struct Table<R: 'static> {
    pub about: About,
    pub columns: &'static [Column<R>],
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

/// What is wrong with a declaration, for tests.
#[cfg(test)]
#[must_use]
pub fn slips<R: TableRow>() -> Vec<String> {
    use super::column::Narrow;
    let heads = Spec::of::<R>().heads();
    let mut slips = Vec::new();
    for (at, head) in heads.iter().enumerate() {
        let word = head.word;
        if heads[..at].iter().any(|other| other.word == word) {
            slips.push(format!("two columns have the word {word}"));
        }
        if word.is_empty() || !word.bytes().all(|c| c.is_ascii_lowercase()) {
            slips.push(format!("no address can hold the word {word}"));
        }
        if at == 0 && (head.narrow.is_some() || head.hidden) {
            slips.push(format!("{word} names the row in every view"));
        }
    }
    let many = |place| heads.iter().filter(|head| head.narrow == Some(place)).count();
    if many(Narrow::Below) != 1 || many(Narrow::Status) > 1 || many(Narrow::Figure) > 1 {
        slips.push("the two lines of a narrow view are not filled once each".to_owned());
    }
    if heads.iter().filter(|head| head.ages).count() != 1 {
        slips.push("a stale row shows its age in one column".to_owned());
    }
    let mut steps: Vec<_> = heads.iter().filter_map(|head| head.ordered).collect();
    steps.sort_unstable();
    let expected: Vec<u8> = (1..).take(steps.len()).collect();
    if steps.is_empty() || steps != expected {
        slips.push(format!("the steps of the order are {steps:?}"));
    }
    slips
}
