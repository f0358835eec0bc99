//! The rows of a table: what a row has to say of itself, and making rows of what the page knows.

use super::{column::ColumnAt, declared::Table, order::SortKey};
use crate::query::Subject;
use flotilla_protocol::Timestamp;
use leptos::prelude::*;
use std::{marker::PhantomData, sync::Arc};

/// A row. It never changes: a changed resource is a new row with the same key.
pub trait TableRow: Send + Sync + Sized + 'static {
    /// The declaration of the table of such rows.
    fn table() -> &'static Table<Self>;
    /// The key of the row, the same for as long as the resource exists.
    fn key(&self) -> &str;
    /// The accessible name of the row: name, status and device.
    fn label(&self) -> String;
    /// The name, for the accessible names of the row's controls.
    fn name(&self) -> &str;
    /// The address that the name of the row links to, if any.
    fn address(&self) -> Option<String> {
        None
    }
    /// The moment up to which the row is known to be right, if it is not known to be right now.
    fn stale_since(&self) -> Option<Timestamp> {
        None
    }
    /// The unit of rows that the row belongs to, if any.
    fn unit(&self) -> Option<Unit<'_>> {
        None
    }
}

/// Rows that stay together in every order, their head first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unit<'a> {
    /// The key of the unit, unique in the table.
    pub key: &'a str,
    /// Whether this row is the head.
    pub heads: bool,
}

/// A row without its type, with what filters match, which is prepared once per change of the row.
pub(super) trait AnyRow: Send + Sync {
    fn key(&self) -> &str;
    fn label(&self) -> String;
    fn name(&self) -> &str;
    fn address(&self) -> Option<String>;
    fn stale_since(&self) -> Option<Timestamp>;
    fn unit(&self) -> Option<Unit<'_>>;
    fn subject(&self) -> &Subject;
    fn sort_key(&self, column: ColumnAt) -> SortKey<'_>;
    fn cell(&self, column: ColumnAt) -> AnyView;
    fn mark(&self, column: ColumnAt) -> Option<AnyView>;
}

struct Prepared<R> {
    row: R,
    subject: Subject,
}

impl<R: TableRow> Prepared<R> {
    fn new(row: R) -> Self {
        let columns = R::table().columns;
        let words = columns.iter().filter_map(|column| column.words_of(&row));
        let mut subject = Subject::new(words);
        for (key, values) in columns.iter().flat_map(|column| column.facts()) {
            values(&row, &mut |value| subject.add(key, value));
        }
        Self { row, subject }
    }
}

impl<R: TableRow> AnyRow for Prepared<R> {
    fn key(&self) -> &str {
        self.row.key()
    }
    fn label(&self) -> String {
        self.row.label()
    }
    fn name(&self) -> &str {
        self.row.name()
    }
    fn address(&self) -> Option<String> {
        self.row.address()
    }
    fn stale_since(&self) -> Option<Timestamp> {
        self.row.stale_since()
    }
    fn unit(&self) -> Option<Unit<'_>> {
        self.row.unit()
    }
    fn subject(&self) -> &Subject {
        &self.subject
    }
    fn sort_key(&self, column: ColumnAt) -> SortKey<'_> {
        let column = R::table().columns.get(column);
        column.map_or(SortKey::Nothing, |column| column.sort_key(&self.row))
    }
    fn cell(&self, column: ColumnAt) -> AnyView {
        let known = R::table().columns.get(column);
        known.map(|known| known.draw(&self.row, column == 0)).into_any()
    }
    fn mark(&self, column: ColumnAt) -> Option<AnyView> {
        R::table().columns.get(column)?.draw_mark(&self.row)
    }
}

/// All rows of a table in the order of their keys. A copy is cheap; two values are equal only if they share the same
/// list.
#[derive(Clone, Default)]
pub(super) struct Rows(pub Arc<Vec<Arc<dyn AnyRow>>>);

impl PartialEq for Rows {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl std::fmt::Debug for Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} rows", self.0.len())
    }
}

/// A shared value that is equal only to itself.
#[derive(Debug)]
pub struct Same<T: ?Sized>(pub Arc<T>);

