//! The table that every list uses: filter, facets, order, columns and selection. Only the rows in view are elements of
//! the page.
//!
//! A page describes its table by a [`TableSpec`] and hands over rows that know how to show, sort and filter themselves
//! ([`TableRow`]). [`TableState`] decides which rows are shown, in which order and where; the components draw it.

mod columns;
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
mod selection;
mod spec;
mod state;
mod toolbar;
mod window;

pub use super::menu::RowAction;
pub use facet::FacetValue;
pub use layout::Layout;
pub use order::{SortKey, natural};
pub use row::Dash;
pub use spec::{Column, Facet, Narrow, Rows, SortBy, TableRow, TableSpec, Unit};
pub use state::TableState;

use grid::Grid;
use leptos::prelude::*;
use std::sync::Arc;

/// The actions of a row by its key, computed when its menu opens.
pub type RowActions = Arc<dyn Fn(&str) -> Vec<RowAction> + Send + Sync>;

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
    /// The buttons for the selected rows.
    #[prop(optional_no_strip)]
    bulk: Option<ViewFn>,
) -> impl IntoView {
    provide_context(table);
    view! {
        <div class="table">
            <toolbar::Toolbar table scope notice/>
            <Grid table actions on_open/>
            <footer::Footer table bulk/>
        </div>
    }
}
