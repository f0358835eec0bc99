//! What a page defines about its table and about the rows of it.

use super::order::SortKey;
use crate::query::{Key, Subject};
use flotilla_protocol::Timestamp;
use leptos::prelude::AnyView;
use std::sync::Arc;

/// The definition of a table.
#[derive(Debug)]
pub struct TableSpec {
    /// The key under which the person's columns are stored.
    pub id: &'static str,
    /// The accessible name of the grid.
    pub label: &'static str,
    /// The accessible name of the filter field.
    pub filter: &'static str,
    /// The word for a row: "container".
    pub one: &'static str,
    pub many: &'static str,
    pub columns: &'static [Column],
    /// The keys that the filter suggests.
    pub keys: &'static [Key],
    pub facets: &'static [Facet],
    /// The order until the person chooses one.
    pub sort: &'static [SortBy],
    /// The same order in words: "Trouble first, then name".
    pub sort_words: &'static str,
    /// Columns in the order in which they are left out if not all fit, the least important first. The others are left
    /// out after them, from the end.
    pub leaving: &'static [&'static str],
    pub narrow: Narrow,
    /// The column in which stale rows show their age.
    pub age: &'static str,
    /// Rows can be selected, for actions on several.
    pub selectable: bool,
}

impl TableSpec {
    #[must_use]
    pub fn lookup(&self, column: &str) -> Option<&'static Column> {
        self.columns.iter().find(|known| known.id == column)
    }
}

/// A column. The first column of a table cannot be hidden or moved.
#[derive(Debug)]
pub struct Column {
    pub id: &'static str,
    pub title: &'static str,
    /// The least width in rem.
    pub width: f64,
    /// The column grows with the room that is left.
    pub grows: bool,
    /// The content is figures, which are aligned to the end of the cell.
    pub figures: bool,
    pub hidden: bool,
    /// The values change all the time, so an order by them is updated only every few seconds.
    pub live: bool,
}

impl Column {
    /// A column of text, which grows with the room.
    #[must_use]
    pub const fn text(id: &'static str, title: &'static str, width: f64) -> Self {
        Self {
            id,
            title,
            width,
            grows: true,
            figures: false,
            hidden: false,
            live: false,
        }
    }

    /// A column of figures with a fixed width.
    #[must_use]
    pub const fn figures(id: &'static str, title: &'static str, width: f64) -> Self {
        Self {
            id,
            title,
            width,
            grows: false,
            figures: true,
            hidden: false,
            live: false,
        }
    }

    #[must_use]
    pub const fn hidden(mut self) -> Self {
        self.hidden = true;
        self
    }

    #[must_use]
    pub const fn fixed(mut self) -> Self {
        self.grows = false;
        self
    }

    #[must_use]
    pub const fn live(mut self) -> Self {
        self.live = true;
        self
    }
}

/// The columns that make up the two lines of a row on a narrow screen.
#[derive(Debug)]
pub struct Narrow {
    pub title: &'static str,
    pub status: Option<&'static str>,
    pub below: &'static str,
    pub figure: Option<&'static str>,
}

/// A filter by a list of values.
#[derive(Debug)]
pub struct Facet {
    pub key: Key,
    pub title: &'static str,
    /// Values and their labels; if empty, the values are those that rows have.
    pub values: &'static [(&'static str, &'static str)],
}

/// A step of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SortBy {
    pub column: &'static str,
    pub descending: bool,
}

impl SortBy {
    #[must_use]
    pub const fn up(column: &'static str) -> Self {
        Self {
            column,
            descending: false,
        }
    }
}

/// A row, which filters, sorts and draws itself. It never changes: a changed resource is a new row with the same key.
pub trait TableRow: Send + Sync {
    /// The key of the row, the same for as long as the resource exists.
    fn key(&self) -> &str;
    /// The accessible name of the row: name, status and device.
    fn label(&self) -> String;
    /// The name, for the accessible names of the row's controls.
    fn name(&self) -> &str;
    fn subject(&self) -> &Subject;
    fn sort_key(&self, column: &str) -> SortKey<'_>;
    fn cell(&self, column: &str) -> AnyView;
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

/// All rows of a table in the order of their keys. A copy is cheap; two values are equal only if they share the same
/// list.
#[derive(Clone, Default)]
pub struct Rows(pub Arc<Vec<Arc<dyn TableRow>>>);

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
