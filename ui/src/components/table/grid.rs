//! The scrolled part of a table: header, rows in view, and the keys that work in them.

use super::{
    RowActions, TableState,
    head::Head,
    highlight,
    keys::{self, GridCommand, RowStep},
    row::{MenuAnchor, Row},
    selection::RowKey,
    state::FilteredRows,
};
use crate::{
    browser,
    components::{button::Button, empty::EmptyState, icon::lucide, menu::Menu},
    copy::table as copy,
};
use leptos::{ev::KeyboardEvent, html, prelude::*};
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{Element, HtmlElement};

/// Selects the row that the tab key leads to.
pub(super) const ACTIVE_ROW: &str = ".table .body [role=row][tabindex='0']";

/// The media query for a view in which rows have two lines.
const NARROW: &str = "(max-width: 39.99rem)";

#[component]
pub(super) fn Grid(
    table: TableState,
    actions: Option<RowActions>,
    on_open: Option<Callback<String>>,
) -> impl IntoView {
    let scroller = NodeRef::<html::Div>::new();
    let ruler = NodeRef::<html::Div>::new();
    measure(table, scroller, ruler);
    first_row_mark(table);
    highlight::keep_marks(table, scroller);
    let menu = RwSignal::new(None::<MenuAnchor>);
    let has_menu = actions.is_some();
    let view = table.view;
    view.has_menu.set(has_menu);
    let scroll_to = move |top: f64| {
        if let Some(scroller) = scroller.get_untracked() {
            #[expect(clippy::cast_possible_truncation, reason = "scroll positions are whole px")]
            scroller.set_scroll_top(top.round() as i32);
        }
    };
    let keydown = move |event: KeyboardEvent| on_key(table, &event, on_open, &scroll_to);
    let count = move || table.shown.with(FilteredRows::len);
    #[expect(clippy::cast_precision_loss, reason = "no table has 2^52 rows")]
    let height = move || format!("{}px", count() as f64 * view.row.get());
    let left = move |event: leptos::ev::FocusEvent| {
        let grid = scroller.get_untracked();
        let to = event
            .related_target()
            .and_then(|target| target.dyn_into::<web_sys::Node>().ok());
        let inside = grid.is_some_and(|grid| grid.contains(to.as_ref()));
        view.focused.set(inside);
    };
    view! {
        <div class="row-ruler" aria-hidden="true" node_ref=ruler></div>
        <div role="grid" class="grid" class:narrow=move || view.narrow.get() node_ref=scroller
            aria-label=table.spec.label
            aria-rowcount=move || count() + 1
            aria-colcount=move || table.fitted.with(|fitted| fitted.columns.len())
            aria-multiselectable=table.spec.selectable.then_some("true")
            style:--columns=move || table.fitted.with(|fitted| fitted.tracks.clone())
            on:scroll=move |_| view.scrolled.set(scroller.get_untracked().map_or(0.0, |grid| f64::from(grid.scroll_top())))
            on:pointerenter=move |_| view.pointed_at.set(true)
            on:pointerleave=move |_| view.pointed_at.set(false)
            on:focusin=move |_| view.focused.set(true)
            on:focusout=left
            on:keydown=keydown
        >
            <Head table has_menu/>
            <div role="rowgroup" class="body" style:height=height>
                <For each=move || table.window.get() key=|placed| placed.key.clone() let:placed>
                    <Row table key=placed.key has_menu menu on_open/>
                </For>
            </div>
            <NoMatch table/>
        </div>
        {move || menu.get().zip(actions.clone()).map(|(at, actions)| {
            let close = move |keyboard: bool| {
                menu.set(None);
                if keyboard {
                    // Before the action runs, so that a dialog that it opens returns the focus to this row.
                    browser::focus(ACTIVE_ROW);
                }
            };
            view! { <Menu name=copy::actions_for(&at.name) anchor=at.anchor actions=Signal::derive(move || actions(&at.key)) on_close=close/> }
        })}
    }
}

/// Shown below the header if rows exist and none passes the filter.
#[component]
fn NoMatch(table: TableState) -> impl IntoView {
    let none = Memo::new(move |_| table.shown.with(FilteredRows::len) == 0 && table.total() > 0);
    let text = Signal::derive(move || copy::no_match(table.spec.one, &table.filter(), table.total()));
    move || {
        none.get().then(|| {
            view! {
                <div class="no-match">
                    <EmptyState glyph=lucide::SEARCH title=copy::NO_MATCHES text>
                        <Button label=copy::CLEAR_FILTERS on_press=move || table.clear_filter()/>
                    </EmptyState>
                </div>
            }
        })
    }
}

