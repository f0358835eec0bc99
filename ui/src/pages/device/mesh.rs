//! The state of the device on the mesh, its relay preference, and the reasons of its paths.

use crate::{
    api::send,
    components::{
        badge::{Status, status_badge},
        select::Select,
        toast::use_toaster,
    },
    copy::{add_device, mesh as copy},
    store::{Store, use_store},
    urgency,
};
use flotilla_protocol::{
    api::{DeviceChange, UpdateDevice},
    device::{Device, RelayPreference},
    id::RelayId,
    mesh::{MeshReport, MeshState},
    path::{Path, PathKind},
};
use leptos::{prelude::*, task::spawn_local};
use std::{collections::BTreeMap, sync::Arc};

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
            <Reasons device/>
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
        MeshState::Up {
            obstacle: Some(obstacle),
            ..
        } => obstacle.reason.clone(),
        MeshState::Up { interface, mtu, .. } => copy::up(interface, *mtu),
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
            change: DeviceChange {
                relay: Some(relay),
                ..DeviceChange::default()
            },
        };
        spawn_local(async move {
            match send(&request).await {
                Ok(_) => toaster.confirm(copy::RELAY_SAVED.to_owned()),
                Err(failure) => toaster.fail(failure.to_string()),
            }
        });
    };
    let meaning = move || add_device::relay(current.get()).1;
    view! {
        <Select label="Access Relay" options=copy::relays() value=Signal::derive(move || current.get().to_string())
            on_change=Callback::new(choose)/>
        <p class="hint">{meaning}" "{add_device::RELAY_HINT}</p>
    }
}

/// The reasons of the device's paths, which show the effect of its relay preference.
#[component]
fn Reasons(device: Signal<Arc<Device>>) -> impl IntoView {
    let store = use_store();
    store.ensure_paths();
    let id = device.with_untracked(|device| device.id);
    let found = Memo::new(move |_| {
        store.paths.with(|paths| {
            let own = paths.rows().values().filter(|path| path.from_id == id);
            reasons(own.map(AsRef::as_ref))
        })
    });
    let line = |(kind, why, count): (PathKind, String, usize)| {
        view! { <li>{status_badge(&Status::of_path(kind), false, false)}<span>{why}</span><span class="muted num">{copy::paths(count)}</span></li> }
    };
    move || {
        let found = found.get();
        (!found.is_empty()).then(|| {
            view! {
                <h3>{copy::NOW}</h3>
                <ul class="reasons">{found.into_iter().map(line).collect_view()}</ul>
            }
        })
    }
}

/// The reasons of these paths, worst first, each with the number of paths.
fn reasons<'a>(paths: impl Iterator<Item = &'a Path>) -> Vec<(PathKind, String, usize)> {
    let mut found: BTreeMap<(u8, &str), (PathKind, usize)> = BTreeMap::new();
    for path in paths {
        let known = found
            .entry((urgency::of_path(path.kind), &path.why))
            .or_insert((path.kind, 0));
        known.1 += 1;
    }
    let reason = |((_, why), (kind, count)): ((u8, &str), (PathKind, usize))| (kind, why.to_owned(), count);
    found.into_iter().map(reason).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(to: u128, kind: &str, why: &str) -> Path {
        serde_json::from_str(&format!(
            r#"{{"from":"nas","from_id":"00000000-0000-7000-8000-000000000001","to":"d{to}",
            "to_id":"00000000-0000-7000-8000-{to:012}","kind":"{kind}","relay":null,"rtt_ms":null,"since":null,
            "why_code":"unknown","why":"{why}","as_of":"2026-01-01T00:00:00Z"}}"#
        ))
        .unwrap()
    }

    #[test]
    fn equal_reasons_are_counted_and_the_worst_comes_first() {
        let always = "Relayed: Access Relay is set to Always on nas";
        let paths = [
            path(2, "direct", "Direct over IPv6"),
            path(3, "relayed", always),
            path(4, "relayed", always),
            path(5, "none", "No path: d5 is offline since 09:12"),
        ];
        let found = reasons(paths.iter());
        let counts: Vec<_> = found.iter().map(|(kind, _, count)| (*kind, *count)).collect();
        assert_eq!(
            counts,
            [(PathKind::None, 1), (PathKind::Relayed, 2), (PathKind::Direct, 1)]
        );
        assert_eq!(found[1].1, always);
    }
}
