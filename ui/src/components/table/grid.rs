//! The scrolled part of a table: header, rows in view, and the keys that work in them.

use super::{
    Beside, RowActions, TableState,
    head::Head,
    highlight,
    keys::{self, GridCommand, Pressed, RowStep},
    layout::RowEnds,
    row::{MenuAnchor, Row},
    selection::RowKey,
    state::{ACTIVE_ROW, FILTER_FIELD, FilteredRows},
};
use crate::{
    browser,
    components::{button::Button, empty::EmptyState, icon::lucide, menu::Menu, outside_press::is_inside},
    copy::table as copy,
    prefs::use_prefs,
};
use leptos::{
    ev::{FocusEvent, KeyboardEvent},
    html,
    prelude::*,
};
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{Element, HtmlElement};

/// The media query for a view in which rows have two lines.
const NARROW: &str = "(max-width: 39.99rem)";

#[component]
pub(super) fn Grid(
    table: TableState,
    actions: Option<RowActions>,
    on_open: Option<Callback<String>>,
    beside: Option<Beside>,
    select: bool,
) -> impl IntoView {
    let scroller = NodeRef::<html::Div>::new();
    let ruler = NodeRef::<html::Div>::new();
    measure(table, scroller, ruler);
    first_row_mark(table);
    highlight::keep_marks(table, scroller);
    let menu = RwSignal::new(None::<MenuAnchor>);
    let ends = RowEnds {
        select,
        menu: actions.is_some(),
    };
    let view = table.view;
    view.ends.set(ends);
    let keys = GridKeys {
        table,
        select,
        on_open,
        beside,
        single_keys: use_prefs().single_keys,
    };
    let keydown = move |event: KeyboardEvent| keys.press(&event, &|top| scroll_to(scroller, top));
    let count = move || table.shown.with(FilteredRows::len);
    #[expect(clippy::cast_precision_loss, reason = "no table has 2^52 rows")]
    let height = move || format!("{}px", count() as f64 * view.row.get());
    // A grid that was removed can still be told of a scroll or of the loss of the focus, when its signals are gone.
    let scrolled = move |_| {
        if let Some(grid) = scroller.try_get_untracked().flatten() {
            view.scrolled.set(f64::from(grid.scroll_top()));
        }
    };
    let left = move |event: FocusEvent| _ = view.focused.try_set(is_inside(scroller, event.related_target()));
    view! {
        <div class="row-ruler" aria-hidden="true" node_ref=ruler></div>
        <div role="grid" class="grid" class:narrow=move || view.narrow.get() node_ref=scroller
            aria-label=table.spec.about.label
            aria-rowcount=move || count() + 1
            aria-colcount=move || table.fitted.with(|fitted| fitted.columns.len())
            aria-multiselectable=select.then_some("true")
            style:--columns=move || table.fitted.with(|fitted| fitted.tracks.clone())
            on:scroll=scrolled
            on:pointerenter=move |_| view.pointed_at.set(true)
            on:pointerleave=move |_| view.pointed_at.set(false)
            on:focusin=move |_| view.focused.set(true)
            on:focusout=left
            on:keydown=keydown
        >
            <Head table ends/>
            <div role="rowgroup" class="body" style:height=height>
                <For each=move || table.slots.get() key=|slot| slot.number let:filled>
                    <Row table number=filled.number ends menu on_open/>
                </For>
            </div>
            <NoMatch table/>
        </div>
        {actions.map(|actions| view! { <RowMenu table actions menu/> })}
    }
}

fn scroll_to(scroller: NodeRef<html::Div>, top: f64) {
    if let Some(scroller) = scroller.get_untracked() {
        #[expect(clippy::cast_possible_truncation, reason = "scroll positions are whole px")]
        scroller.set_scroll_top(top.round() as i32);
    }
}

/// The open menu of a row, if any. It is mounted apart from the row, which is drawn again when data changes.
#[component]
fn RowMenu(table: TableState, actions: RowActions, menu: RwSignal<Option<MenuAnchor>>) -> impl IntoView {
    let close = move |keyboard: bool| {
        menu.set(None);
        if keyboard {
            // Before the action runs, so that a dialog that it opens returns the focus to this row.
            table.focus(ACTIVE_ROW);
        }
    };
    move || {
        menu.get().map(|at| {
            let name = copy::actions_for(&at.name);
            let actions = actions.clone();
            let listed = Signal::derive(move || actions(&at.key));
            view! { <Menu name anchor=at.anchor actions=listed on_close=close/> }
        })
    }
}