/// Follows the sizes of the grid and of a row, which change with zoom, density and text size.
fn measure(table: TableState, scroller: NodeRef<html::Div>, ruler: NodeRef<html::Div>) {
    let view = table.view;
    let read = move || {
        let (Some(grid), Some(ruler)) = (scroller.get_untracked(), ruler.get_untracked()) else {
            return;
        };
        view.narrow.set(browser::matches_media(NARROW));
        let room = f64::from(grid.client_width()) / browser::rem();
        if view.room.get_untracked() != room {
            view.room.set(room);
        }
        let row = ruler.get_bounding_client_rect().height();
        if view.row.get_untracked() != row {
            view.row.set(row);
        }
        let head = grid
            .query_selector(".head")
            .ok()
            .flatten()
            .map_or(0.0, |head| head.get_bounding_client_rect().height());
        let height = f64::from(grid.client_height()) - head;
        if view.height.get_untracked() != height {
            view.height.set(height);
        }
    };
    let observer = StoredValue::new_local(None::<web_sys::ResizeObserver>);
    Effect::new(move |_| {
        let (Some(grid), Some(ruler)) = (scroller.get(), ruler.get()) else {
            return;
        };
        read();
        let resized = Closure::<dyn Fn()>::new(read);
        let Ok(observing) = web_sys::ResizeObserver::new(resized.as_ref().unchecked_ref()) else {
            return;
        };
        observing.observe(&grid);
        observing.observe(&ruler);
        // The closure is leaked, one per mounted grid. The observer is disconnected with the grid, so that the closure
        // is not called afterwards.
        resized.forget();
        observer.set_value(Some(observing));
    });
    on_cleanup(move || {
        if let Some(observing) = observer.try_update_value(Option::take).flatten() {
            observing.disconnect();
        }
    });
}

/// Marks on the browser's timeline, once, the frame in which the first rows are painted.
fn first_row_mark(table: TableState) {
    Effect::new(move |done: Option<bool>| {
        let done = done.unwrap_or(false);
        if !done && table.window.with(|window| !window.is_empty()) {
            request_animation_frame(|| browser::mark("flotilla:first-row"));
            return true;
        }
        done
    });
}

/// The keys of all rows that pass the filter, in order.
pub(super) fn shown_keys(table: TableState) -> Vec<RowKey> {
    table.shown.with_untracked(|shown| {
        (0..shown.len())
            .filter_map(|position| Some(RowKey::from(shown.at(position)?.key())))
            .collect()
    })
}

fn on_key(
    table: TableState,
    event: &KeyboardEvent,
    on_open: Option<Callback<String>>,
    scroll_to: &dyn Fn(f64),
) {
    let Some(target) = event
        .target()
        .and_then(|target| target.dyn_into::<Element>().ok())
    else {
        return;
    };
    let Some(row) = target.closest("[data-key]").ok().flatten() else {
        return;
    };
    let in_control = row != target;
    let command = event.ctrl_key() || event.meta_key();
    if event.alt_key() || command && event.key() != "a" {
        return;
    }
    let Some(grid_command) = keys::command_for(&event.key(), event.shift_key(), command, in_control) else {
        return;
    };
    let key = RowKey::from(row.get_attribute("data-key").unwrap_or_default());
    let selectable = table.spec.selectable;
    event.prevent_default();
    event.stop_propagation();
    match grid_command {
        GridCommand::Move { to, extend } => move_by(table, &key, to, extend && selectable, scroll_to),
        GridCommand::Control { forward } => step_control(&row, &target, forward),
        GridCommand::Open => {
            if let Some(on_open) = on_open {
                on_open.run((*key).to_owned());
            }
        }
        GridCommand::Toggle if selectable => table.selection.update(|selection| selection.toggle(&key)),
        GridCommand::SelectAll if selectable => {
            let keys = shown_keys(table);
            table.selection.update(|selection| selection.select_all(keys));
        }
        GridCommand::Toggle | GridCommand::SelectAll => {}
        GridCommand::Menu => {
            if let Some(button) = first_html(&row, ".cell.menu button") {
                button.click();
            }
        }
        GridCommand::Filter => browser::focus(".table .filter input"),
        GridCommand::Back if in_control => {
            if let Ok(row) = row.dyn_into::<HtmlElement>() {
                row.focus().ok();
            }
        }
        GridCommand::Back => table.selection.update(super::selection::Selection::clear),
    }
}

fn move_by(table: TableState, key: &RowKey, to: RowStep, extend: bool, scroll_to: &dyn Fn(f64)) {
    let view = table.view;
    let target = table.shown.with_untracked(|shown| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a small positive number"
        )]
        let in_view = (view.height.get_untracked() / view.row.get_untracked().max(1.0)) as usize;
        keys::target(shown.position(key), to, shown.len(), in_view.saturating_sub(1))
    });
    let Some(target) = target else { return };
    if extend {
        let shown = shown_keys(table);
        table.selection.update(|selection| {
            selection.begin(key);
            selection.extend(&shown[target], &shown);
        });
    }
    if let Some(top) = table.go_to(target) {
        scroll_to(top);
    }
}

/// Moves the focus among the controls of a row. The row itself comes before the first.
fn step_control(row: &Element, from: &Element, forward: bool) {
    let Ok(found) = row.query_selector_all("a, button, input") else {
        return;
    };
    let controls: Vec<HtmlElement> = (0..found.length())
        .filter_map(|index| found.item(index)?.dyn_into::<HtmlElement>().ok())
        .collect();
    let at = controls
        .iter()
        .position(|control| control.is_same_node(Some(from)));
    let next = match (at, forward) {
        (None, true) => controls.first(),
        (None, false) => None,
        (Some(at), true) => controls.get(at + 1),
        (Some(at), false) => at.checked_sub(1).and_then(|before| controls.get(before)),
    };
    match next {
        Some(control) => control.focus().ok(),
        None if !forward => row.dyn_ref::<HtmlElement>().and_then(|row| row.focus().ok()),
        None => None,
    };
}

fn first_html(root: &Element, selector: &str) -> Option<HtmlElement> {
    root.query_selector(selector).ok()??.dyn_into().ok()
}
