//! A column of a table, declared in one place: how a row is shown in it, sorted and found by it, and when it gives way
//! on a narrow screen.

use super::{
    cells::{age_cell, mono_cell, name_cell, text_cell},
    order::SortKey,
};
use crate::query::Key;
use flotilla_protocol::Timestamp;
use leptos::prelude::AnyView;

/// The place of a column in its table's declaration.
pub(super) type ColumnAt = usize;

/// What is said of a column apart from the rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head {
    /// The word for the column in addresses and in what a browser keeps. No code refers to a column by it.
    pub word: &'static str,
    pub title: &'static str,
    /// The least width in rem.
    pub width: f64,
    /// The column grows with the room that is left.
    pub grows: bool,
    /// The content is figures, which are aligned to the end of the cell.
    pub figures: bool,
    pub mono: bool,
    /// Shown only if the person wants it.
    pub hidden: bool,
    /// The values change all the time, so an order by them is updated only every few seconds.
    pub live: bool,
    /// A stale row shows its age in this column.
    pub ages: bool,
    /// The first press on the header puts the greatest value on top.
    pub descends: bool,
    /// The step of the table's own order that this column is, from 1.
    pub ordered: Option<u8>,
    /// If not all columns fit, the one with the lowest priority is left out first; of equal ones, the last.
    pub priority: u8,
    pub narrow: Option<Narrow>,
    pub facet: Option<Facet>,
}

/// A place in the two lines of a row on a narrow screen. The first column of a table begins the first line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Narrow {
    /// The end of the first line.
    Status,
    /// The beginning of the second line.
    Below,
    /// The end of the second line.
    Figure,
}

/// A filter by a list of values.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facet {
    pub key: Key,
    pub title: &'static str,
    /// Values and their labels; if empty, the values are those that rows have.
    pub values: &'static [(&'static str, &'static str)],
}

type TextOf<R> = for<'a> fn(&'a R) -> &'a str;

/// Gives the values of a fact to the second argument, one after the other. An empty value is none.
pub type ValuesOf<R> = fn(&R, &mut dyn FnMut(&str));

/// How a row is shown in a column.
enum Shown<R: 'static> {
    Text(TextOf<R>),
    Age(fn(&R) -> Option<Timestamp>),
    View(fn(&R) -> AnyView),
}

/// How a row is sorted by a column.
enum Sorted<R: 'static> {
    Text(TextOf<R>),
    Age(fn(&R) -> Option<Timestamp>),
    Key(for<'a> fn(&'a R) -> SortKey<'a>),
}

/// A column of a table of `R`.
pub struct Column<R: 'static> {
    pub(super) head: Head,
    shown: Shown<R>,
    sorted: Sorted<R>,
    words: Option<TextOf<R>>,
    mark: Option<fn(&R) -> Option<AnyView>>,
    /// The facts by which filters find a row. No column has more than two.
    facts: [Option<(Key, ValuesOf<R>)>; 2],
}

impl<R> std::fmt::Debug for Column<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.head.fmt(f)
    }
}

impl<R> Column<R> {
    /// A column of text, which grows with the room: rows are shown, sorted and found by it. An empty text is none.
    #[must_use]
    pub const fn text(word: &'static str, title: &'static str, width: f64, text: TextOf<R>) -> Self {
        let mut column = Self::new(word, title, width, Shown::Text(text), Sorted::Text(text));
        column.words = Some(text);
        column
    }

    /// A column with the time since a moment, the youngest first.
    #[must_use]
    pub const fn age(
        word: &'static str,
        title: &'static str,
        width: f64,
        moment: fn(&R) -> Option<Timestamp>,
    ) -> Self {
        Self::new(word, title, width, Shown::Age(moment), Sorted::Age(moment)).figures()
    }

