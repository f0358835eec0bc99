//! One row of the grid: its cells, its checkbox, its menu.

use super::{TableState, selection::RowKey, spec::TableRow, state::Placed};
use crate::{
    components::{
        age::AgeLabel,
        icon::{Glyph, Icon, lucide},
    },
    copy::table as copy,
};
use flotilla_protocol::Timestamp;
use leptos::{html, prelude::*};
use std::sync::Arc;

/// Something that can be done with a row.
#[derive(Debug, Clone)]
pub struct RowAction {
    pub label: String,
    pub glyph: Glyph,
    /// Why it cannot be done now.
    pub reason: Option<String>,
    pub run: Callback<()>,
}

/// Where a row asked for its menu.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct MenuAt {
    pub key: String,
    pub name: String,
    /// The button it hangs from, in px of the view.
    pub right: f64,
    pub below: f64,
    pub above: f64,
}

#[component]
pub(super) fn Row(
    table: TableState,
    key: RowKey,
    has_menu: bool,
    menu: RwSignal<Option<MenuAt>>,
    on_open: Option<Callback<String>>,
) -> impl IntoView {
    let node = NodeRef::<html::Div>::new();
    let placed = placed_row(table, key.clone());
    let position =
        Memo::new(move |_| placed.with(|placed| placed.as_ref().map_or(0, |placed| placed.position)));
    let row =
        Memo::new(move |_| placed.with(|placed| placed.as_ref().map(|placed| Same(placed.row.clone()))));
    let is_active = is_active(table, key.clone());
    take_keyboard(table, key.clone(), node);
    let (selected, picked) = (key.clone(), key.clone());
    let selected = Memo::new(move |_| {
        table
            .selection
            .with(|selection| selection.keys.contains(&selected))
    });
    let label = move || row.with(|row| row.as_ref().map(|row| row.0.label()));
    let stale = Memo::new(move |_| {
        row.with(|row| row.as_ref().and_then(|row| row.0.stale_since()))
            .or_else(|| table.outdated.get())
    });
    #[expect(clippy::cast_precision_loss, reason = "no table has 2^52 rows")]
    let place = move || format!("translateY({}px)", position.get() as f64 * table.view.row.get());
    let open = move |_| {
        if let Some(on_open) = on_open {
            on_open.run((*picked).to_owned());
        }
    };
    let (data_key, menu_key) = (key.to_string(), key.clone());
    let shift_key = key.clone();
    view! {
        <div role="row" class="row" class:stale=move || stale.get().is_some() class:openable=on_open.is_some() data-key=data_key node_ref=node
            aria-label=label
            aria-rowindex=move || position.get() + 2
            aria-selected=move || table.spec.selectable.then(|| selected.get().to_string())
            tabindex=move || if is_active.get() { "0" } else { "-1" }
            style:transform=place
            on:focus=move |_| table.active.set(Some(shift_key.clone()))
            on:click=open
        >
            {table.spec.selectable.then(|| select_cell(table, key, selected, row))}
            {move || if table.view.narrow.get() { narrow_cells(table, row, stale) } else { cells(table, row, stale) }}
            {has_menu.then(|| menu_cell(table, menu_key, row, menu))}
        </div>
    }
}

/// A row, equal only to itself.
#[derive(Clone)]
struct Same(Arc<dyn TableRow>);

