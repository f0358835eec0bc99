//! The containers of the fleet, with actions on them.

pub mod actions;
mod confirm;
mod facts;
pub(crate) mod pod;
mod pod_moves;

pub use actions::ContainerActions;
pub use confirm::ConfirmStop;

use super::inventory_table::{
    EmptyText, InventoryTable, beside, content_of, opened_row, outdated, row_panel, rows,
};
use crate::{
    components::{
        button::Button,
        icon::lucide,
        table::{RowAction, RowActions, TableState},
    },
    copy::{containers as words, inventory_table as copy},
    store::use_store,
    tables::on_device::item_rows,
};
use flotilla_protocol::{
    api::Row,
    id::DeviceId,
    inventory::{Container, ContainerAction},
};
use leptos::prelude::*;
use pod_moves::{ConfirmMove, PodMoves};
use std::sync::Arc;

const BASE: &str = "/containers";

#[component]
pub fn ContainersPage() -> impl IntoView {
    view! { <Containers only=Signal::derive(|| None)/> }
}

/// The table of containers, of all devices or of one.
#[component]
pub fn Containers(only: Signal<Option<DeviceId>>) -> impl IntoView {
    let store = use_store();
    store.ensure_containers();
    let container_actions: ContainerActions = expect_context();
    let moves = PodMoves::new();
    let opened = opened_row(BASE);
    let table = TableState::new(item_rows(store.containers, only), outdated());
    let actions: RowActions = Arc::new(move |key| {
        let row = rows::lookup(store.containers, key);
        row.map(|row| all_actions(container_actions, moves, &row))
            .unwrap_or_default()
    });
    let on_open = rows::row_opener(store.containers, opened.open);
    let empty_text = EmptyText {
        glyph: lucide::BOX,
        title: copy::NO_CONTAINERS,
        text: copy::NO_CONTAINERS_TEXT,
    };
    let found = rows::row_at_address(store.containers, opened);
    let panel = row_panel(opened, found, facts::details, move |row| {
        all_actions(container_actions, moves, row)
    });
    view! {
        <div class="with-drawer">
            <InventoryTable table content=content_of(store.containers) empty_text actions on_open
                beside=beside(store.containers, opened) bulk=bulk/>
            {panel}
        </div>
        <ConfirmMove moves/>
    }
}

/// The actions of a container. Copying its id comes last.
fn all_actions(
    container_actions: ContainerActions,
    moves: PodMoves,
    row: &Arc<Row<Container>>,
) -> Vec<RowAction> {
    let mut actions = container_actions.of_row(row);
    let before_last = actions.len().saturating_sub(1);
    actions.splice(before_last..before_last, moves.of_row(row));
    actions
}

/// The buttons for selected containers.
fn bulk(table: TableState) -> AnyView {
    let container_actions: ContainerActions = expect_context();
    let button = move |action: ContainerAction| {
        view! { <Button label=words::verb(action) glyph=actions::glyph(action) on_press=move || container_actions.ask(table.selected(), action, Some(table))/> }
    };
    ContainerAction::ALL
        .iter()
        .copied()
        .map(button)
        .collect_view()
        .into_any()
}