impl<T: ?Sized> Clone for Same<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: ?Sized> PartialEq for Same<T> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// The rows of a table of `R`, as they change.
#[derive(Debug)]
pub struct TableRows<R> {
    pub(super) rows: Memo<Rows>,
    of: PhantomData<fn() -> R>,
}

/// Rows made of `sources`, which are sorted by their keys. A row is made again only if its source is another one.
pub fn rows_of<K, S, R>(
    sources: impl Fn() -> Vec<(K, S)> + Send + Sync + 'static,
    make: impl Fn(&S) -> R + Send + Sync + 'static,
) -> TableRows<R>
where
    K: Ord + Send + Sync + 'static,
    S: PartialEq + Send + Sync + 'static,
    R: TableRow,
{
    let kept = StoredValue::new(Vec::<(K, S, Arc<dyn AnyRow>)>::new());
    let rows = Memo::new(move |previous: Option<&Rows>| {
        let sources = sources();
        let known = kept.try_update_value(std::mem::take).unwrap_or_default();
        let fresh = refreshed(sources, known, &make);
        let rows: Vec<_> = fresh.iter().map(|(_, _, row)| row.clone()).collect();
        kept.set_value(fresh);
        let same = |previous: &&Rows| {
            let mut pairs = previous.0.iter().zip(&rows);
            previous.0.len() == rows.len() && pairs.all(|(old, new)| Arc::ptr_eq(old, new))
        };
        previous
            .filter(same)
            .cloned()
            .unwrap_or_else(|| Rows(Arc::new(rows)))
    });
    TableRows {
        rows,
        of: PhantomData,
    }
}

fn refreshed<K: Ord, S: PartialEq, R: TableRow>(
    sources: Vec<(K, S)>,
    known: Vec<(K, S, Arc<dyn AnyRow>)>,
    make: &impl Fn(&S) -> R,
) -> Vec<(K, S, Arc<dyn AnyRow>)> {
    let mut known = known.into_iter().peekable();
    let row = |(key, source): (K, S)| {
        while known.next_if(|(old, ..)| *old < key).is_some() {}
        let same = known.next_if(|(old, was, _)| *old == key && *was == source);
        let row = same.map_or_else(
            || Arc::new(Prepared::new(make(&source))) as Arc<dyn AnyRow>,
            |(.., row)| row,
        );
        (key, source, row)
    };
    sources.into_iter().map(row).collect()
}

#[cfg(test)]
pub(super) fn prepared<R: TableRow>(rows: Vec<R>) -> Rows {
    let row = |row| Arc::new(Prepared::new(row)) as Arc<dyn AnyRow>;
    Rows(Arc::new(rows.into_iter().map(row).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        components::table::testing::Named,
        query::{Key, Query},
    };

    #[test]
    fn a_row_is_made_again_only_if_its_source_changed() {
        let made = std::cell::Cell::new(0);
        let make = |name: &&str| {
            made.set(made.get() + 1);
            Named::new(name, 0.0)
        };
        let first = refreshed(vec![(1, "a"), (3, "c"), (4, "d")], Vec::new(), &make);
        let kept = first[2].2.clone();
        let second = refreshed(vec![(2, "b"), (3, "cc"), (4, "d")], first, &make);
        let keys: Vec<_> = second.iter().map(|(.., row)| row.key()).collect();
        assert_eq!(keys, ["b", "cc", "d"]);
        assert!(Arc::ptr_eq(&kept, &second[2].2));
        assert_eq!(made.get(), 5, "three, then b and cc");
    }

    #[test]
    fn filters_find_a_row_by_the_words_and_facts_of_its_columns() {
        let rows = prepared(vec![Named::new("Web-1", 1.0)]);
        let finds = |filter: &str| Query::parse(filter).matches(rows.0[0].subject());
        assert!(finds("web") && finds("device:web-1"));
        assert!(!finds("db") && !finds("device:web"));
        let mut images = rows.0[0].subject().values(Key::Image);
        assert_eq!(images.next(), None, "an empty value is none");
    }
}
