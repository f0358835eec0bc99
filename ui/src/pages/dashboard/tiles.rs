//! Devices as tiles, trouble first.

use crate::{
    components::{
        age::AgeLabel,
        badge::{Status, StatusBadge},
        meter::Meter,
    },
    format,
    store::use_store,
};
use flotilla_protocol::device::{Device, DeviceStatus};
use leptos::prelude::*;
use leptos_router::components::A;
use std::sync::Arc;

/// How many tiles are shown.
const SHOWN: usize = 12;

#[component]
pub(super) fn Tiles() -> impl IntoView {
    let store = use_store();
    let shown = Memo::new(move |_| {
        store
            .devices
            .with(|devices| first(devices.rows().values().cloned().collect()))
    });
    // Keyed by what a tile shows besides its meters, so that only those are drawn again when figures move.
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
    devices.sort_by(|a, b| (order(a), &a.name).cmp(&(order(b), &b.name)));
    devices.truncate(SHOWN);
    devices
}

fn order(device: &Device) -> u8 {
    match device.status {
        DeviceStatus::Quarantined => 0,
        DeviceStatus::Online if !device.attention.is_empty() => 1,
        DeviceStatus::Offline => 2,
        DeviceStatus::Reconnecting => 3,
        DeviceStatus::Pending => 4,
        DeviceStatus::Online => 5,
        DeviceStatus::Revoked => 6,
    }
}

#[component]
fn Tile(device: Arc<Device>) -> impl IntoView {
    let store = use_store();
    let id = device.id;
    let first = device.clone();
    let device = Memo::new(move |_| {
        store
            .devices
            .with(|devices| devices.rows().get(&id).cloned())
            .unwrap_or_else(|| first.clone())
    });
    let status = Signal::derive(move || device.with(|device| Status::of_device(device)));
    let name = device.with_untracked(|device| device.name.to_string());
    let stale = Signal::derive(move || device.with(|device| device.status != DeviceStatus::Online));
    let body = move || {
        if device.with(|device| device.usage.is_some() && device.facts.is_some()) {
            view! { <Meters device stale/> }.into_any()
        } else {
            ().into_any()
        }
    };
    let age = move || {
        let seen = device.with(|device| device.last_seen.filter(|_| stale.get()));
        seen.map(|moment| view! { <AgeLabel moment prefix="as of"/> })
    };
    let path = device.with_untracked(|device| {
        if device.status == DeviceStatus::Pending {
            format!("/devices/add?device={id}")
        } else {
            format!("/devices/{id}")
        }
    });
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
fn Meters(device: Memo<Arc<Device>>, stale: Signal<bool>) -> impl IntoView {
    let name = device.with_untracked(|device| device.name.to_string());
    let used = move |of: fn(&Device) -> (f64, f64)| device.with(|device| of(device));
    let percent = move |of: fn(&Device) -> (f64, f64)| {
        Signal::derive(move || {
            let (part, whole) = used(of);
            format::share(part, whole)
        })
    };
    let cpu_text = Signal::derive(move || {
        let (part, whole) = used(cpu);
        format!("{}, {part:.1} of {whole:.0} cores", format::percent(part, whole))
    });
    let memory_text = Signal::derive(move || device.with(|device| memory_text(device)));
    view! {
        <Meter name=format!("CPU of {name}") label="CPU" percent=percent(cpu) text=cpu_text stale/>
        <Meter name=format!("Memory of {name}") label="Memory" percent=percent(memory) text=memory_text stale/>
    }
}

/// Busy cores and all cores.
pub(crate) fn cpu(device: &Device) -> (f64, f64) {
    let cores = device.usage.map_or(0.0, |usage| f64::from(usage.cpu_cores));
    (
        cores,
        device.facts.as_ref().map_or(0.0, |facts| f64::from(facts.cpus)),
    )
}

#[expect(clippy::cast_precision_loss, reason = "a share in whole percent")]
pub(crate) fn memory(device: &Device) -> (f64, f64) {
    let used = device.usage.map_or(0, |usage| usage.memory_bytes);
    (
        used as f64,
        device.facts.as_ref().map_or(0, |facts| facts.memory_bytes) as f64,
    )
}

/// "61 %, 9.8 of 16 GiB".
pub(crate) fn memory_text(device: &Device) -> String {
    let used = device.usage.map_or(0, |usage| usage.memory_bytes);
    let all = device.facts.as_ref().map_or(0, |facts| facts.memory_bytes);
    let (part, whole) = memory(device);
    format!(
        "{}, {} of {}",
        format::percent(part, whole),
        format::memory(used),
        format::memory(all)
    )
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
