//! The selected rows, as the page and its actions see them: only those that pass the filter.

use super::{FilteredRows, TableState};
use crate::components::table::{
    rows::{AnyRow, Rows},
    selection::RowKey,
};
use leptos::prelude::*;
use std::{collections::BTreeSet, sync::Arc};

impl TableState {
    /// The keys of the selected rows that pass the filter, in the shown order.
    #[must_use]
    pub fn selected(self) -> Vec<String> {
        self.picked
            .with(|picked| picked.iter().map(|key| (**key).to_owned()).collect())
    }

    /// Selects these rows and no others. After an action on several rows these are the ones for which it failed.
    pub fn select_only(self, keys: impl IntoIterator<Item = String>) {
        self.selection.update(|selection| {
            selection.clear();
            selection.select_all(keys.into_iter().map(RowKey::from));
        });
    }

    /// Whether every row that passes the filter is selected; of no rows, none is.
    pub(in super::super) fn all_picked(self) -> bool {
        // Picked rows are shown rows, so equal counts are equal sets.
        let picked = self.picked.with(|picked| picked.len());
        picked > 0 && picked == self.shown.with(FilteredRows::len)
    }

    /// Selects all rows that pass the filter or, if they are selected, none of them.
    pub(in super::super) fn pick_all(self) {
        let all = untrack(|| self.all_picked());
        let keys = self.shown_keys();
        self.selection.update(|selection| {
            if all {
                selection.remove(&keys);
            } else {
                selection.select_all(keys);
            }
        });
    }

    /// The keys of all rows that pass the filter, in order.
    pub(in super::super) fn shown_keys(self) -> Vec<RowKey> {
        self.shown
            .with_untracked(|shown| shown.keys().map(RowKey::from).collect())
    }

    /// Removes deleted rows from the selection, so that none of them is selected if it comes back.
    pub(super) fn forget_gone(self, rows: Memo<Rows>) {
        Effect::new(move |_| {
            let left = rows.with(|rows| {
                self.selection.with_untracked(|selection| {
                    if selection.keys.is_empty() {
                        return None;
                    }
                    let selected = |row: &Arc<dyn AnyRow>| selection.keys.get(row.key()).cloned();
                    let left: BTreeSet<_> = rows.0.iter().filter_map(selected).collect();
                    (left.len() < selection.keys.len()).then_some(left)
                })
            });
            if let Some(left) = left {
                self.selection.update(|selection| selection.keys = left);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::derived::filtered;
    use super::*;
    use crate::{
        components::table::{order::Order, rows::prepared, selection::Selection, testing::Named},
        query::Query,
    };

    fn shown(filter: &str) -> FilteredRows {
        let rows = prepared(["web-1", "web-2", "db"].map(|name| Named::new(name, 0.0)).into());
        let order = Order {
            rows,
            indices: Arc::new(vec![2, 1, 0]),
            ..Order::default()
        };
        filtered(&order, &Query::parse(filter))
    }

    fn picked(filter: &str, selected: &[&str]) -> Vec<String> {
        let mut selection = Selection::default();
        selection.select_all(selected.iter().map(|key| RowKey::from(*key)));
        let picked = shown(filter).picked(&selection);
        picked.iter().map(|key| key.to_string()).collect()
    }

    #[test]
    fn what_the_filter_hides_is_not_picked_and_the_rest_is_in_the_shown_order() {
        assert_eq!(picked("", &["db", "web-1", "web-2"]), ["db", "web-2", "web-1"]);
        assert_eq!(picked("web", &["db", "web-1"]), ["web-1"]);
        assert!(picked("web", &["db"]).is_empty());
        assert!(picked("", &["gone"]).is_empty());
    }

    #[test]
    fn as_many_selected_rows_as_shown_ones_are_not_all_of_them() {
        let selected = ["db", "gone"];
        assert_eq!(shown("web").len(), selected.len());
        assert!(picked("web", &selected).len() < shown("web").len());
    }
}
