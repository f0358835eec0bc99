//! A small table for tests.

use super::{
    cells::text_cell,
    column::{Column, ColumnAt, Narrow},
    declared::{About, Table},
    rows::{TableRow, Unit},
};
use crate::{components::table::SortKey, query::Key};

/// A row with a name and a load; a load that is not a number is none.
pub(super) struct Named {
    name: String,
    load: f64,
}

impl Named {
    pub(super) fn new(name: &str, load: f64) -> Self {
        Self {
            name: name.to_owned(),
            load,
        }
    }
}

pub(super) const NAME: ColumnAt = 0;
pub(super) const LOAD: ColumnAt = 2;

pub(super) static NAMED: Table<Named> = Table::new(
    About {
        word: "named",
        label: "Named",
        filter: "Filter",
        one: "row",
        many: "rows",
        sort_words: "",
        scope: &[],
    },
    &[
        Column::<Named>::text("name", "Name", 10.0, |row| &row.name)
            .fact(Key::Device, |row, fact| fact(&row.name))
            .ordered(2),
        Column::<Named>::text("image", "Image", 8.0, |_| "")
            .facet(Key::Image, "Image", &[], |_, fact| fact(""))
            .narrow(Narrow::Below)
            .ages()
            .priority(1),
        Column::<Named>::view("load", "Load", 4.0, |_| text_cell(None), load)
            .figures()
            .descends()
            .ordered(1),
        Column::<Named>::text("id", "ID", 8.0, |row| &row.name)
            .mono()
            .hidden(),
    ],
);

fn load(row: &Named) -> SortKey<'_> {
    Some(row.load).filter(|load| !load.is_nan()).into()
}

impl TableRow for Named {
    fn table() -> &'static Table<Self> {
        &NAMED
    }
    fn key(&self) -> &str {
        &self.name
    }
    fn label(&self) -> String {
        self.name.clone()
    }
    fn name(&self) -> &str {
        &self.name
    }
    /// `nas/pause` is the head of the rows named `nas/…`.
    fn unit(&self) -> Option<Unit<'_>> {
        let (key, own) = self.name.split_once('/')?;
        Some(Unit {
            key,
            heads: own == "pause",
        })
    }
}
