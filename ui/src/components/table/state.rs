//! The state of a table: its filter, order, selection, scroll position and the row with the focus.
//!
//! Rows are ordered, then filtered, then cut to the window in view. Each step is a memo, which runs only when its input
//! changes.

mod address;
mod choose;

use super::{
    layout::{FittedColumns, Layout},
    order::{self, Order},
    selection::{RowKey, Selection},
    spec::{Rows, SortBy, TableRow, TableSpec},
    window,
};
use crate::{browser, clock::use_clock, query::Query, wire};
use flotilla_protocol::Timestamp;
use leptos::prelude::*;
use std::sync::Arc;

/// An order by a column whose values change all the time is updated at most once in this many seconds.
const LIVE_ORDER: i64 = 5;

/// The state of one table. A handle: copies share the same signals.
#[derive(Debug, Clone, Copy)]
pub struct TableState {
    pub(super) spec: &'static TableSpec,
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
    pub(super) selection: RwSignal<Selection>,
    pub(super) layout: RwSignal<Layout>,
    /// The columns that fit in the view.
    pub(super) fitted: Memo<FittedColumns>,
    pub(super) view: View,
    /// The row that has the focus or had it last.
    pub(super) active: RwSignal<Option<RowKey>>,
    /// The active row takes the focus once it is in the page.
    pub(super) wants_focus: RwSignal<bool>,
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
    /// Whether rows have a menu.
    pub has_menu: RwSignal<bool>,
    pub narrow: RwSignal<bool>,
    pub pointed_at: RwSignal<bool>,
    pub focused: RwSignal<bool>,
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
    pub(super) fn len(&self) -> usize {
        self.indices.len()
    }

    pub(super) fn at(&self, position: usize) -> Option<&Arc<dyn TableRow>> {
        self.rows.0.get(*self.indices.get(position)? as usize)
    }

    pub(super) fn position(&self, key: &str) -> Option<usize> {
        self.indices
            .iter()
            .position(|index| order::row(&self.rows, *index).key() == key)
    }
}

/// A row with its position among the filtered rows.
#[derive(Clone)]
pub(super) struct PlacedRow {
    pub key: RowKey,
    pub position: usize,
    pub row: Arc<dyn TableRow>,
}

impl PartialEq for PlacedRow {
    fn eq(&self, other: &Self) -> bool {
        self.position == other.position && Arc::ptr_eq(&self.row, &other.row)
    }
}

impl std::fmt::Debug for PlacedRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} at {}", self.key, self.position)
    }
}

impl TableState {
    /// The state of a table with these rows, and with the filter and the order of the page's address.
    #[must_use]
    pub fn new(spec: &'static TableSpec, rows: Signal<Rows>, outdated: Signal<Option<Timestamp>>) -> Self {
        let text = RwSignal::new(String::new());
        let sort = RwSignal::new(Vec::new());
        let selection = RwSignal::new(Selection::default());
        let active = RwSignal::new(None);
        let view = View {
            scrolled: RwSignal::new(0.0),
            height: RwSignal::new(0.0),
            row: RwSignal::new(0.0),
            room: RwSignal::new(0.0),
            has_menu: RwSignal::new(false),
            narrow: RwSignal::new(false),
            pointed_at: RwSignal::new(false),
            focused: RwSignal::new(false),
        };
        let chosen = RwSignal::new(Query::default());
        let query = Memo::new(move |_| text.with(|text| Query::parse(text)).and(chosen.get()));
        let busy = Memo::new(move |_| {
            view.pointed_at.get()
                || view.focused.get()
                || selection.with(|selection| !selection.keys.is_empty())
        });
        let order = ordered(spec, rows, sort, busy);
        let shown = Memo::new(move |_| order.with(|order| query.with(|query| filtered(order, query))));
        let window = windowed(shown, view, active);
        let words = Memo::new(move |_| query.with(|query| query.words().map(str::to_owned).collect()));
        let tab_stop = tab_stop(window, active);
        let layout = RwSignal::new(kept_layout(spec));
        let fitted = Memo::new(move |_| {
            let (room, has_menu) = (view.room.get(), view.has_menu.get());
            layout.with(|layout| layout.fitted(spec, has_menu, room))
        });
        let wants_focus = RwSignal::new(false);
        let state = Self {
            spec,
            text,
            chosen,
            query,
            words,
            tab_stop,
            sort,
            order,
            shown,
            window,
            selection,
            layout,
            fitted,
            view,
            active,
            wants_focus,
            outdated,
        };
        state.follow_address();
        state.keep_layout();
        state.forget_gone();
        state
    }

    /// The order in use: the person's or else the table's own.
    pub(super) fn sort_in_use(self) -> Vec<SortBy> {
        self.sort.with(|sort| {
            if sort.is_empty() {
                self.spec.sort.to_vec()
            } else {
                sort.clone()
            }
        })
    }

    /// The keys of the selected rows.
    #[must_use]
    pub fn selected(self) -> Vec<String> {
        self.selection
            .with(|selection| selection.keys.iter().map(|key| (**key).to_owned()).collect())
    }