    /// A column of anything else.
    #[must_use]
    pub const fn view(
        word: &'static str,
        title: &'static str,
        width: f64,
        cell: fn(&R) -> AnyView,
        sort: for<'a> fn(&'a R) -> SortKey<'a>,
    ) -> Self {
        Self::new(word, title, width, Shown::View(cell), Sorted::Key(sort))
    }

    const fn new(
        word: &'static str,
        title: &'static str,
        width: f64,
        shown: Shown<R>,
        sorted: Sorted<R>,
    ) -> Self {
        let head = Head {
            word,
            title,
            width,
            grows: true,
            figures: false,
            mono: false,
            hidden: false,
            live: false,
            ages: false,
            descends: false,
            ordered: None,
            priority: u8::MAX,
            narrow: None,
            facet: None,
        };
        Self {
            head,
            shown,
            sorted,
            words: None,
            mark: None,
            facts: [None, None],
        }
    }

    /// Shows the row in another way.
    #[must_use]
    pub const fn cell(mut self, cell: fn(&R) -> AnyView) -> Self {
        self.shown = Shown::View(cell);
        self
    }

    /// Shows a mark after the text, outside of the link to the row's address.
    #[must_use]
    pub const fn mark(mut self, mark: fn(&R) -> Option<AnyView>) -> Self {
        self.mark = Some(mark);
        self
    }

    /// Free words find the row by this text; parts are separated by line breaks.
    #[must_use]
    pub const fn words(mut self, words: TextOf<R>) -> Self {
        self.words = Some(words);
        self
    }

    /// Free words do not find the row by this column.
    #[must_use]
    pub const fn unsearched(mut self) -> Self {
        self.words = None;
        self
    }

    /// Filters find the row by these values of a key, which the filter field suggests.
    ///
    /// # Panics
    /// At compile time, for a third key.
    #[must_use]
    pub const fn fact(mut self, key: Key, values: ValuesOf<R>) -> Self {
        assert!(self.facts[1].is_none(), "no column has more than two keys");
        let free = if self.facts[0].is_none() { 0 } else { 1 };
        self.facts[free] = Some((key, values));
        self
    }

    /// The same with a list beside the filter field. Without `listed`, its values are those that rows have.
    #[must_use]
    pub const fn facet(
        mut self,
        key: Key,
        title: &'static str,
        listed: &'static [(&'static str, &'static str)],
        values: ValuesOf<R>,
    ) -> Self {
        self.head.facet = Some(Facet {
            key,
            title,
            values: listed,
        });
        self.fact(key, values)
    }

    /// Figures with a fixed width, aligned to the end.
    #[must_use]
    pub const fn figures(mut self) -> Self {
        self.head.figures = true;
        self.fixed()
    }

    #[must_use]
    pub const fn fixed(mut self) -> Self {
        self.head.grows = false;
        self
    }

    #[must_use]
    pub const fn mono(mut self) -> Self {
        self.head.mono = true;
        self
    }

    #[must_use]
    pub const fn hidden(mut self) -> Self {
        self.head.hidden = true;
        self
    }

    #[must_use]
    pub const fn live(mut self) -> Self {
        self.head.live = true;
        self
    }

    #[must_use]
    pub const fn ages(mut self) -> Self {
        self.head.ages = true;
        self
    }

    #[must_use]
    pub const fn descends(mut self) -> Self {
        self.head.descends = true;
        self
    }

    /// This step, from 1, of the order until the person chooses one.
    #[must_use]
    pub const fn ordered(mut self, step: u8) -> Self {
        self.head.ordered = Some(step);
        self
    }

    #[must_use]
    pub const fn priority(mut self, priority: u8) -> Self {
        self.head.priority = priority;
        self
    }

    #[must_use]
    pub const fn narrow(mut self, place: Narrow) -> Self {
        self.head.narrow = Some(place);
        self
    }

    /// The content of the cell; the first column of a table names the row.
    pub(super) fn draw(&self, row: &R, names: bool) -> AnyView {
        match self.shown {
            Shown::View(cell) => cell(row),
            Shown::Text(text) if names => name_cell(text(row)),
            Shown::Text(text) if self.head.mono => mono_cell(Some(text(row))),
            Shown::Text(text) => text_cell(Some(text(row))),
            Shown::Age(moment) => age_cell(moment(row)),
        }
    }

    pub(super) fn draw_mark(&self, row: &R) -> Option<AnyView> {
        self.mark.and_then(|mark| mark(row))
    }

    pub(super) fn sort_key<'a>(&self, row: &'a R) -> SortKey<'a> {
        match self.sorted {
            Sorted::Text(text) => text(row).into(),
            Sorted::Age(moment) => moment(row).map_or(SortKey::Nothing, SortKey::Age),
            Sorted::Key(key) => key(row),
        }
    }

    pub(super) fn words_of<'a>(&self, row: &'a R) -> Option<&'a str> {
        self.words.map(|words| words(row))
    }

    pub(super) fn facts(&self) -> impl Iterator<Item = (Key, ValuesOf<R>)> {
        self.facts.iter().flatten().copied()
    }
}
