//! A person's choice of the columns of a table: which are shown, in which order, and how wide.

use super::spec::{Column, TableSpec};
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
    /// Ids in the chosen order; the others follow in the table's own order.
    order: Vec<String>,
    /// Shown or hidden by the person.
    shown: BTreeMap<String, bool>,
    /// In rem.
    widths: BTreeMap<String, f64>,
}

impl Layout {
    /// All columns in their order. The first column of the table stays first.
    #[must_use]
    pub fn all(&self, spec: &TableSpec) -> Vec<&'static Column> {
        let mut columns: Vec<&'static Column> = spec.columns.iter().collect();
        let place = |column: &&Column| {
            self.order
                .iter()
                .position(|id| id == column.id)
                .unwrap_or(usize::MAX)
        };
        if let Some((_, movable)) = columns.split_first_mut() {
            movable.sort_by_key(place);
        }
        columns
    }

    /// The shown columns in their order.
    #[must_use]
    pub fn visible(&self, spec: &TableSpec) -> Vec<&'static Column> {
        let mut columns = self.all(spec);
        columns.retain(|column| self.is_shown(spec, column));
        columns
    }

    #[must_use]
    pub fn is_shown(&self, spec: &TableSpec, column: &Column) -> bool {
        let pinned = spec.columns.first().is_some_and(|first| first.id == column.id);
        pinned || *self.shown.get(column.id).unwrap_or(&!column.hidden)
    }

    pub fn show(&mut self, column: &str, shown: bool) {
        self.shown.insert(column.to_owned(), shown);
    }

    /// Moves a column by one place among all columns, hidden ones included.
    pub fn shift(&mut self, spec: &TableSpec, column: &str, down: bool) {
        let mut ids: Vec<String> = self.all(spec).iter().map(|column| column.id.to_owned()).collect();
        let Some(at) = ids.iter().position(|id| id == column).filter(|at| *at > 0) else {
            return;
        };
        let to = if down { at + 1 } else { at - 1 };
        if to > 0 && to < ids.len() {
            ids.swap(at, to);
        }
        self.order = ids;
    }

    /// Changes the width of a column by this many rem.
    pub fn resize(&mut self, spec: &TableSpec, column: &str, by: f64) {
        let Some(known) = spec.lookup(column) else { return };
        let width = self.widths.get(column).unwrap_or(&known.width) + by;
        self.widths
            .insert(column.to_owned(), width.clamp(*WIDTHS.start(), *WIDTHS.end()));
    }

    /// Sets the width of a column in rem.
    pub fn set_width(&mut self, column: &str, width: f64) {
        self.widths
            .insert(column.to_owned(), width.clamp(*WIDTHS.start(), *WIDTHS.end()));
    }

    /// The columns for which a row of `room` rem is wide enough; all of them if `room` is 0. The first column always
    /// stays.
    pub(super) fn fitted(&self, spec: &TableSpec, has_menu: bool, room: f64) -> FittedColumns {
        let mut columns = self.visible(spec);
        let mut left_out = Vec::new();
        let ends = EDGES + if spec.selectable { SELECT } else { 0.0 } + if has_menu { MENU } else { 0.0 };
        let least = |columns: &[&'static Column]| {
            let widths: f64 = columns.iter().map(|column| self.width(column)).sum();
            ends + widths
        };
        while room > 0.0 && least(&columns) > room && columns.len() > 1 {
            let next = spec.leaving.iter().find_map(|id| place(&columns, id));
            let next = next.filter(|at| *at > 0).unwrap_or(columns.len() - 1);
            left_out.push(columns.remove(next).id);
        }
        let squeezed = room > 0.0 && least(&columns) > room;
        let tracks = columns.iter().map(|column| match self.track(column) {
            _ if squeezed => "minmax(0, 1fr)".to_owned(),
            track => track,
        });
        let select = spec.selectable.then(|| format!("{SELECT}rem"));
        let menu = has_menu.then(|| format!("{MENU}rem"));
        let tracks: Vec<_> = select.into_iter().chain(tracks).chain(menu).collect();
        FittedColumns {
            columns: columns.iter().map(|column| column.id).collect(),
            left_out,
            tracks: tracks.join(" "),
        }
    }

    fn width(&self, column: &Column) -> f64 {
        *self.widths.get(column.id).unwrap_or(&column.width)
    }

    /// The track of a column: it grows with the room that is left, unless it has a fixed width or the person set one.
    fn track(&self, column: &Column) -> String {
        let width = self.width(column);
        if column.grows && !self.widths.contains_key(column.id) {
            format!("minmax({width}rem, {width}fr)")
        } else {
            format!("{width}rem")
        }
    }
}

fn place(columns: &[&'static Column], id: &str) -> Option<usize> {
    columns.iter().position(|column| column.id == id)
}

/// The columns that fit in the view.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct FittedColumns {
    /// The ids of the columns that fit, in their order.
    pub columns: Vec<&'static str>,
    /// The ids of the columns that do not fit, in the order in which they were left out.
    pub left_out: Vec<&'static str>,
    /// The value of `grid-template-columns`.
    pub tracks: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::components::table::{Narrow, SortBy};

    const SPEC: TableSpec = TableSpec {
        id: "t",
        label: "T",
        filter: "Filter",
        one: "row",
        many: "rows",
        columns: &[
            Column::text("name", "Name", 10.0),
            Column::text("image", "Image", 8.0),
            Column::figures("cpu", "CPU", 4.0),
            Column::text("id", "ID", 8.0).hidden(),
        ],
        keys: &[],
        facets: &[],
        sort: &[SortBy::up("name")],
        sort_words: "",
        leaving: &["image"],
        narrow: Narrow {
            title: "name",
            status: None,
            below: "image",
            figure: None,
        },
        age: "image",
        selectable: true,
    };

    fn ids(layout: &Layout) -> Vec<&'static str> {
        layout.visible(&SPEC).iter().map(|column| column.id).collect()
    }

    #[test]
    fn columns_hide_and_move_but_the_first_stays() {
        let mut layout = Layout::default();
        assert_eq!(ids(&layout), ["name", "image", "cpu"]);
        layout.show("id", true);
        layout.show("name", false);
        layout.shift(&SPEC, "id", false);
        layout.shift(&SPEC, "image", false);
        layout.shift(&SPEC, "name", true);
        assert_eq!(ids(&layout), ["name", "image", "id", "cpu"]);
    }

    #[test]
    fn a_resized_column_keeps_its_width_and_the_rest_shares_the_room() {
        let mut layout = Layout::default();
        layout.resize(&SPEC, "image", -100.0);
        let fitted = layout.fitted(&SPEC, false, 0.0);
        assert_eq!(fitted.tracks, "2.25rem minmax(10rem, 10fr) 3rem 4rem");
    }

    #[test]
    fn the_least_important_columns_leave_first_and_the_first_one_never() {
        let of = |room: f64| Layout::default().fitted(&SPEC, true, room);
        assert_eq!(of(28.25).columns, ["name", "image", "cpu"]);
        assert_eq!(of(28.0).left_out, ["image"]);
        assert_eq!(of(20.0).left_out, ["image", "cpu"]);
        assert_eq!(of(16.25).tracks, "2.25rem minmax(10rem, 10fr) 2.5rem");
        assert_eq!(of(9.0).tracks, "2.25rem minmax(0, 1fr) 2.5rem");
    }

    #[test]
    fn what_an_older_version_kept_still_reads() {
        let layout: Layout = serde_json::from_str(r#"{"order":["gone","cpu"]}"#).unwrap();
        assert_eq!(ids(&layout), ["name", "cpu", "image"]);
    }
}