    /// Selects these rows and no others. After an action on several rows these are the ones for which it failed.
    pub fn select_only(self, keys: impl IntoIterator<Item = String>) {
        self.selection.update(|selection| {
            selection.clear();
            selection.select_all(keys.into_iter().map(RowKey::from));
        });
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

    fn keep_layout(self) {
        Effect::new(move |first: Option<()>| {
            let layout = self.layout.get();
            if first.is_some() {
                let text = serde_json::to_string(&layout).unwrap_or_default();
                browser::remember(&layout_key(self.spec), &text);
            }
        });
    }

    /// Removes deleted rows from the selection, so that no action is applied to a row that the person cannot see.
    fn forget_gone(self) {
        Effect::new(move |_| {
            let gone: Vec<RowKey> = self.order.with(|order| {
                let known = |key: &RowKey| order.rows.0.iter().any(|row| row.key() == &**key);
                self.selection.with_untracked(|selection| {
                    selection.keys.iter().filter(|key| !known(key)).cloned().collect()
                })
            });
            if !gone.is_empty() {
                self.selection
                    .update(|selection| selection.keys.retain(|key| !gone.contains(key)));
            }
        });
    }
}

fn tab_stop(window: Memo<Vec<PlacedRow>>, active: RwSignal<Option<RowKey>>) -> Memo<Option<RowKey>> {
    Memo::new(move |_| {
        window.with(|window| {
            let present = |active: &RowKey| window.iter().any(|placed| placed.key == *active);
            active
                .get()
                .filter(present)
                .or_else(|| window.first().map(|first| first.key.clone()))
        })
    })
}

fn layout_key(spec: &TableSpec) -> String {
    format!("columns.{}", spec.id)
}

fn kept_layout(spec: &TableSpec) -> Layout {
    let kept = browser::remembered(&layout_key(spec));
    kept.and_then(|text| wire::read(&text).ok()).unwrap_or_default()
}

fn ordered(
    spec: &'static TableSpec,
    rows: Signal<Rows>,
    sort: RwSignal<Vec<SortBy>>,
    busy: Memo<bool>,
) -> Memo<Order> {
    let clock = use_clock();
    Memo::new(move |previous: Option<&Order>| {
        let rows = rows.get();
        let sort = sort.with(|sort| {
            if sort.is_empty() {
                spec.sort.to_vec()
            } else {
                sort.clone()
            }
        });
        let now = clock.second.get_untracked().as_second();
        let previous = previous.filter(|previous| !previous.indices.is_empty() && previous.sort == sort);
        let Some(previous) = previous else {
            let indices = order::sorted(&rows, order::numbers(&rows).collect(), &sort);
            return Order {
                rows,
                indices: Arc::new(indices),
                sort,
                sorted_at: now,
                held: false,
            };
        };
        let live = sort
            .first()
            .and_then(|by| spec.lookup(by.column))
            .is_some_and(|column| column.live);
        let too_soon = live && now - previous.sorted_at < LIVE_ORDER;
        if too_soon {
            // Runs again each second until the time has passed.
            clock.second.track();
        }
        if previous.rows == rows && !previous.held {
            return previous.clone();
        }
        let indices = order::previous_order(previous, &rows);
        if busy.get() || too_soon {
            return Order {
                rows,
                indices: Arc::new(indices),
                sort,
                sorted_at: previous.sorted_at,
                held: true,
            };
        }
        let indices = order::sorted(&rows, indices, &sort);
        Order {
            rows,
            indices: Arc::new(indices),
            sort,
            sorted_at: now,
            held: false,
        }
    })
}

fn filtered(order: &Order, query: &Query) -> FilteredRows {
    let indices = if query.is_empty() {
        order.indices.clone()
    } else {
        let passes = |index: &&u32| query.matches(order::row(&order.rows, **index).subject());
        Arc::new(order.indices.iter().filter(passes).copied().collect())
    };
    FilteredRows {
        rows: order.rows.clone(),
        indices,
    }
}

fn windowed(shown: Memo<FilteredRows>, view: View, active: RwSignal<Option<RowKey>>) -> Memo<Vec<PlacedRow>> {
    let range = Memo::new(move |_| {
        let total = shown.with(FilteredRows::len);
        window::window(view.scrolled.get(), view.height.get(), view.row.get(), total)
    });
    Memo::new(move |_| {
        shown.with(|shown| {
            let range = range.get();
            let placed = |position: usize| {
                let row = shown.at(position)?.clone();
                Some(PlacedRow {
                    key: RowKey::from(row.key()),
                    position,
                    row,
                })
            };
            let mut window: Vec<_> = range.clone().filter_map(placed).collect();
            // The row with the focus stays in the page even if it is scrolled out of view: without its element the
            // focus would be lost.
            if view.focused.get()
                && let Some(key) = active.get()
            {
                let away = shown.position(&key).filter(|position| !range.contains(position));
                if let Some(row) = away.and_then(placed) {
                    // At its place in the order of positions: an element that is moved loses the focus.
                    let place = if row.position < range.start {
                        0
                    } else {
                        window.len()
                    };
                    window.insert(place, row);
                }
            }
            window
        })
    })
}