impl PartialEq for Same {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

type Current = Memo<Option<Same>>;
/// For when the row is known to be true, if that is not now.
type Stale = Memo<Option<Timestamp>>;

fn placed_row(table: TableState, key: RowKey) -> Memo<Option<Placed>> {
    Memo::new(move |previous: Option<&Option<Placed>>| {
        let found = table
            .window
            .with(|window| window.iter().find(|placed| placed.key == key).cloned());
        // On its way out of the page a row keeps its looks.
        found.or_else(|| previous.cloned().flatten())
    })
}

/// Whether the tab key leads to this row: the active one, or the first in the page when that is gone.
fn is_active(table: TableState, key: RowKey) -> Memo<bool> {
    Memo::new(move |_| {
        table.window.with(|window| {
            let active = table.active.get();
            let present = |active: &RowKey| window.iter().any(|placed| placed.key == *active);
            match active.filter(present) {
                Some(active) => active == key,
                None => window.first().is_some_and(|first| first.key == key),
            }
        })
    })
}

fn take_keyboard(table: TableState, key: RowKey, node: NodeRef<html::Div>) {
    Effect::new(move |_| {
        let mine = table.wants_focus.get() && table.active.with(|active| active.as_ref() == Some(&key));
        if let Some(node) = node.get().filter(|_| mine) {
            table.wants_focus.set(false);
            // After the scrolling that brings the row into view, which may put elements in other places.
            request_animation_frame(move || {
                let options = web_sys::FocusOptions::new();
                options.set_prevent_scroll(true);
                node.focus_with_options(&options).ok();
            });
        }
    });
}

fn select_cell(table: TableState, key: RowKey, selected: Memo<bool>, row: Current) -> impl IntoView {
    let name = move || row.with(|row| row.as_ref().map(|row| copy::select(row.0.name())));
    let pick = move |event: leptos::ev::MouseEvent| {
        event.stop_propagation();
        if event.shift_key() {
            let shown = super::grid::shown_keys(table);
            table.selection.update(|selection| selection.extend(&key, &shown));
        } else {
            table.selection.update(|selection| selection.toggle(&key));
        }
    };
    view! {
        <div role="gridcell" class="cell pick" on:click=pick>
            <input type="checkbox" tabindex="-1" aria-label=name prop:checked=move || selected.get()/>
        </div>
    }
}

fn cells(table: TableState, row: Current, stale: Stale) -> AnyView {
    let columns = move || table.layout.with(|layout| layout.visible(table.spec));
    view! {
        {move || {
            let cell = |(column, is_last): (&'static super::Column, bool)| {
                let class = if column.figures { "cell figures" } else { "cell" };
                let content = row.with(|row| row.as_ref().map(|row| row.0.cell(column.id)));
                let age = is_last.then(|| age(stale));
                view! { <div role="gridcell" class=class data-column=column.id>{content}{age}</div> }.into_any()
            };
            let columns = columns();
            // Where that column is hidden, the first one says it.
            let shown = columns.iter().position(|column| column.id == table.spec.age).unwrap_or(0);
            let numbered = columns.into_iter().enumerate();
            numbered.map(|(index, column)| cell((column, index == shown))).collect::<Vec<_>>()
        }}
    }
    .into_any()
}

/// Two lines: name and status, then the device and what counts most.
fn narrow_cells(table: TableState, row: Current, stale: Stale) -> AnyView {
    let narrow = &table.spec.narrow;
    let cell = move |column: &'static str| row.with(|row| row.as_ref().map(|row| row.0.cell(column)));
    view! {
        <div role="gridcell" class="cell both">
            <div class="line">
                <span class="grow">{move || cell(narrow.title)}</span>
                {narrow.status.map(|column| view! { <span>{move || cell(column)}</span> })}
            </div>
            <div class="line below">
                <span class="grow">{move || cell(narrow.below)}</span>
                {narrow.figure.map(|column| view! { <span>{move || cell(column)}</span> })}
                {age(stale)}
            </div>
        </div>
    }
    .into_any()
}

fn age(stale: Stale) -> impl IntoView {
    move || {
        stale
            .get()
            .map(|since| view! { <AgeLabel moment=since prefix=copy::AS_OF/> })
    }
}

fn menu_cell(table: TableState, key: RowKey, row: Current, menu: RwSignal<Option<MenuAt>>) -> impl IntoView {
    let name = move || {
        row.with(|row| {
            row.as_ref()
                .map_or_else(String::new, |row| row.0.name().to_owned())
        })
    };
    let button = NodeRef::<html::Button>::new();
    let press = {
        let key = key.clone();
        move |event: leptos::ev::MouseEvent| {
            event.stop_propagation();
            let Some(button) = button.get() else { return };
            table.active.set(Some(key.clone()));
            let place = button.get_bounding_client_rect();
            let at = MenuAt {
                key: key.to_string(),
                name: name(),
                right: place.right(),
                below: place.bottom(),
                above: place.top(),
            };
            menu.set(Some(at));
        }
    };
    let expanded = move || menu.with(|menu| menu.as_ref().is_some_and(|menu| *menu.key == *key));
    view! {
        <div role="gridcell" class="cell menu">
            <button type="button" class="icon-button" tabindex="-1" node_ref=button aria-haspopup="menu"
                aria-label=move || copy::actions_for(&name()) title=move || copy::actions_for(&name())
                aria-expanded=move || expanded().to_string() on:click=press>
                <Icon glyph=lucide::ELLIPSIS/>
            </button>
        </div>
    }
}
