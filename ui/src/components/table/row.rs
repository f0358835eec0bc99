//! A row of the grid: its cells, its checkbox and its menu.

use super::{
    TableState,
    column::{ColumnAt, Narrow},
    layout::RowEnds,
    rows::{AnyRow, Same},
    selection::RowKey,
    slots::SlotNumber,
    state::PlacedRow,
};
use crate::{
    browser,
    components::{
        age::AgeLabel,
        anchor::Anchor,
        icon::{Icon, lucide},
    },
    copy::table as copy,
};
use flotilla_protocol::Timestamp;
use leptos::{html, prelude::*};
use std::sync::Arc;
use wasm_bindgen::JsCast;
use web_sys::{Element, MouseEvent};

/// The row whose menu is open, and the place of the button that opened it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct MenuAnchor {
    pub key: String,
    pub name: String,
    pub anchor: Anchor,
}

#[component]
pub(super) fn Row(
    table: TableState,
    number: SlotNumber,
    ends: RowEnds,
    menu: RwSignal<Option<MenuAnchor>>,
    on_open: Option<Callback<String>>,
) -> impl IntoView {
    let node = NodeRef::<html::Div>::new();
    let placed = placed_row(table, number);
    let row = Memo::new(move |_| placed.with(|placed| placed.as_ref().map(|placed| placed.row.clone())));
    let key = Memo::new(move |_| {
        placed
            .with(|placed| placed.as_ref().map(|placed| placed.key.clone()))
            .unwrap_or_else(|| RowKey::from(""))
    });
    take_keyboard(table, key, node);
    let position = move || placed.with(|placed| placed.as_ref().map_or(0, |placed| placed.position));
    let label = move || row.with(|row| row.as_ref().map(|row| row.0.label()));
    let stale = move || {
        let own = row.with(|row| row.as_ref().and_then(|row| row.0.stale_since()));
        own.or_else(|| table.outdated.get())
    };
    #[expect(clippy::cast_precision_loss, reason = "no table has 2^52 rows")]
    let place = move || format!("translateY({}px)", position() as f64 * table.view.row.get());
    let selected = move || {
        let selected = || {
            table
                .selection
                .with(|selection| key.with(|key| selection.keys.contains(key)))
        };
        ends.select.then(|| selected().to_string())
    };
    let heads = move || row.with(|row| row.as_ref()?.0.unit().map(|unit| unit.heads));
    let stops_here = move || {
        table
            .tab_stop
            .with(|stop| key.with(|key| stop.as_ref() == Some(key)))
    };
    let open = move |event: MouseEvent| {
        if let Some(on_open) = on_open.filter(|_| opens(&event)) {
            event.prevent_default();
            on_open.run(key.with_untracked(|key| key.to_string()));
        }
    };
    let name = Memo::new(move |_| {
        row.with(|row| row.as_ref().map(|row| row.0.name().to_owned()))
            .unwrap_or_default()
    });
    let cells = move || cells_of(table, row.get(), stale());
    view! {
        <div role="row" class="row" class:stale=move || stale().is_some() class:openable=on_open.is_some()
            class:united=move || heads().is_some() class:leads=move || heads() == Some(true) data-key=move || key.get().to_string() node_ref=node
            aria-label=label aria-rowindex=move || position() + 2 aria-selected=selected
            tabindex=move || if stops_here() { "0" } else { "-1" }
            style:transform=place
            on:focusin=move |_| table.active.set(Some(key.get_untracked()))
            on:click=open
        >
            {ends.select.then(|| view! { <PickCell table key name/> })}
            {cells}
            {ends.menu.then(|| view! { <MenuCell table key name menu/> })}
        </div>
    }
}

/// Marks the link of a row to its own address.
const OWN_LINK: &str = "own-link";

/// Whether a click on a row opens it: not one on a control of the row, nor one that ends a selection of text, nor one
/// with a key by which the browser opens links elsewhere.
fn opens(event: &MouseEvent) -> bool {
    let (Some(row), Some(target)) = (element(event.current_target()), element(event.target())) else {
        return false;
    };
    let on = |selector: &str| target.closest(selector).ok().flatten().is_some();
    let selects = || {
        let selection = window().get_selection().ok().flatten();
        selection.is_some_and(|selection| {
            !selection.is_collapsed()
                && selection
                    .contains_node_with_allow_partial_containment(&row, true)
                    .unwrap_or(false)
        })
    };
    let elsewhere = event.ctrl_key() || event.meta_key() || event.shift_key();
    let own = on(&format!(".{OWN_LINK}"));
    (own || !on("a, button, input, label, .pick")) && !elsewhere && !selects()
}

fn element(target: Option<web_sys::EventTarget>) -> Option<Element> {
    target?.dyn_into().ok()
}

fn placed_row(table: TableState, number: SlotNumber) -> Memo<Option<PlacedRow>> {
    Memo::new(move |previous: Option<&Option<PlacedRow>>| {
        let found = table.slots.with(|slots| {
            slots
                .iter()
                .find(|filled| filled.number == number)
                .map(|filled| filled.shown.clone())
        });
        // A row that has left the window is still drawn until it is unmounted, so it keeps its last value.
        found.or_else(|| previous.cloned().flatten())
    })
}

