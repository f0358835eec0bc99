//! The state of a table: its filter, order, selection, scroll position and the row with the focus.
//!
//! Rows are ordered, then filtered, then cut to the window in view. Each step is a memo, which runs only when its input
//! changes.

mod address;
mod choose;
mod derived;
mod kept;
mod picked;

use super::{
    declared::{About, Spec},
    layout::{FittedColumns, Layout, RowEnds},
    order::{self, Order, SortBy},
    rows::{AnyRow, Rows, Same, TableRow, TableRows},
    selection::{RowKey, Selection},
    slots::Slot,
    window,
};
use crate::query::Query;
use flotilla_protocol::Timestamp;
use leptos::{html, prelude::*};
use std::sync::Arc;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

/// The filter field in the table.
pub(super) const FILTER_FIELD: &str = ".filter input";

/// The row that the tab key leads to, in the table.
pub(super) const ACTIVE_ROW: &str = ".body [role=row][tabindex='0']";

/// The state of one table. A handle: copies share the same signals.
#[derive(Debug, Clone, Copy)]
pub struct TableState {
    pub(super) spec: Spec,
    /// The typed filter.
    pub(super) text: RwSignal<String>,
    /// The filter that is chosen from lists of values.
    pub(super) chosen: RwSignal<Query>,
    /// The typed and the chosen filter together.
    pub query: Memo<Query>,
    /// The free words of the filter, which are marked where they occur.
    pub(super) words: Memo<Vec<String>>,
    /// The row that the tab key leads to: the active one or, if that is not in the window, the first in the window.
    pub(super) tab_stop: Memo<Option<RowKey>>,
    pub(super) sort: RwSignal<Vec<SortBy>>,
    pub(super) order: Memo<Order>,
    pub(super) shown: Memo<FilteredRows>,
    pub(super) window: Memo<Vec<PlacedRow>>,
    /// The rows of the window in the elements that show them.
    pub(super) slots: Memo<Vec<Slot<PlacedRow>>>,
    pub(super) selection: RwSignal<Selection>,
    /// The selected rows that pass the filter, in the shown order. Actions on several rows are about these.
    pub(super) picked: Memo<Arc<Vec<RowKey>>>,
    pub(super) layout: RwSignal<Layout>,
    /// The columns that fit in the view.
    pub(super) fitted: Memo<FittedColumns>,
    pub(super) view: View,
    /// The row that has the focus or had it last.
    pub(super) active: RwSignal<Option<RowKey>>,
    /// The active row takes the focus once it is in the page.
    pub(super) wants_focus: RwSignal<bool>,
    /// The element of the table, in which the focus moves.
    pub(super) root: NodeRef<html::Div>,
    /// The moment since which no changes arrive, if the controller is out of reach. Every row shows it.
    pub(super) outdated: Signal<Option<Timestamp>>,
}

/// The scrolled part of the grid, in px.
#[derive(Debug, Clone, Copy)]
pub(super) struct View {
    pub scrolled: RwSignal<f64>,
    pub height: RwSignal<f64>,
    pub row: RwSignal<f64>,
    /// The width of a row in rem; 0 until it is measured.
    pub room: RwSignal<f64>,
    pub ends: RwSignal<RowEnds>,
    pub narrow: RwSignal<bool>,
    pub pointed_at: RwSignal<bool>,
    pub focused: RwSignal<bool>,
}

impl View {
    fn new() -> Self {
        Self {
            scrolled: RwSignal::new(0.0),
            height: RwSignal::new(0.0),
            row: RwSignal::new(0.0),
            room: RwSignal::new(0.0),
            ends: RwSignal::default(),
            narrow: RwSignal::new(false),
            pointed_at: RwSignal::new(false),
            focused: RwSignal::new(false),
        }
    }
}

/// The rows that pass the filter, in order, as indices of `rows`.
#[derive(Debug, Clone)]
pub(super) struct FilteredRows {
    pub rows: Rows,
    pub indices: Arc<Vec<u32>>,
}

impl PartialEq for FilteredRows {
    fn eq(&self, other: &Self) -> bool {
        self.rows == other.rows && Arc::ptr_eq(&self.indices, &other.indices)
    }
}

impl FilteredRows {
    fn keys(&self) -> impl Iterator<Item = &str> {
        self.indices
            .iter()
            .map(|index| order::row(&self.rows, *index).key())
    }

    fn picked(&self, selection: &Selection) -> Arc<Vec<RowKey>> {
        if selection.keys.is_empty() {
            return Arc::default();
        }
        let selected = |key| selection.keys.get(key).cloned();
        Arc::new(self.keys().filter_map(selected).collect())
    }

    pub(super) fn len(&self) -> usize {
        self.indices.len()
    }

    pub(super) fn at(&self, position: usize) -> Option<&Arc<dyn AnyRow>> {
        self.rows.0.get(*self.indices.get(position)? as usize)
    }

