//! The containers of the fleet.

pub(crate) mod facts;
mod newest;
pub(crate) mod pod;

use super::inventory_table::{EmptyText, ItemActions, ItemPage};
use crate::{
    actions::ContainerObject, components::icon::lucide, copy::inventory_table as copy, store::use_store,
};
use flotilla_protocol::id::DeviceId;
use leptos::prelude::*;

#[component]
pub fn ContainersPage() -> impl IntoView {
    view! { <Containers only=Signal::derive(|| None)/> }
}

/// The table of containers, of all devices or of one.
#[component]
pub fn Containers(only: Signal<Option<DeviceId>>) -> impl IntoView {
    let store = use_store();
    store.ensure_containers();
    ItemPage {
        collection: store.containers,
        only,
        empty_text: EmptyText {
            glyph: lucide::BOX,
            title: copy::NO_CONTAINERS,
            text: copy::NO_CONTAINERS_TEXT,
        },
        details: facts::details,
        actions: Some(ItemActions::of::<ContainerObject>()),
        below: Some(newest::newest),
    }
    .view()
}
