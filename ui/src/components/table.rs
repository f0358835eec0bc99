//! The table that every list uses: filter, facets, order, columns and selection. Only the rows in view are elements of
//! the page.
//!
//! A kind of rows has a [`Table`]: its words and its [`Column`]s, each of which says in one place how a row is shown in
//! it, sorted and found by it. [`rows_of`] makes rows of what a page knows, [`TableState`] decides which of them are
//! shown, in which order and where, and the components draw them. Within this folder rows and columns have no type, so
//! that all tables share its code.

mod cells;
mod column;
mod columns;
mod declared;
mod facet;
mod filter;
mod footer;
mod grid;
mod head;
mod highlight;
mod keys;
mod layout;
mod order;
mod row;
mod rows;
mod selection;
mod slots;
mod state;
#[cfg(test)]
mod testing;
mod toolbar;
mod window;

pub use super::menu::RowAction;
pub use cells::{Dash, age_cell, date_cell, mono_cell, name_cell, text_cell};
pub use column::{Column, Narrow, ValuesOf};
pub use declared::{About, Table};
pub use order::SortKey;
pub use rows::{Same, TableRow, TableRows, Unit, rows_of};
pub use state::TableState;

use grid::Grid;
use leptos::prelude::*;
use std::sync::Arc;

/// The actions of a row by its key, computed when its menu opens.
pub type RowActions = Arc<dyn Fn(&str) -> Vec<RowAction> + Send + Sync>;

/// The panel beside the table, which can show a row while the focus stays in the table.
#[derive(Debug, Clone, Copy)]
pub struct Beside {
    pub is_open: Signal<bool>,
    /// Shows the row of a key.
    pub show: Callback<String>,
}

/// A table with its toolbar. A page shows something else in its place while there are no rows at all.
#[component]
pub fn DataTable(
    table: TableState,
    /// Shown between the filter and the facets: the Device choice of inventory tables.
    #[prop(optional_no_strip)]
    scope: Option<AnyView>,
    /// Shown after the facets: the chip of unreachable devices.
    #[prop(optional_no_strip)]
    notice: Option<AnyView>,
    /// The actions of a row.
    #[prop(optional_no_strip)]
    actions: Option<RowActions>,
    /// Runs on Enter or a click on a row.
    #[prop(optional_no_strip)]
    on_open: Option<Callback<String>>,
    /// The panel in which `v` shows a row, and the arrow keys others while it is open.
    #[prop(optional_no_strip)]
    beside: Option<Beside>,
    /// The buttons for the selected rows. Without them, no row can be selected.
    #[prop(optional_no_strip)]
    bulk: Option<ViewFn>,
) -> impl IntoView {
    view! {
        <div class="table" node_ref=table.root>
            <toolbar::Toolbar table scope notice/>
            <Grid table actions on_open beside select=bulk.is_some()/>
            <footer::Footer table bulk/>
        </div>
    }
}