    pub(super) fn position(&self, key: &str) -> Option<usize> {
        self.keys().position(|known| known == key)
    }
}

/// A row with its position among the filtered rows.
#[derive(Clone, PartialEq)]
pub(super) struct PlacedRow {
    pub key: RowKey,
    pub position: usize,
    pub row: Same<dyn AnyRow>,
}

impl std::fmt::Debug for PlacedRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} at {}", self.key, self.position)
    }
}

impl TableState {
    /// The state of a table with these rows, and with the filter and the order of the page's address.
    #[must_use]
    pub fn new<R: TableRow>(rows: TableRows<R>, outdated: Signal<Option<Timestamp>>) -> Self {
        Self::of(Spec::of::<R>(), rows.rows, outdated)
    }

    fn of(spec: Spec, rows: Memo<Rows>, outdated: Signal<Option<Timestamp>>) -> Self {
        let text = RwSignal::new(String::new());
        let sort = RwSignal::new(Vec::new());
        let selection = RwSignal::new(Selection::default());
        let active = RwSignal::new(None);
        let view = View::new();
        let chosen = RwSignal::new(Query::default());
        let query = Memo::new(move |_| text.with(|text| Query::parse(text)).and(chosen.get()));
        let busy = Memo::new(move |_| {
            view.pointed_at.get()
                || view.focused.get()
                || selection.with(|selection| !selection.keys.is_empty())
        });
        let order = derived::ordered(spec, rows, sort, busy);
        let shown =
            Memo::new(move |_| order.with(|order| query.with(|query| derived::filtered(order, query))));
        let picked =
            Memo::new(move |_| selection.with(|selection| shown.with(|shown| shown.picked(selection))));
        let orphaned = StoredValue::new(false);
        let window = derived::windowed(shown, view, active, orphaned);
        let words = Memo::new(move |_| query.with(|query| query.words().map(str::to_owned).collect()));
        let layout = RwSignal::new(kept::layout(spec));
        let fitted = Memo::new(move |_| {
            let (room, ends) = (view.room.get(), view.ends.get());
            layout.with(|layout| layout.fitted(&spec.heads(), ends, room))
        });
        let state = Self {
            spec,
            text,
            chosen,
            query,
            words,
            tab_stop: derived::tab_stop(window, active),
            sort,
            order,
            shown,
            window,
            slots: derived::slots(window),
            selection,
            picked,
            layout,
            fitted,
            view,
            active,
            wants_focus: RwSignal::new(false),
            root: NodeRef::new(),
            outdated,
        };
        state.follow_address();
        state.keep_layout();
        state.forget_gone(rows);
        state.pass_focus_on(orphaned);
        state
    }

    /// The order in use: the person's or else the table's own.
    pub(super) fn sort_in_use(self) -> Vec<SortBy> {
        derived::sort_in_use(self.spec, self.sort)
    }

    /// The words of the table.
    #[must_use]
    pub fn about(self) -> &'static About {
        self.spec.about
    }

    /// The number of rows before filtering.
    #[must_use]
    pub fn total(self) -> usize {
        self.order.with(|order| order.rows.0.len())
    }

    /// Lets a row take the focus. Answers the scroll position at which it is in view, if the grid has to scroll.
    pub(super) fn go_to(self, position: usize) -> Option<f64> {
        let key = self
            .shown
            .with_untracked(|shown| Some(RowKey::from(shown.at(position)?.key())))?;
        self.active.set(Some(key));
        self.wants_focus.set(true);
        let view = self.view;
        window::reveal(
            position,
            view.scrolled.get_untracked(),
            view.height.get_untracked(),
            view.row.get_untracked(),
        )
    }

    /// Moves the focus to the first element of the table that a selector finds.
    pub(super) fn focus(self, selector: &str) {
        let found = self
            .root
            .get_untracked()
            .and_then(|root| root.query_selector(selector).ok().flatten());
        if let Some(element) = found.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
            element.focus().ok();
        }
    }

    /// Hands on the place of the active row if that row is gone: to the row that stands there, which takes the focus if
    /// the row had it.
    fn pass_focus_on(self, orphaned: StoredValue<bool>) {
        Effect::new(move |place: Option<usize>| {
            let before = place.unwrap_or_default();
            let Some(active) = self.active.get() else {
                return before;
            };
            // Computed before the flag is read that it sets.
            self.window.with_untracked(|_| ());
            let had_focus = orphaned.get_value();
            orphaned.set_value(false);
            let (place, total) = self.shown.with(|shown| (shown.position(&active), shown.len()));
            if let Some(place) = place {
                return place;
            }
            let place = before.min(total.saturating_sub(1));
            let heir = |shown: &FilteredRows| shown.at(place).map(|row| RowKey::from(row.key()));
            let heir = self.shown.with_untracked(heir);
            if had_focus && heir.is_none() {
                self.focus(FILTER_FIELD);
            }
            self.wants_focus.set(had_focus && heir.is_some());
            self.active.set(heir);
            place
        });
    }
}
