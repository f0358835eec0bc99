//! What a page says about its table, and what a row of it must know.

use super::order::SortKey;
use crate::query::{Key, Subject};
use flotilla_protocol::Timestamp;
use leptos::prelude::AnyView;
use std::sync::Arc;

/// The fixed part of a table.
#[derive(Debug)]
pub struct TableSpec {
    /// Under which the person's columns are kept.
    pub id: &'static str,
    /// Name of the grid.
    pub label: &'static str,
    /// Name of the filter field.
    pub filter: &'static str,
    /// One row, in words: "container".
    pub one: &'static str,
    pub many: &'static str,
    pub columns: &'static [Column],
    /// Keys that the filter offers.
    pub keys: &'static [Key],
    pub facets: &'static [Facet],
    /// The order before the person chose one.
    pub sort: &'static [SortBy],
    /// That order in words: "Trouble first, then name".
    pub sort_words: &'static str,
    /// Columns in the order in which they leave where not all fit, the least important first. Those that are not named
    /// leave after them, from the end.
    pub leaving: &'static [&'static str],
    pub narrow: Narrow,
    /// The column in which old rows show their age.
    pub age: &'static str,
    /// Rows can be selected for actions on many.
    pub selectable: bool,
}

impl TableSpec {
    #[must_use]
    pub fn lookup(&self, column: &str) -> Option<&'static Column> {
        self.columns.iter().find(|known| known.id == column)
    }
}

/// One column. The first of a table is pinned: it cannot be hidden or moved.
#[derive(Debug)]
pub struct Column {
    pub id: &'static str,
    pub title: &'static str,
    /// Least width in rem.
    pub width: f64,
    /// Takes its part of the room that is left.
    pub grows: bool,
    /// Figures stand at the end of the cell.
    pub figures: bool,
    pub hidden: bool,
    /// Changes all the time, so an order by it is not followed at once.
    pub live: bool,
}

impl Column {
    /// A column of text that takes its part of the room.
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

    /// A column of figures, as wide as they are.
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

/// Which columns make up the two lines of a row on a narrow screen.
#[derive(Debug)]
pub struct Narrow {
    pub title: &'static str,
    pub status: Option<&'static str>,
    pub below: &'static str,
    pub figure: Option<&'static str>,
}

/// A filter by a closed list of values, all of them always listed.
#[derive(Debug)]
pub struct Facet {
    pub key: Key,
    pub title: &'static str,
    /// Value and words; empty where the values are those that the rows have.
    pub values: &'static [(&'static str, &'static str)],
}

/// One step of an order.
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

/// A row: it filters, sorts and shows itself. It never changes; a changed thing is a new row with the same key.
pub trait TableRow: Send + Sync {
    /// Names the row for as long as the thing exists.
    fn key(&self) -> &str;
    /// Name, status and device, for those who hear the row.
    fn label(&self) -> String;
    /// The name alone, for its controls.
    fn name(&self) -> &str;
    fn subject(&self) -> &Subject;
    fn sort_key(&self, column: &str) -> SortKey<'_>;
    fn cell(&self, column: &str) -> AnyView;
    /// For when the row is known to be true, if that is not now.
    fn stale_since(&self) -> Option<Timestamp> {
        None
    }
    /// What the row is a part of, if it stands with others as one.
    fn unit(&self) -> Option<Unit<'_>> {
        None
    }
}

/// Rows that stand together in every order, their head first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unit<'a> {
    /// Names the unit among all rows of the table.
    pub key: &'a str,
    /// This row is the head.
    pub heads: bool,
}

/// All rows of a table, in the order of their keys. Cheap to copy; equal only to itself.
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
