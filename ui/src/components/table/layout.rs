//! A person's choice of the columns of a table: which are shown, in which order, and how wide.

use super::column::{ColumnAt, Head};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The bounds of a column's width in rem.
const WIDTHS: std::ops::RangeInclusive<f64> = 3.0..=60.0;

/// The widths in rem of the checkbox and of the menu of a row.
const SELECT: f64 = 2.25;
const MENU: f64 = 2.5;

/// The room at both ends of a row together, in rem.
const EDGES: f64 = 1.5;

/// Differences from the table's own columns, stored as JSON. A column that a later version adds appears as that version
/// defines it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Layout {
    /// The columns' words in the chosen order; the others follow in the table's own order.
    order: Vec<String>,
    /// Shown or hidden by the person.
    shown: BTreeMap<String, bool>,
    /// In rem.
    widths: BTreeMap<String, f64>,
}

impl Layout {
    /// All columns in their order. The first column of the table stays first.
    pub(super) fn all(&self, heads: &[&Head]) -> Vec<ColumnAt> {
        let mut columns: Vec<ColumnAt> = (0..heads.len()).collect();
        let place = |at: &ColumnAt| {
            let known = self.order.iter().position(|word| word == heads[*at].word);
            known.unwrap_or(usize::MAX)
        };
        if let Some((_, movable)) = columns.split_first_mut() {
            movable.sort_by_key(place);
        }
        columns
    }

    /// The shown columns in their order.
    pub(super) fn visible(&self, heads: &[&Head]) -> Vec<ColumnAt> {
        let mut columns = self.all(heads);
        columns.retain(|at| self.is_shown(heads, *at));
        columns
    }

    pub(super) fn is_shown(&self, heads: &[&Head], at: ColumnAt) -> bool {
        let head = heads[at];
        at == 0 || *self.shown.get(head.word).unwrap_or(&!head.hidden)
    }

    pub(super) fn show(&mut self, head: &Head, shown: bool) {
        self.shown.insert(head.word.to_owned(), shown);
    }

    /// Moves a column by one place among all columns, hidden ones included.
    pub(super) fn shift(&mut self, heads: &[&Head], column: ColumnAt, down: bool) {
        let mut columns = self.all(heads);
        let Some(at) = columns
            .iter()
            .position(|known| *known == column)
            .filter(|at| *at > 0)
        else {
            return;
        };
        let to = if down { at + 1 } else { at - 1 };
        if to > 0 && to < columns.len() {
            columns.swap(at, to);
        }
        self.order = columns.into_iter().map(|at| heads[at].word.to_owned()).collect();
    }

    /// Changes the width of a column by this many rem.
    pub(super) fn resize(&mut self, head: &Head, by: f64) {
        self.set_width(head, self.width(head) + by);
    }

    /// Sets the width of a column in rem.
    pub(super) fn set_width(&mut self, head: &Head, width: f64) {
        self.widths
            .insert(head.word.to_owned(), width.clamp(*WIDTHS.start(), *WIDTHS.end()));
    }

    /// The columns for which a row of `room` rem is wide enough; all of them if `room` is 0. The first column always
    /// stays.
    pub(super) fn fitted(&self, heads: &[&Head], ends: RowEnds, room: f64) -> FittedColumns {
        let mut columns = self.visible(heads);
        let mut left_out = Vec::new();
        let select = ends.select.then_some(SELECT);
        let menu = ends.menu.then_some(MENU);
        let fixed = EDGES + select.unwrap_or_default() + menu.unwrap_or_default();
        let least = |columns: &[ColumnAt]| {
            let widths: f64 = columns.iter().map(|at| self.width(heads[*at])).sum();
            fixed + widths
        };
        while room > 0.0 && least(&columns) > room && columns.len() > 1 {
            let later = columns.iter().enumerate().skip(1).rev();
            let next = later.min_by_key(|(_, at)| heads[**at].priority);
            left_out.extend(next.map(|(place, _)| place).map(|place| columns.remove(place)));
        }
        let squeezed = room > 0.0 && least(&columns) > room;
        let tracks = columns.iter().map(|at| match self.track(heads[*at]) {
            _ if squeezed => "minmax(0, 1fr)".to_owned(),
            track => track,
        });
        let end = |width: f64| format!("{width}rem");
        let tracks: Vec<_> = { select.map(end) }
            .into_iter()
            .chain(tracks)
            .chain(menu.map(end))
            .collect();
        FittedColumns {
            columns,
            left_out,
            tracks: tracks.join(" "),
        }
    }

