//! The result: facts of the new device, and its problems.

use super::{flow::use_flow, problems::Problems};
use crate::{
    components::{
        button::{Button, ButtonKind},
        focus::focus_if_lost,
        icon::{Icon, lucide},
    },
    copy::{add_device as copy, device as device_copy},
    store::{Store, use_store},
};
use flotilla_protocol::device::Device;
use leptos::{html, prelude::*};
use leptos_router::hooks::use_navigate;
use std::sync::Arc;

#[component]
pub(super) fn ResultCard(on_close: Callback<()>) -> impl IntoView {
    let flow = use_flow();
    let store = use_store();
    let navigate = use_navigate();
    let open = NodeRef::<html::Button>::new();
    focus_if_lost(open);
    store.ensure_paths();
    let device = Memo::new(move |_| store.lookup_device(&flow.device.get()?.to_string()));
    let rows = Memo::new(move |_| device.get().map(|device| facts(&device, store)));
    let row = |(name, value): (&'static str, String)| view! { <div><dt>{name}</dt><dd>{value}</dd></div> };
    let facts = move || {
        let rows = rows.get()?;
        Some(view! { <dl class="fact-list">{rows.into_iter().map(row).collect_view()}</dl> })
    };
    let go = move || {
        if let Some(device) = flow.device.get_untracked() {
            navigate(&format!("/devices/{device}"), Default::default());
        }
    };
    view! {
        <section class="result">
            <div class="result-head">
                <span class="ok"><Icon glyph=lucide::CIRCLE_CHECK/></span>
                <div role="status" aria-label=copy::STATUS>{move || flow.name.with(|name| format!("{name} is online"))}</div>
            </div>
            {facts}
            <Problems device/>
        </section>
        <div class="actions">
            <Button label=copy::OPEN_DEVICE kind=ButtonKind::Primary node_ref=open on_press=go/>
            {(!flow.last_step_only).then(|| view! { <Button label=copy::ADD_ANOTHER on_press=move || flow.start_over()/> })}
            <Button label=copy::DONE kind=ButtonKind::Quiet on_press=move || on_close.run(())/>
        </div>
    }
}

fn facts(device: &Arc<Device>, store: Store) -> Vec<(&'static str, String)> {
    let system = device
        .facts
        .as_ref()
        .map(|facts| format!("{}, {}", facts.os, facts.arch));
    let rows = [
        (copy::MESH_ADDRESS, Some(device.mesh_ip.to_string())),
        (copy::SYSTEM, system),
        (copy::ENGINE, device.engine.as_ref().map(device_copy::engine)),
        (copy::PATH, path_from_here(device, store)),
    ];
    let known = |(name, value): (&'static str, Option<String>)| Some((name, value?));
    rows.into_iter().filter_map(known).collect()
}

/// The path from this computer to the device on the mesh, once it is known.
fn path_from_here(device: &Arc<Device>, store: Store) -> Option<String> {
    let here = store
        .fleet
        .with(|fleet| fleet.as_ref().and_then(|fleet| fleet.this_computer))?;
    store
        .paths
        .with(|paths| paths.rows().get(&(here, device.id)).map(|path| path.why.clone()))
}