/// Shown below the header if rows exist and none passes the filter. It is a row, since a grid has nothing else.
#[component]
fn NoMatch(table: TableState) -> impl IntoView {
    let none = Memo::new(move |_| table.shown.with(FilteredRows::len) == 0 && table.total() > 0);
    // The button goes with the filter, so the focus goes to the field first.
    let clear = move || {
        table.focus(FILTER_FIELD);
        table.clear_filter();
    };
    let text = Signal::derive(move || copy::no_match(table.spec.about.one, &table.filter(), table.total()));
    move || {
        none.get().then(|| {
            view! {
                <div role="row" class="no-match">
                    <div role="gridcell">
                        <EmptyState glyph=lucide::SEARCH title=copy::NO_MATCHES text>
                            <Button label=copy::CLEAR_FILTERS on_press=clear/>
                        </EmptyState>
                    </div>
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
    let observed = StoredValue::new_local(None::<(web_sys::ResizeObserver, Closure<dyn Fn()>)>);
    Effect::new(move |_| {
        let (Some(grid), Some(ruler)) = (scroller.get(), ruler.get()) else {
            return;
        };
        read();
        let resized = Closure::<dyn Fn()>::new(read);
        let Ok(observer) = web_sys::ResizeObserver::new(resized.as_ref().unchecked_ref()) else {
            return;
        };
        observer.observe(&grid);
        observer.observe(&ruler);
        observed.set_value(Some((observer, resized)));
    });
    on_cleanup(move || {
        if let Some((observer, _)) = observed.try_update_value(Option::take).flatten() {
            observer.disconnect();
        }
    });
}

/// Marks on the browser's timeline, once, the frame in which the first rows are painted.
fn first_row_mark(table: TableState) {
    Effect::new(move |done: Option<bool>| {
        let done = done.unwrap_or(false);
        if !done && table.window.with(|window| !window.is_empty()) {
            browser::next_frame(|| browser::mark("flotilla:first-row"));
            return true;
        }
        done
    });
}

/// What keys do in the grid.
#[derive(Clone, Copy)]
struct GridKeys {
    table: TableState,
    select: bool,
    on_open: Option<Callback<String>>,
    beside: Option<Beside>,
    single_keys: RwSignal<bool>,
}

impl GridKeys {
    fn press(self, event: &KeyboardEvent, scroll_to: &dyn Fn(f64)) {
        let target = event
            .target()
            .and_then(|target| target.dyn_into::<Element>().ok());
        let row = target
            .as_ref()
            .and_then(|target| target.closest("[data-key]").ok().flatten());
        let (Some(target), Some(row)) = (target, row) else {
            return;
        };
        let pressed = Pressed {
            key: &event.key(),
            shift: event.shift_key(),
            command: event.ctrl_key() || event.meta_key(),
            alt: event.alt_key(),
            in_control: row != target,
            single_keys: self.single_keys.get_untracked(),
        };
        if let Some(command) = keys::command_for(pressed) {
            event.prevent_default();
            event.stop_propagation();
            self.run(command, &row, &target, scroll_to);
        }
    }

    fn run(self, command: GridCommand, row: &Element, target: &Element, scroll_to: &dyn Fn(f64)) {
        let Self { table, select, .. } = self;
        let key = RowKey::from(row.get_attribute("data-key").unwrap_or_default());
        match command {
            GridCommand::Move { to, extend } => self.move_by(&key, to, extend && select, scroll_to),
            GridCommand::Control { forward } => step_control(row, target, forward),
            GridCommand::Open => {
                if let Some(on_open) = self.on_open {
                    on_open.run((*key).to_owned());
                }
            }
            GridCommand::Peek => {
                if let Some(beside) = self.beside {
                    beside.show.run((*key).to_owned());
                }
            }
            GridCommand::Toggle if select => table.selection.update(|selection| selection.toggle(&key)),
            GridCommand::SelectAll if select => {
                let keys = table.shown_keys();
                table.selection.update(|selection| selection.select_all(keys));
            }
            GridCommand::Toggle | GridCommand::SelectAll => {}
            GridCommand::Menu => {
                if let Some(button) = first_html(row, ".cell.menu button") {
                    button.click();
                }
            }
            GridCommand::Filter => table.focus(FILTER_FIELD),
            GridCommand::Back if row != target => {
                if let Some(row) = row.dyn_ref::<HtmlElement>() {
                    row.focus().ok();
                }
            }
            GridCommand::Back => table.selection.update(super::selection::Selection::clear),
        }
    }

    fn move_by(self, key: &RowKey, to: RowStep, extend: bool, scroll_to: &dyn Fn(f64)) {
        let table = self.table;
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
            let shown = table.shown_keys();
            table.selection.update(|selection| {
                selection.begin(key);
                selection.extend(&shown[target], &shown);
            });
        }
        if let Some(top) = table.go_to(target) {
            scroll_to(top);
        }
        if let Some(beside) = self.beside.filter(|beside| beside.is_open.get_untracked())
            && let Some(key) = table.active.get_untracked()
        {
            beside.show.run((*key).to_owned());
        }
    }
}

/// Moves the focus among the controls of a row. The row itself comes before the first.
fn step_control(row: &Element, from: &Element, forward: bool) {
    let controls = browser::all(row, "a, button, input");
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