    fn width(&self, head: &Head) -> f64 {
        *self.widths.get(head.word).unwrap_or(&head.width)
    }

    /// The track of a column: it grows with the room that is left, unless it has a fixed width or the person set one.
    fn track(&self, head: &Head) -> String {
        let width = self.width(head);
        if head.grows && !self.widths.contains_key(head.word) {
            format!("minmax({width}rem, {width}fr)")
        } else {
            format!("{width}rem")
        }
    }
}

/// What the ends of a row hold beside the columns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct RowEnds {
    /// A checkbox.
    pub select: bool,
    /// The button of a menu.
    pub menu: bool,
}

/// The columns that fit in the view.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct FittedColumns {
    /// The columns that fit, in their order.
    pub columns: Vec<ColumnAt>,
    /// The columns that do not fit, in the order in which they were left out.
    pub left_out: Vec<ColumnAt>,
    /// The value of `grid-template-columns`.
    pub tracks: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::components::table::{declared::Spec, testing::Named};

    const ALL: RowEnds = RowEnds {
        select: true,
        menu: true,
    };

    fn heads() -> Vec<&'static Head> {
        Spec::of::<Named>().heads()
    }

    fn words(columns: &[ColumnAt]) -> Vec<&'static str> {
        columns.iter().map(|at| heads()[*at].word).collect()
    }

    fn visible(layout: &Layout) -> Vec<&'static str> {
        words(&layout.visible(&heads()))
    }

    #[test]
    fn columns_hide_and_move_but_the_first_stays() {
        let heads = heads();
        let mut layout = Layout::default();
        assert_eq!(visible(&layout), ["name", "image", "load"]);
        layout.show(heads[3], true);
        layout.show(heads[0], false);
        layout.shift(&heads, 3, false);
        layout.shift(&heads, 1, false);
        layout.shift(&heads, 0, true);
        assert_eq!(visible(&layout), ["name", "image", "id", "load"]);
    }

    #[test]
    fn a_resized_column_keeps_its_width_and_the_rest_shares_the_room() {
        let mut layout = Layout::default();
        layout.resize(heads()[1], -100.0);
        let ends = RowEnds { menu: false, ..ALL };
        let fitted = layout.fitted(&heads(), ends, 0.0);
        assert_eq!(fitted.tracks, "2.25rem minmax(10rem, 10fr) 3rem 4rem");
    }

    #[test]
    fn the_least_important_columns_leave_first_and_the_first_one_never() {
        let of = |room: f64| Layout::default().fitted(&heads(), ALL, room);
        assert_eq!(words(&of(28.25).columns), ["name", "image", "load"]);
        assert_eq!(words(&of(28.0).left_out), ["image"]);
        assert_eq!(words(&of(20.0).left_out), ["image", "load"]);
        assert_eq!(of(16.25).tracks, "2.25rem minmax(10rem, 10fr) 2.5rem");
        assert_eq!(of(9.0).tracks, "2.25rem minmax(0, 1fr) 2.5rem");
    }

    #[test]
    fn what_an_older_version_kept_still_reads() {
        let layout: Layout = serde_json::from_str(r#"{"order":["gone","load"]}"#).unwrap();
        assert_eq!(visible(&layout), ["name", "load", "image"]);
    }
}