fn take_keyboard(table: TableState, key: Memo<RowKey>, node: NodeRef<html::Div>) {
    Effect::new(move |_| {
        let mine = table.wants_focus.get()
            && table
                .active
                .with(|active| key.with(|key| active.as_ref() == Some(key)));
        if let Some(node) = node.get().filter(|_| mine) {
            table.wants_focus.set(false);
            // In the next frame, after the scrolling that brings the row into view has moved elements.
            browser::next_frame(move || {
                let options = web_sys::FocusOptions::new();
                options.set_prevent_scroll(true);
                node.focus_with_options(&options).ok();
            });
        }
    });
}

#[component]
fn PickCell(table: TableState, key: Memo<RowKey>, name: Memo<String>) -> impl IntoView {
    let pick = move |event: MouseEvent| {
        let key = key.get_untracked();
        if event.shift_key() {
            let shown = table.shown_keys();
            table.selection.update(|selection| selection.extend(&key, &shown));
        } else {
            table.selection.update(|selection| selection.toggle(&key));
        }
    };
    let checked = move || {
        table
            .selection
            .with(|selection| key.with(|key| selection.keys.contains(key)))
    };
    view! {
        <div role="gridcell" class="cell pick" on:click=pick>
            <input type="checkbox" tabindex="-1" aria-label=move || copy::select(&name.get()) prop:checked=checked/>
        </div>
    }
}

/// The content of a cell. In the first column it links to the row's own address, if the row has one.
fn cell_of(row: &Arc<dyn AnyRow>, at: ColumnAt) -> AnyView {
    let cell = row.cell(at);
    let address = row.address().filter(|_| at == 0);
    let linked = match address {
        Some(address) => {
            let class = format!("plain {OWN_LINK}");
            view! { <a class=class tabindex="-1" href=address>{cell}</a> }.into_any()
        }
        None => cell,
    };
    view! { {linked}{row.mark(at)} }.into_any()
}

/// The cells of the columns. One closure draws them all, so that a row has few effects, and a change draws it once; the
/// checkbox and the button of the menu stay as they are.
fn cells_of(table: TableState, row: Option<Same<dyn AnyRow>>, stale: Option<Timestamp>) -> Vec<AnyView> {
    let Some(Same(row)) = row else { return Vec::new() };
    let age = stale.map(|since| view! { <AgeLabel moment=since prefix=copy::AS_OF/> }.into_any());
    if table.view.narrow.get() {
        narrow_cells(table, &row, age)
    } else {
        wide_cells(table, &row, age)
    }
}

fn wide_cells(table: TableState, row: &Arc<dyn AnyRow>, mut age: Option<AnyView>) -> Vec<AnyView> {
    let heads = table.spec.heads();
    let columns = table.fitted.with(|fitted| fitted.columns.clone());
    // If the column for the age is not shown, the first column has the age.
    let ages = columns.iter().position(|at| heads[*at].ages).unwrap_or(0);
    let cell = |(place, at): (usize, ColumnAt)| {
        let class = if heads[at].figures { "cell figures" } else { "cell" };
        let age = if place == ages { age.take() } else { None };
        view! { <div role="gridcell" class=class data-column=heads[at].word>{cell_of(row, at)}{age}</div> }
            .into_any()
    };
    columns.into_iter().enumerate().map(cell).collect()
}

/// The cells of a narrow view, in two lines: name and status, then the device and a figure.
fn narrow_cells(table: TableState, row: &Arc<dyn AnyRow>, age: Option<AnyView>) -> Vec<AnyView> {
    let heads = table.spec.heads();
    let cell = |place: Narrow| {
        let at = heads.iter().position(|head| head.narrow == Some(place));
        at.map(|at| cell_of(row, at))
    };
    let end = |place| cell(place).map(|cell| view! { <span>{cell}</span> });
    let both = view! {
        <div role="gridcell" class="cell both">
            <div class="line"><span class="grow">{cell_of(row, 0)}</span>{end(Narrow::Status)}</div>
            <div class="line below"><span class="grow">{cell(Narrow::Below)}</span>{end(Narrow::Figure)}{age}</div>
        </div>
    };
    vec![both.into_any()]
}

#[component]
fn MenuCell(
    table: TableState,
    key: Memo<RowKey>,
    name: Memo<String>,
    menu: RwSignal<Option<MenuAnchor>>,
) -> impl IntoView {
    let press = move |event: MouseEvent| {
        let Some(button) = element(event.current_target()) else {
            return;
        };
        let key = key.get_untracked();
        table.active.set(Some(key.clone()));
        menu.set(Some(MenuAnchor {
            key: key.to_string(),
            name: name.get_untracked(),
            anchor: Anchor::of(&button),
        }));
    };
    let expanded = move || {
        menu.with(|menu| {
            menu.as_ref()
                .is_some_and(|menu| key.with(|key| *menu.key == **key))
        })
    };
    view! {
        <div role="gridcell" class="cell menu">
            <button type="button" class="icon-button" tabindex="-1" aria-haspopup="menu"
                aria-label=move || copy::actions_for(&name.get())
                aria-expanded=move || expanded().to_string() on:click=press>
                <Icon glyph=lucide::ELLIPSIS/>
            </button>
        </div>
    }
}
