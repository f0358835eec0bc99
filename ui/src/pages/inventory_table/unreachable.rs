//! The chip that lists devices that cannot be asked now, why, and the age of their data.

use crate::{
    components::{age::AgeLabel, button::Button, icon::lucide, popover::Popover},
    copy::inventory_table as copy,
    store::use_store,
};
use flotilla_protocol::{
    Timestamp,
    device::{Device, DeviceStatus},
    id::DeviceId,
};
use leptos::prelude::*;

/// A line of the list: a device that cannot be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
struct UnreachableRow {
    id: DeviceId,
    name: String,
    reason: String,
    as_of: Timestamp,
}

#[component]
pub fn Unreachable() -> impl IntoView {
    let store = use_store();
    let unreachable_devices = Memo::new(move |_| {
        store.devices.with(|devices| {
            let enrolled: Vec<_> = devices
                .rows()
                .values()
                .filter(|device| device.enrolled.is_some())
                .collect();
            (
                enrolled
                    .iter()
                    .filter_map(|device| unreachable(device))
                    .collect::<Vec<_>>(),
                enrolled.len(),
            )
        })
    });
    let label = Signal::derive(move || {
        unreachable_devices
            .with(|(unreachable_devices, all)| copy::unreachable(unreachable_devices.len(), *all))
    });
    let panel = move || {
        view! {
            <ul class="silent">
                {move || unreachable_devices.get().0.into_iter().map(|device| view! {
                    <li>
                        <a href=format!("/devices/{}", device.id)>{device.name.clone()}</a>
                        <AgeLabel moment=device.as_of prefix=crate::copy::table::AS_OF/>
                        <p>{device.reason}</p>
                    </li>
                }).collect_view()}
            </ul>
            <Button label=copy::RETRY glyph=lucide::REFRESH_CW on_press=move || store.reload()/>
        }
    };
    move || {
        let any = unreachable_devices.with(|(unreachable_devices, _)| !unreachable_devices.is_empty());
        any.then(|| view! { <Popover label name=copy::UNREACHABLE class="chip-warn" panel/> })
    }
}

fn unreachable(device: &Device) -> Option<UnreachableRow> {
    let reason = match device.status {
        DeviceStatus::Online => device.engine.as_ref()?.reason()?.to_owned(),
        DeviceStatus::Pending | DeviceStatus::Unknown => return None,
        DeviceStatus::Reconnecting => copy::RECONNECTING.to_owned(),
        DeviceStatus::Offline => device
            .link
            .last_drop
            .as_ref()
            .map_or(copy::OFFLINE.to_owned(), |drop| drop.reason.clone()),
        DeviceStatus::Revoked => copy::REVOKED.to_owned(),
        DeviceStatus::Quarantined => copy::QUARANTINED.to_owned(),
    };
    Some(UnreachableRow {
        id: device.id,
        name: device.name.to_string(),
        reason,
        as_of: device.as_of,
    })
}
