//! The steps from all rows to those in the page.

use super::{FilteredRows, PlacedRow, View};
use crate::{
    clock::use_clock,
    components::table::{
        declared::Spec,
        order::{self, Order, SortBy},
        rows::{Rows, Same},
        selection::RowKey,
        slots::{self, Slot},
        window,
    },
    query::Query,
};
use leptos::prelude::*;
use std::sync::Arc;

/// An order by a column whose values change all the time is updated at most once in this many seconds.
const LIVE_ORDER: i64 = 5;

/// The row that the tab key leads to: the active one or, if that is not in the window, the first in the window.
pub(super) fn tab_stop(
    window: Memo<Vec<PlacedRow>>,
    active: RwSignal<Option<RowKey>>,
) -> Memo<Option<RowKey>> {
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

/// The order in use: the person's or else the table's own.
pub(super) fn sort_in_use(spec: Spec, sort: RwSignal<Vec<SortBy>>) -> Vec<SortBy> {
    sort.with(|sort| {
        if sort.is_empty() {
            spec.own_order()
        } else {
            sort.clone()
        }
    })
}

/// The rows in their order. While `busy`, rows keep their places.
pub(super) fn ordered(
    spec: Spec,
    rows: Memo<Rows>,
    sort: RwSignal<Vec<SortBy>>,
    busy: Memo<bool>,
) -> Memo<Order> {
    let clock = use_clock();
    Memo::new(move |previous: Option<&Order>| {
        let rows = rows.get();
        let sort = sort_in_use(spec, sort);
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
            .and_then(|by| spec.head(by.column))
            .is_some_and(|head| head.live);
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
                indices,
                sort,
                sorted_at: previous.sorted_at,
                held: true,
            };
        }
        let indices = order::sorted(&rows, indices.to_vec(), &sort);
        Order {
            rows,
            indices: Arc::new(indices),
            sort,
            sorted_at: now,
            held: false,
        }
    })
}

/// The rows that pass a filter.
pub(super) fn filtered(order: &Order, query: &Query) -> FilteredRows {
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

/// The rows that are in the page. Sets `orphaned` if the focus was in a row that is not shown any more.
pub(super) fn windowed(
    shown: Memo<FilteredRows>,
    view: View,
    active: RwSignal<Option<RowKey>>,
    orphaned: StoredValue<bool>,
) -> Memo<Vec<PlacedRow>> {
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
                    row: Same(row),
                })
            };
            let mut window: Vec<_> = range.clone().filter_map(placed).collect();
            // The row with the focus stays in the page even if it is scrolled out of view: without its element the
            // focus would be lost.
            let focused = active.get().filter(|_| view.focused.get());
            let Some(key) = focused else { return window };
            let position = shown.position(&key);
            if position.is_none() {
                orphaned.set_value(true);
            }
            if let Some(row) = position.filter(|at| !range.contains(at)).and_then(placed) {
                // At its place in the order of positions: an element that is moved loses the focus.
                let place = if row.position < range.start {
                    0
                } else {
                    window.len()
                };
                window.insert(place, row);
            }
            window
        })
    })
}

/// The rows of the window in the elements that show them.
pub(super) fn slots(window: Memo<Vec<PlacedRow>>) -> Memo<Vec<Slot<PlacedRow>>> {
    Memo::new(move |previous: Option<&Vec<Slot<PlacedRow>>>| {
        let previous = previous.map_or(&[][..], Vec::as_slice);
        slots::assign(previous, window.get(), |placed| &placed.key)
    })
}
