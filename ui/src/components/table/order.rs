//! The order of rows: sorting, and keeping an earlier order while the person points at rows, has the focus on one or
//! has selected some.

use super::spec::{Rows, SortBy, TableRow};
use std::{
    cmp::{Ordering, Reverse},
    collections::BTreeMap,
    sync::Arc,
};

/// The value by which a row is sorted in a column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum SortKey<'a> {
    Text(&'a str),
    Number(f64),
    /// No value. Such rows are last in both directions.
    Nothing,
}

impl SortKey<'_> {
    fn compare(self, other: Self, descending: bool) -> Ordering {
        let ordering = match (self, other) {
            (Self::Nothing, Self::Nothing) => return Ordering::Equal,
            (Self::Nothing, _) => return Ordering::Greater,
            (_, Self::Nothing) => return Ordering::Less,
            (Self::Text(a), Self::Text(b)) => natural(a, b),
            (Self::Number(a), Self::Number(b)) => a.total_cmp(&b),
            (Self::Text(_), Self::Number(_)) => Ordering::Greater,
            (Self::Number(_), Self::Text(_)) => Ordering::Less,
        };
        if descending { ordering.reverse() } else { ordering }
    }
}

/// The natural order of names: `web-2` before `web-10`, and capitals beside small letters.
#[must_use]
pub fn natural(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a.as_bytes(), b.as_bytes());
    while let (Some(l), Some(r)) = (left.first(), right.first()) {
        let ordering = if l.is_ascii_digit() && r.is_ascii_digit() {
            let (l, r);
            (l, left) = split_number(left);
            (r, right) = split_number(right);
            l.len().cmp(&r.len()).then_with(|| l.cmp(r))
        } else {
            let ordering = l.to_ascii_lowercase().cmp(&r.to_ascii_lowercase());
            (left, right) = (&left[1..], &right[1..]);
            ordering
        };
        if ordering != Ordering::Equal {
            return ordering;
        }
    }
    // Names that differ only in capitals or leading zeros still have a definite order.
    left.len().cmp(&right.len()).then_with(|| a.cmp(b))
}

/// The digits at the beginning without leading zeros, and the rest of the text.
fn split_number(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text
        .iter()
        .position(|c| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    let zeros = number.iter().take_while(|c| **c == b'0').count();
    (&number[zeros..], rest)
}

/// Rows and their order, as indices of `rows`.
#[derive(Debug, Clone, Default)]
pub(super) struct Order {
    pub rows: Rows,
    pub indices: Arc<Vec<u32>>,
    pub sort: Vec<SortBy>,
    /// When the rows were last sorted, in seconds.
    pub sorted_at: i64,
    /// Rows have changed since, but keep their places.
    pub held: bool,
}

impl PartialEq for Order {
    fn eq(&self, other: &Self) -> bool {
        self.rows == other.rows && Arc::ptr_eq(&self.indices, &other.indices) && self.held == other.held
    }
}

/// Sorts rows. Starting from an earlier order costs little if few rows changed.
pub(super) fn sorted(rows: &Rows, start: Vec<u32>, sort: &[SortBy]) -> Vec<u32> {
    let mut indices = start;
    indices.sort_by(|a, b| compare(row(rows, *a), row(rows, *b), sort));
    keep_units_together(rows, indices)
}

/// Moves the rows of each unit to the place of its first row, the head before the others. Without units, the order
/// stays.
fn keep_units_together(rows: &Rows, indices: Vec<u32>) -> Vec<u32> {
    let mut units: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
    for index in &indices {
        if let Some(unit) = row(rows, *index).unit() {
            let parts = units.entry(unit.key).or_default();
            parts.insert(if unit.heads { 0 } else { parts.len() }, *index);
        }
    }
    if units.is_empty() {
        return indices;
    }
    let mut moved = Vec::with_capacity(indices.len());
    for index in indices {
        match row(rows, index).unit() {
            Some(unit) => moved.extend(units.remove(unit.key).into_iter().flatten()),
            None => moved.push(index),
        }
    }
    moved
}

fn compare(a: &dyn TableRow, b: &dyn TableRow, sort: &[SortBy]) -> Ordering {
    let step = |by: &SortBy| {
        a.sort_key(by.column)
            .compare(b.sort_key(by.column), by.descending)
    };
    sort.iter()
        .map(step)
        .find(|ordering| ordering.is_ne())
        .unwrap_or_else(|| a.key().cmp(b.key()))
}

/// The rows in their earlier order; new rows come last.
pub(super) fn previous_order(previous: &Order, rows: &Rows) -> Vec<u32> {
    let places: BTreeMap<&str, u32> = previous
        .indices
        .iter()
        .zip(0..)
        .map(|(index, place)| (row(&previous.rows, *index).key(), place))
        .collect();
    let mut indices: Vec<u32> = numbers(rows).collect();
    indices.sort_by_cached_key(|index| {
        places
            .get(row(rows, *index).key())
            .map_or((1, *index), |place| (0, *place))
    });
    indices
}

pub(super) fn numbers(rows: &Rows) -> impl Iterator<Item = u32> + use<> {
    // A browser cannot hold more than 2^32 rows.
    0..u32::try_from(rows.0.len()).unwrap_or(u32::MAX)
}

pub(super) fn row(rows: &Rows, index: u32) -> &dyn TableRow {
    rows.0[index as usize].as_ref()
}

/// The order after a press on a column's header. With `add`, the column becomes the second step.
pub(super) fn toggled(sort: &[SortBy], column: &'static str, add: bool) -> Vec<SortBy> {
    let present = sort.iter().find(|by| by.column == column);
    let next = SortBy {
        column,
        descending: present.is_some_and(|by| !by.descending),
    };
    if !add {
        return vec![next];
    }
    let mut steps: Vec<_> = sort.iter().filter(|by| by.column != column).copied().collect();
    let place = sort
        .iter()
        .position(|by| by.column == column)
        .unwrap_or(1)
        .min(steps.len());
    steps.insert(place, next);
    steps.truncate(2);
    steps
}

/// An order as text for the address, such as `name,-cpu`.
pub(super) fn sort_to_text(sort: &[SortBy]) -> String {
    let step = |by: &SortBy| format!("{}{}", if by.descending { "-" } else { "" }, by.column);
    sort.iter().map(step).collect::<Vec<_>>().join(",")
}

/// Reads the text of [`sort_to_text`]; steps by unknown columns are left out.
pub(super) fn sort_from_text(text: &str, columns: &[super::Column]) -> Vec<SortBy> {
    let step = |word: &str| {
        let (descending, name) = word.strip_prefix('-').map_or((false, word), |name| (true, name));
        let column = columns.iter().find(|column| column.id == name)?.id;
        Some(SortBy { column, descending })
    };
    let mut steps: Vec<_> = text.split(',').filter_map(step).collect();
    let mut seen = Vec::new();
    steps.retain(|by| {
        !seen.contains(&Reverse(by.column)) && {
            seen.push(Reverse(by.column));
            true
        }
    });
    steps
}

#[cfg(test)]
mod tests;
