//! Devices as tiles, trouble first.

use crate::{
    components::{
        age::AgeLabel,
        badge::{Status, StatusBadge},
        meter::Meter,
    },
    copy::dashboard as copy,
    store::{last_row, use_store},
    tables::devices::address,
    urgency,
    usage::{self, Measure},
};
use flotilla_protocol::device::{Device, DeviceStatus};
use leptos::prelude::*;
use leptos_router::components::A;
use std::sync::Arc;

/// At most this many tiles are shown.
const SHOWN: usize = 12;

#[component]
pub(super) fn Tiles() -> impl IntoView {
    let store = use_store();
    let shown = Memo::new(move |_| {
        store
            .devices
            .with(|devices| first(devices.rows().values().cloned().collect()))
    });
    // Keyed by what a tile shows besides its meters, so that a new figure draws only the meters again.
    view! {
        <ul class="tiles">
            <For each=move || shown.get() key=|device| (device.id, device.status, device.name.clone()) let:device>
                <Tile device/>
            </For>
        </ul>
    }
}

/// The first devices by trouble, then by name.
fn first(mut devices: Vec<Arc<Device>>) -> Vec<Arc<Device>> {
    devices.retain(|device| device.status != DeviceStatus::Revoked);
    devices.sort_by(|a, b| (urgency::of_device(a), &a.name).cmp(&(urgency::of_device(b), &b.name)));
    devices.truncate(SHOWN);
    devices
}

#[component]
fn Tile(device: Arc<Device>) -> impl IntoView {
    let device = last_row(use_store().devices, device.id, device);
    let status = Signal::derive(move || device.with(|device| Status::of_device(device)));
    let name = device.with_untracked(|device| device.name.to_string());
    let stale = Signal::derive(move || device.with(|device| device.status != DeviceStatus::Online));
    let pending = Memo::new(move |_| device.with(|device| device.status == DeviceStatus::Pending));
    let body = move || {
        // Meters without figures are shown before the first sample, so that nothing moves when it arrives.
        if pending.get() {
            view! { <p class="caption muted">{copy::NOT_ENROLLED}</p> }.into_any()
        } else {
            view! { <Meters device stale/> }.into_any()
        }
    };
    let age = move || {
        let seen = device.with(|device| device.last_seen.filter(|_| stale.get()));
        seen.map(|moment| view! { <AgeLabel moment prefix="as of"/> })
    };
    let path = device.with_untracked(|device| address(device));
    view! {
        <li class="tile panel">
            <div class="tile-head">
                <A href=path>{name}</A>
                <StatusBadge status/>
            </div>
            {body}
            {age}
        </li>
    }
}

#[component]
fn Meters(device: Signal<Arc<Device>>, stale: Signal<bool>) -> impl IntoView {
    let name = device.with_untracked(|device| device.name.to_string());
    let percent =
        move |measure| Signal::derive(move || device.with(|device| usage::percent(device, measure)));
    let text = move |measure| Signal::derive(move || device.with(|device| usage::words(device, measure)));
    view! {
        <Meter name=format!("CPU of {name}") label="CPU" percent=percent(Measure::Cpu) text=text(Measure::Cpu) stale/>
        <Meter name=format!("Memory of {name}") label="Memory" percent=percent(Measure::Memory) text=text(Measure::Memory) stale/>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::dashboard::tests::device;

    #[test]
    fn trouble_stands_before_what_is_well() {
        let fleet = [
            ("a", DeviceStatus::Online),
            ("b", DeviceStatus::Offline),
            ("c", DeviceStatus::Revoked),
        ];
        let shown = first(
            fleet
                .map(|(name, status)| Arc::new(device(name, status)))
                .to_vec(),
        );
        let names: Vec<_> = shown.iter().map(|device| device.name.as_str()).collect();
        assert_eq!(names, ["b", "a"]);
    }
}
