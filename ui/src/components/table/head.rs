//! The header, which changes the order and the widths of columns.

use super::{
    TableState,
    column::{ColumnAt, Head as ColumnHead},
    layout::RowEnds,
    order,
};
use crate::{
    browser::{self, rem},
    components::icon::{Icon, lucide},
    copy::table as copy,
};
use leptos::{
    ev::{KeyboardEvent, MouseEvent, PointerEvent},
    prelude::*,
};
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

/// Ctrl with an arrow key changes the width of a column by this many rem.
const STEP: f64 = 1.0;

#[component]
pub(super) fn Head(table: TableState, ends: RowEnds) -> impl IntoView {
    let columns = Memo::new(move |_| table.fitted.with(|fitted| fitted.columns.clone()));
    let header = move |at: ColumnAt| {
        let head = table.spec.head(at)?;
        Some(view! { <Header table at head/> })
    };
    view! {
        <div role="rowgroup" class="head">
            <div role="row" class="row" aria-rowindex="1" on:keydown=move |event| on_key(&event)>
                {ends.select.then(|| view! { <SelectAll table/> })}
                {move || columns.get().into_iter().filter_map(header).collect_view()}
                {ends.menu.then(|| view! { <div role="columnheader" class="cell"><span class="visually-hidden">"Actions"</span></div> })}
            </div>
        </div>
    }
}

#[component]
fn SelectAll(table: TableState) -> impl IntoView {
    let all = Memo::new(move |_| table.all_picked());
    let some = Memo::new(move |_| !all.get() && table.picked.with(|picked| !picked.is_empty()));
    view! {
        <div role="columnheader" class="cell pick">
            <input type="checkbox" tabindex="-1" aria-label=copy::SELECT_ALL
                prop:checked=move || all.get() prop:indeterminate=move || some.get() on:click=move |_| table.pick_all()/>
        </div>
    }
}

#[component]
fn Header(table: TableState, at: ColumnAt, head: &'static ColumnHead) -> impl IntoView {
    let sorted = Memo::new(move |_| {
        let in_use = table.sort_in_use();
        let place = in_use.iter().position(|by| by.column == at)?;
        Some((place, in_use[place].descending))
    });
    let press = move |event: MouseEvent| {
        let sort = order::toggled(&table.sort_in_use(), at, head.descends, event.shift_key());
        table.sort.set(sort);
    };
    let resize = move |event: KeyboardEvent| {
        let by = match event.key().as_str() {
            "ArrowLeft" => -STEP,
            "ArrowRight" => STEP,
            _ => return,
        };
        if event.ctrl_key() || event.meta_key() {
            event.prevent_default();
            event.stop_propagation();
            table.layout.update(|layout| layout.resize(head, by));
        }
    };
    let primary = move || {
        sorted
            .get()
            .filter(|(place, _)| *place == 0)
            .map(|(_, descending)| descending)
    };
    let aria = move || primary().map(|descending| if descending { "descending" } else { "ascending" });
    let glyph = move || {
        primary().map(|descending| {
            let glyph = if descending {
                lucide::ARROW_DOWN
            } else {
                lucide::ARROW_UP
            };
            view! { <Icon glyph/> }
        })
    };
    view! {
        <div role="columnheader" class="cell" class:figures=head.figures aria-sort=aria>
            <button type="button" class="sort" tabindex=if at == 0 { "0" } else { "-1" } on:click=press on:keydown=resize>
                <span>{head.title}</span>{glyph}
            </button>
            <Grip table head/>
        </div>
    }
}

/// The edge of a header, which is dragged to change the width of its column.
#[component]
fn Grip(table: TableState, head: &'static ColumnHead) -> impl IntoView {
    let from = StoredValue::new(None::<f64>);
    let grip = NodeRef::<leptos::html::Span>::new();
    let down = move |event: PointerEvent| {
        event.prevent_default();
        from.set_value(Some(f64::from(event.client_x())));
        if let Some(grip) = grip.get_untracked() {
            grip.set_pointer_capture(event.pointer_id()).ok();
        }
        // A column whose width followed the room keeps its present width as the one to start from.
        if let Some(cell) = grip.get_untracked().and_then(|grip| grip.parent_element()) {
            let now = cell.get_bounding_client_rect().width() / rem();
            table.layout.update(|layout| layout.set_width(head, now));
        }
    };
    let drag = move |event: PointerEvent| {
        let now = f64::from(event.client_x());
        if let Some(before) = from.try_get_value().flatten() {
            from.set_value(Some(now));
            table
                .layout
                .update(|layout| layout.resize(head, (now - before) / rem()));
        }
    };
    view! {
        <span class="grip" aria-hidden="true" node_ref=grip on:pointerdown=down on:pointermove=drag
            on:pointerup=move |_| from.set_value(None) on:lostpointercapture=move |_| from.set_value(None)></span>
    }
}

/// Arrow keys move the focus among the headers; down moves it to the rows.
fn on_key(event: &KeyboardEvent) {
    if event.ctrl_key() || event.meta_key() {
        return;
    }
    let Some(target) = event
        .target()
        .and_then(|target| target.dyn_into::<HtmlElement>().ok())
    else {
        return;
    };
    let Some(row) = target.closest("[role=row]").ok().flatten() else {
        return;
    };
    let controls = browser::all(&row, "button, input");
    let at = controls
        .iter()
        .position(|control| control.is_same_node(Some(&target)));
    let next = match (event.key().as_str(), at) {
        ("ArrowRight", Some(at)) => controls.get(at + 1).cloned(),
        ("ArrowLeft", Some(at)) => at.checked_sub(1).and_then(|before| controls.get(before)).cloned(),
        ("ArrowDown", _) => first_row(&row),
        _ => return,
    };
    event.prevent_default();
    if let Some(next) = next {
        next.focus().ok();
    }
}

fn first_row(head: &web_sys::Element) -> Option<HtmlElement> {
    let grid = head.closest("[role=grid]").ok()??;
    grid.query_selector(".body [role=row][tabindex='0']")
        .ok()??
        .dyn_into()
        .ok()
}
