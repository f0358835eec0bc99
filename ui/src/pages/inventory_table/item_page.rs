//! The page of one kind of inventory items: the table over all devices, and the panel of the opened row.

use super::{
    Below, Buttons, Details, EmptyText, InventoryTable, beside, content_of, opened_row, outdated, row_panel,
    rows::{row_at_address, row_opener},
};
use crate::{
    actions::{Object, bulk_bar, buttons, row_menu},
    components::table::{RowActions, TableState},
    store::Collection,
    tables::on_device::{ListedItem, item_rows},
};
use flotilla_protocol::{api::Row, id::DeviceId};
use leptos::prelude::*;

/// What is specific to the page of a kind.
#[derive(Debug)]
pub struct ItemPage<T: ListedItem> {
    pub collection: RwSignal<Collection<Row<T>>>,
    /// The device whose items are shown; those of all devices if there is none.
    pub only: Signal<Option<DeviceId>>,
    pub empty_text: EmptyText,
    pub details: fn(&Row<T>) -> Details,
    pub actions: Option<ItemActions>,
    /// What the panel shows below the facts.
    pub below: Option<Below<T>>,
}

/// The actions on the items of a kind: the menu of a row, the buttons of the panel, and those for selected rows.
#[derive(Debug, Clone, Copy)]
pub struct ItemActions {
    menu: fn() -> RowActions,
    buttons: Buttons,
    /// Absent if rows cannot be selected.
    bulk: Option<fn(TableState) -> AnyView>,
}

impl ItemActions {
    #[must_use]
    pub fn of<O: Object>() -> Self {
        Self {
            menu: row_menu::<O>,
            buttons: buttons::<O>,
            bulk: O::is_selectable().then_some(bulk_bar::<O>),
        }
    }
}

impl<T: ListedItem> ItemPage<T> {
    #[must_use]
    pub fn view(self) -> AnyView {
        let Self {
            collection,
            only,
            empty_text,
            details,
            actions,
            below,
        } = self;
        let opened = opened_row(T::PAGE);
        let rows = item_rows(collection, only);
        let table = TableState::new(rows, outdated());
        let found = row_at_address(collection, opened);
        let on_open = row_opener(collection, opened.open);
        let panel = row_panel(
            opened,
            found,
            details,
            actions.map(|actions| actions.buttons),
            below,
        );
        let bulk = actions.and_then(|actions| actions.bulk);
        let actions = actions.map(|actions| (actions.menu)());
        view! {
            <div class="with-drawer">
                <InventoryTable table content=content_of(collection) empty_text actions on_open
                    beside=beside(collection, opened) bulk/>
                {panel}
            </div>
        }
        .into_any()
    }
}
