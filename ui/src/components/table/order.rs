//! The order of rows: sorting, and keeping an earlier order while the person points at rows, has the focus on one or
//! has selected some.

use super::{
    column::{ColumnAt, Head},
    rows::{AnyRow, Rows},
};
use flotilla_protocol::Timestamp;
use std::{cmp::Ordering, collections::BTreeMap, sync::Arc};

/// The value by which a row is sorted in a column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum SortKey<'a> {
    Text(&'a str),
    Number(f64),
    Count(u64),
    /// A date: the earliest first.
    Moment(Timestamp),
    /// The time since a moment: the youngest first.
    Age(Timestamp),
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
            (Self::Count(a), Self::Count(b)) => a.cmp(&b),
            (Self::Moment(a), Self::Moment(b)) => a.cmp(&b),
            (Self::Age(a), Self::Age(b)) => b.cmp(&a),
            (a, b) => a.kind().cmp(&b.kind()),
        };
        if descending { ordering.reverse() } else { ordering }
    }

    /// The place of a value among values of other kinds.
    fn kind(self) -> u8 {
        match self {
            Self::Number(_) => 0,
            Self::Count(_) => 1,
            Self::Moment(_) => 2,
            Self::Age(_) => 3,
            Self::Text(_) => 4,
            Self::Nothing => 5,
        }
    }
}

/// An empty text is no value.
impl<'a> From<&'a str> for SortKey<'a> {
    fn from(text: &'a str) -> Self {
        if text.is_empty() {
            Self::Nothing
        } else {
            Self::Text(text)
        }
    }
}

impl From<u64> for SortKey<'_> {
    fn from(count: u64) -> Self {
        Self::Count(count)
    }
}

impl From<u32> for SortKey<'_> {
    fn from(count: u32) -> Self {
        Self::Count(count.into())
    }
}

impl From<u8> for SortKey<'_> {
    fn from(count: u8) -> Self {
        Self::Count(count.into())
    }
}

impl From<f64> for SortKey<'_> {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl<'a, T: Into<Self>> From<Option<T>> for SortKey<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Nothing, Into::into)
    }
}

/// A step of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SortBy {
    pub column: ColumnAt,
    pub descending: bool,
}

/// The natural order of names: `web-2` before `web-10`, and capitals beside small letters.
fn natural(a: &str, b: &str) -> Ordering {
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

fn compare(a: &dyn AnyRow, b: &dyn AnyRow, sort: &[SortBy]) -> Ordering {
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
pub(super) fn previous_order(previous: &Order, rows: &Rows) -> Arc<Vec<u32>> {
    // Most changes leave the keys as they are, so that each row still has its number.
    let keys = rows.0.iter().map(|row| row.key());
    if keys.eq(previous.rows.0.iter().map(|row| row.key())) {
        return previous.indices.clone();
    }
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
    Arc::new(indices)
}

pub(super) fn numbers(rows: &Rows) -> impl Iterator<Item = u32> + use<> {
    // A browser cannot hold more than 2^32 rows.
    0..u32::try_from(rows.0.len()).unwrap_or(u32::MAX)
}

pub(super) fn row(rows: &Rows, index: u32) -> &dyn AnyRow {
    rows.0[index as usize].as_ref()
}

/// The order after a press on a column's header. With `add`, the column becomes the second step. A column that is not
/// in the order begins descending if its `descends` says so.
pub(super) fn toggled(sort: &[SortBy], column: ColumnAt, descends: bool, add: bool) -> Vec<SortBy> {
    let place = sort.iter().position(|by| by.column == column);
    let next = SortBy {
        column,
        descending: place.map_or(descends, |place| !sort[place].descending),
    };
    if !add {
        return vec![next];
    }
    let mut steps: Vec<_> = sort.iter().filter(|by| by.column != column).copied().collect();
    steps.insert(place.unwrap_or(1).min(steps.len()), next);
    steps.truncate(2);
    steps
}

/// An order as text for the address, such as `name,-cpu`.
pub(super) fn sort_to_text(sort: &[SortBy], heads: &[&Head]) -> String {
    let step = |by: &SortBy| {
        let word = heads.get(by.column)?.word;
        Some(format!("{}{word}", if by.descending { "-" } else { "" }))
    };
    sort.iter().filter_map(step).collect::<Vec<_>>().join(",")
}

/// Reads the text of [`sort_to_text`]; steps by unknown columns are left out.
pub(super) fn sort_from_text(text: &str, heads: &[&Head]) -> Vec<SortBy> {
    let mut steps = Vec::<SortBy>::new();
    for step in text.split(',') {
        let (descending, word) = step.strip_prefix('-').map_or((false, step), |word| (true, word));
        let column = heads.iter().position(|head| head.word == word);
        let fresh = |column: &ColumnAt| steps.iter().all(|by| by.column != *column);
        if let Some(column) = column.filter(fresh) {
            steps.push(SortBy { column, descending });
        }
    }
    steps
}

#[cfg(test)]
mod tests;
