//! The selected rows by their keys, so that a selection survives sorting, filtering and changes.

use std::{collections::BTreeSet, sync::Arc};

pub(super) type RowKey = Arc<str>;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Selection {
    pub keys: BTreeSet<RowKey>,
    /// The row at which a range starts.
    anchor: Option<RowKey>,
}

impl Selection {
    pub(super) fn toggle(&mut self, key: &RowKey) {
        if !self.keys.remove(key) {
            self.keys.insert(key.clone());
        }
        self.anchor = Some(key.clone());
    }

    /// Starts a range at a row, unless one is started already.
    pub(super) fn begin(&mut self, at: &RowKey) {
        if self.keys.is_empty() || self.anchor.is_none() {
            self.anchor = Some(at.clone());
            self.keys.insert(at.clone());
        }
    }

    /// Selects all rows between the start of the range and this one, in the shown order.
    pub(super) fn extend(&mut self, to: &RowKey, shown: &[RowKey]) {
        let place = |key: &RowKey| shown.iter().position(|known| known == key);
        let from = self.anchor.as_ref().and_then(place);
        let (Some(from), Some(end)) = (from, place(to)) else {
            self.keys.insert(to.clone());
            self.anchor = Some(to.clone());
            return;
        };
        self.keys
            .extend(shown[from.min(end)..=from.max(end)].iter().cloned());
    }

    pub(super) fn select_all(&mut self, shown: impl IntoIterator<Item = RowKey>) {
        self.keys.extend(shown);
    }

    pub(super) fn remove(&mut self, shown: &[RowKey]) {
        for key in shown {
            self.keys.remove(key);
        }
    }

    pub(super) fn clear(&mut self) {
        self.keys.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(names: &str) -> Vec<RowKey> {
        names.chars().map(|c| RowKey::from(c.to_string())).collect()
    }

    fn selected(selection: &Selection) -> String {
        selection.keys.iter().map(|key| &**key).collect()
    }

    #[test]
    fn a_range_goes_from_the_last_pick_in_either_direction() {
        let shown = keys("dcba");
        let mut selection = Selection::default();
        selection.toggle(&shown[2]);
        selection.extend(&shown[0], &shown);
        assert_eq!(selected(&selection), "bcd");
        selection.toggle(&shown[2]);
        selection.extend(&shown[3], &shown);
        assert_eq!(selected(&selection), "abcd");
    }

    #[test]
    fn a_range_from_a_row_that_is_gone_starts_anew() {
        let shown = keys("ab");
        let mut selection = Selection::default();
        selection.toggle(&RowKey::from("z"));
        selection.extend(&shown[1], &shown);
        assert_eq!(selected(&selection), "bz");
    }
}
