//! How the device stands on the mesh, and when its traffic goes through a relay.

use crate::{
    api::send,
    components::{select::Select, toast::use_toaster},
    copy::{add_device, mesh as copy},
    store::{Store, use_store},
};
use flotilla_protocol::{
    api::UpdateDevice,
    device::{Device, RelayPreference},
    id::RelayId,
    mesh::{MeshReport, MeshState},
};
use leptos::{prelude::*, task::spawn_local};
use std::sync::Arc;

#[component]
pub(super) fn Mesh(device: Signal<Arc<Device>>) -> impl IntoView {
    let store = use_store();
    store.ensure_relays();
    let rows = move || {
        let facts = device.with(|device| facts(store, device));
        let fact =
            |(name, value): (&'static str, String)| view! { <div><dt>{name}</dt><dd>{value}</dd></div> };
        facts.into_iter().map(fact).collect_view()
    };
    view! {
        <section class="panel" aria-labelledby="mesh">
            <h2 id="mesh">{copy::MESH}</h2>
            <dl class="fact-list">{rows}</dl>
            <RelayChoice device/>
            <p class="hint">{add_device::RELAY_HINT}</p>
        </section>
    }
}

fn facts(store: Store, device: &Device) -> Vec<(&'static str, String)> {
    let mut facts = vec![("Mesh address", device.mesh_ip.to_string())];
    match &device.mesh {
        None => facts.push((copy::STATE, copy::NOT_REPORTED.to_owned())),
        Some(report) => {
            facts.push((copy::STATE, state(report)));
            facts.extend(copy::nat(report.nat).map(|nat| (copy::WAY_OUT, nat.to_owned())));
            let home = report.home_relay.and_then(|id| relay_name(store, id));
            facts.extend(home.map(|name| (copy::RELAY, name)));
        }
    }
    if device.is_relay {
        facts.push((copy::RELAYS, copy::RUNS_RELAY.to_owned()));
    }
    facts
}

fn state(report: &MeshReport) -> String {
    match &report.state {
        MeshState::Starting => copy::STARTING.to_owned(),
        MeshState::Up { interface, mtu } => copy::up(interface, *mtu),
        MeshState::Down { reason, .. } => reason.clone(),
        MeshState::Unknown => copy::NEWER.to_owned(),
    }
}

fn relay_name(store: Store, id: RelayId) -> Option<String> {
    store
        .relays
        .with(|relays| relays.rows().get(&id).map(|relay| relay.name.clone()))
}

#[component]
fn RelayChoice(device: Signal<Arc<Device>>) -> impl IntoView {
    let toaster = use_toaster();
    let current = Memo::new(move |_| device.with(|device| device.relay));
    let choose = move |(word,): (String,)| {
        let Ok(relay) = word.parse::<RelayPreference>() else {
            return;
        };
        let request = UpdateDevice {
            device: device.with_untracked(|device| device.id.to_string()),
            relay: Some(relay),
            ..UpdateDevice::default()
        };
        spawn_local(async move {
            match send(&request).await {
                Ok(_) => toaster.confirm(copy::RELAY_SAVED.to_owned()),
                Err(failure) => toaster.fail(failure.to_string()),
            }
        });
    };
    view! {
        <Select label="Access Relay" options=copy::relays() value=Signal::derive(move || current.get().to_string())
            on_change=Callback::new(choose)/>
    }
}
