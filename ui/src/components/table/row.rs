//! A row of the grid: its cells, its checkbox and its menu.

use super::{TableState, selection::RowKey, spec::TableRow, state::PlacedRow};
use crate::{
    components::{
        age::AgeLabel,
        anchor::Anchor,
        icon::{Icon, lucide},
    },
    copy::table as copy,
};
use leptos::{html, prelude::*};
use std::sync::Arc;
use wasm_bindgen::JsCast;
use web_sys::Element;

/// The mark in place of an unknown value.
#[component]
pub fn Dash() -> impl IntoView {
    view! { <span class="faint" aria-hidden="true">{crate::format::NOTHING}</span> }
}

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
    key: RowKey,
    has_menu: bool,
    menu: RwSignal<Option<MenuAnchor>>,
    on_open: Option<Callback<String>>,
) -> impl IntoView {
    let node = NodeRef::<html::Div>::new();
    let data_key = key.to_string();
    take_keyboard(table, key.clone(), node);
    let placed = placed_row(table, key.clone());
    let row =
        Memo::new(move |_| placed.with(|placed| placed.as_ref().map(|placed| SameRow(placed.row.clone()))));
    let key = StoredValue::new(key);
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
                .with(|selection| key.with_value(|key| selection.keys.contains(key)))
        };
        table.spec.selectable.then(|| selected().to_string())
    };
    let heads = move || row.with(|row| row.as_ref()?.0.unit().map(|unit| unit.heads));
    let stops_here = move || {
        table
            .tab_stop
            .with(|stop| key.with_value(|key| stop.as_ref() == Some(key)))
    };
    let open = move |_| {
        if let Some(on_open) = on_open {
            on_open.run(key.with_value(|key| key.to_string()));
        }
    };
    // One closure draws all cells, so that a row has few effects, and a change draws it once.
    let cells = move || {
        let Some(SameRow(row)) = row.get() else {
            return Vec::new();
        };
        let select = table.spec.selectable.then(|| select_cell(table, key, row.name()));
        let menu = has_menu.then(|| menu_cell(table, key, row.name().to_owned(), menu));
        let age = stale().map(|since| view! { <AgeLabel moment=since prefix=copy::AS_OF/> }.into_any());
        let content = if table.view.narrow.get() {
            narrow_cells(table, &row, age)
        } else {
            wide_cells(table, &row, age)
        };
        select.into_iter().chain(content).chain(menu).collect()
    };
    view! {
        <div role="row" class="row" class:stale=move || stale().is_some() class:openable=on_open.is_some()
            class:united=move || heads().is_some() class:leads=move || heads() == Some(true) data-key=data_key node_ref=node
            aria-label=label aria-rowindex=move || position() + 2 aria-selected=selected
            tabindex=move || if stops_here() { "0" } else { "-1" }
            style:transform=place
            on:focus=move |_| table.active.set(Some(key.get_value()))
            on:click=open
        >
            {cells}
        </div>
    }
}

/// A row that is equal only to itself.
#[derive(Clone)]
struct SameRow(Arc<dyn TableRow>);

impl PartialEq for SameRow {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

fn placed_row(table: TableState, key: RowKey) -> Memo<Option<PlacedRow>> {
    Memo::new(move |previous: Option<&Option<PlacedRow>>| {
        let found = table
            .window
            .with(|window| window.iter().find(|placed| placed.key == key).cloned());
        // A row that has left the window is still drawn until it is unmounted, so it keeps its last value.
        found.or_else(|| previous.cloned().flatten())
    })
}

fn take_keyboard(table: TableState, key: RowKey, node: NodeRef<html::Div>) {
    Effect::new(move |_| {
        let mine = table.wants_focus.get() && table.active.with(|active| active.as_ref() == Some(&key));
        if let Some(node) = node.get().filter(|_| mine) {
            table.wants_focus.set(false);
            // In the next frame, after the scrolling that brings the row into view has moved elements.
            request_animation_frame(move || {
                let options = web_sys::FocusOptions::new();
                options.set_prevent_scroll(true);
                node.focus_with_options(&options).ok();
            });
        }
    });
}

type StoredKey = StoredValue<RowKey>;

fn select_cell(table: TableState, key: StoredKey, name: &str) -> AnyView {
    let name = copy::select(name);
    let pick = move |event: leptos::ev::MouseEvent| {
        event.stop_propagation();
        let key = key.get_value();
        if event.shift_key() {
            let shown = super::grid::shown_keys(table);
            table.selection.update(|selection| selection.extend(&key, &shown));
        } else {
            table.selection.update(|selection| selection.toggle(&key));
        }
    };
    let checked = move || {
        table
            .selection
            .with(|selection| key.with_value(|key| selection.keys.contains(key)))
    };
    view! {
        <div role="gridcell" class="cell pick" on:click=pick>
            <input type="checkbox" tabindex="-1" aria-label=name prop:checked=checked/>
        </div>
    }
    .into_any()
}

fn wide_cells(table: TableState, row: &Arc<dyn TableRow>, mut age: Option<AnyView>) -> Vec<AnyView> {
    let columns: Vec<_> = table.fitted.with(|fitted| {
        let known = fitted.columns.iter().filter_map(|id| table.spec.lookup(id));
        known.collect()
    });
    // If the column for the age is not shown, the first column has the age.
    let age_column = columns
        .iter()
        .position(|column| column.id == table.spec.age)
        .unwrap_or(0);
    let cell = |(index, column): (usize, &'static super::Column)| {
        let class = if column.figures { "cell figures" } else { "cell" };
        let age = if index == age_column { age.take() } else { None };
        view! { <div role="gridcell" class=class data-column=column.id>{row.cell(column.id)}{age}</div> }
            .into_any()
    };
    columns.into_iter().enumerate().map(cell).collect()
}

/// The cells of a narrow view, in two lines: name and status, then the device and a figure.
fn narrow_cells(table: TableState, row: &Arc<dyn TableRow>, age: Option<AnyView>) -> Vec<AnyView> {
    let narrow = &table.spec.narrow;
    let optional =
        |column: Option<&'static str>| column.map(|column| view! { <span>{row.cell(column)}</span> });
    let both = view! {
        <div role="gridcell" class="cell both">
            <div class="line"><span class="grow">{row.cell(narrow.title)}</span>{optional(narrow.status)}</div>
            <div class="line below"><span class="grow">{row.cell(narrow.below)}</span>{optional(narrow.figure)}{age}</div>
        </div>
    };
    vec![both.into_any()]
}

fn menu_cell(table: TableState, key: StoredKey, name: String, menu: RwSignal<Option<MenuAnchor>>) -> AnyView {
    let label = copy::actions_for(&name);
    let press = move |event: leptos::ev::MouseEvent| {
        event.stop_propagation();
        let Some(button) = event
            .current_target()
            .and_then(|target| target.dyn_into::<Element>().ok())
        else {
            return;
        };
        let key = key.get_value();
        table.active.set(Some(key.clone()));
        menu.set(Some(MenuAnchor {
            key: key.to_string(),
            name: name.clone(),
            anchor: Anchor::of(&button),
        }));
    };
    let expanded = move || {
        menu.with(|menu| {
            menu.as_ref()
                .is_some_and(|menu| key.with_value(|key| *menu.key == **key))
        })
    };
    view! {
        <div role="gridcell" class="cell menu">
            <button type="button" class="icon-button" tabindex="-1" aria-haspopup="menu" aria-label=label
                aria-expanded=move || expanded().to_string() on:click=press>
                <Icon glyph=lucide::ELLIPSIS/>
            </button>
        </div>
    }
    .into_any()
}
