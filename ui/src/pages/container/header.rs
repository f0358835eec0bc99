//! The header above the tabs: state, where it runs, of what it is made, where it is reached, and actions.

use super::ContainerRow;
use crate::{
    actions::{self, ContainerObject},
    address,
    components::{
        age::AgeLabel,
        badge::{Status, StatusBadge},
    },
    copy::{containers as words, table},
    format,
    store::{Keyed, use_store},
    tables::{
        containers::ports::shown_ports,
        on_device::{ListedItem, device_in_address},
    },
};
use flotilla_protocol::{
    device::DeviceStatus,
    inventory::{Container, ContainerState, Stack},
};
use leptos::prelude::*;

#[component]
pub(super) fn Header(row: ContainerRow) -> impl IntoView {
    let store = use_store();
    let status = Signal::derive(move || row.with(|row| Status::of_container(&row.item)));
    let key = Signal::derive(move || row.with(|row| Some(row.key().to_string())));
    let stale = Memo::new(move |_| {
        row.with(|row| {
            let device = store.lookup_device(&row.device_id.to_string())?;
            (device.status != DeviceStatus::Online).then_some(row.as_of)
        })
    });
    let runs = Memo::new(move |_| row.with(|row| runs(&row.item)));
    let turn = move || {
        let slug = if runs.get() { "stop" } else { "start" };
        actions::button::<ContainerObject>(slug, key)
    };
    view! {
        <header class="device-head">
            <StatusBadge status chip=true/>
            {move || stale.get().map(|moment| view! { <AgeLabel moment prefix=table::AS_OF/> })}
            <Places row/>
            <span class="end actions">
                {turn}
                {actions::button::<ContainerObject>("restart", key)}
                {actions::more::<ContainerObject>(key)}
            </span>
        </header>
    }
}

/// Device, stack, image and ports, each after its word.
#[component]
fn Places(row: ContainerRow) -> impl IntoView {
    let device = Memo::new(move |_| row.with(|row| (row.device.to_string(), device_in_address(row))));
    let stack = Memo::new(move |_| row.with(|row| row.item.stack.clone()));
    let image = Memo::new(move |_| row.with(|row| row.item.image.clone()));
    let ports = Memo::new(move |_| {
        row.with(|row| {
            let (shown, more) = format::ports(&shown_ports(&row.item));
            match (shown.is_empty(), more) {
                (true, _) => None,
                (false, 0) => Some(shown),
                (false, more) => Some(format!("{shown}, +{more}")),
            }
        })
    });
    let of_device = move || {
        let (name, word) = device.get();
        view! { <a href=format!("/devices/{word}")>{name}</a> }
    };
    let of_stack = move || {
        let stack = stack.get()?;
        let address = address::item(Stack::PAGE, &device.with(|(_, word)| word.clone()), &stack);
        Some(view! { <span class="named">{words::STACK}" "<a href=address>{stack}</a></span> })
    };
    view! {
        <span class="named">{words::DEVICE}" "{of_device}</span>
        {of_stack}
        <span class="named">{words::IMAGE}" "<span class="mono">{move || image.get()}</span></span>
        {move || ports.get().map(|ports| view! { <span class="named">{words::PORTS}" "<span class="num">{ports}</span></span> })}
    }
}

fn runs(container: &Container) -> bool {
    matches!(
        container.state,
        ContainerState::Running | ContainerState::Paused | ContainerState::Restarting
    )
}
