//! What came of it: the device, as it presents itself, and what needs a look.

use super::flow::use_flow;
use crate::{
    components::{
        badge::Tone,
        button::{Button, Kind},
        error_state::Notice,
        focus::focus_when_shown,
        icon::{Icon, lucide},
    },
    copy::{add_device as copy, attention, device as device_copy},
    store::use_store,
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
    focus_when_shown(open);
    let device = move || store.lookup_device(&flow.device.get()?.to_string());
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
            {move || device().map(|device| view! { <dl class="fact-list">{facts(&device)}</dl> })}
            {move || device().map(|device| problems(&device))}
        </section>
        <div class="actions">
            <Button label=copy::OPEN_DEVICE kind=Kind::Primary node_ref=open on_press=go/>
            {(!flow.alone).then(|| view! { <Button label=copy::ADD_ANOTHER on_press=move || flow.start_over()/> })}
            <Button label=copy::DONE kind=Kind::Quiet on_press=move || on_close.run(())/>
        </div>
    }
}

fn facts(device: &Arc<Device>) -> impl IntoView + use<> {
    let system = device
        .facts
        .as_ref()
        .map(|facts| format!("{}, {}", facts.os, facts.arch));
    let rows = [
        (copy::MESH_ADDRESS, Some(device.mesh_ip.to_string())),
        (copy::SYSTEM, system),
        (copy::ENGINE, device.engine.as_ref().map(device_copy::engine)),
    ];
    let row = |(name, value): (&'static str, Option<String>)| {
        value.map(|value| view! { <div><dt>{name}</dt><dd>{value}</dd></div> })
    };
    rows.map(row).collect_view()
}

fn problems(device: &Arc<Device>) -> AnyView {
    if device.attention.is_empty() {
        return view! { <p class="muted">{copy::NO_PROBLEMS}</p> }.into_any();
    }
    let notice =
        |problem| view! { <Notice tone=Tone::Warn text=attention::sentence(device.name.as_str(), problem)/> };
    device.attention.iter().map(notice).collect_view().into_any()
}
