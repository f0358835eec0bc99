//! The problems that a new device reports, with actions about them.

use super::{flow::use_flow, ssh_progress::push_of};
use crate::{
    actions::{self, DeviceObject},
    components::{badge::Tone, button::Button, error_state::Notice},
    copy::{add_device as copy, attention, mode},
    store::use_store,
};
use flotilla_protocol::device::{Attention, Device, EndpointTrial};
use leptos::prelude::*;
use leptos_router::hooks::use_navigate;
use std::sync::Arc;

#[component]
pub(super) fn Problems(device: Memo<Option<Arc<Device>>>) -> impl IntoView {
    let (flow, store) = (use_flow(), use_store());
    let found =
        Memo::new(move |_| device.with(|device| device.as_ref().map(|device| device.attention.clone())));
    let missed = Memo::new(move |_| {
        device.with(|device| {
            let trials = device.iter().flat_map(|device| device.endpoint_trials.iter());
            trials.filter(|trial| !trial.reached).cloned().collect::<Vec<_>>()
        })
    });
    let tunneled = Memo::new(move |_| push_of(flow, store).is_some_and(|push| push.tunneled));
    let problems = move || {
        let found = found.get().unwrap_or_default();
        flow.name.with(|name| {
            let notice = |problem: &Attention| match problem {
                Attention::DockerDesktopHost => {
                    view! { <DockerDesktop text=attention::sentence(name, problem)/> }.into_any()
                }
                _ => view! { <Notice tone=Tone::Warn text=attention::sentence(name, problem)/> }.into_any(),
            };
            found.iter().map(notice).collect_view()
        })
    };
    let nothing = move || {
        let is_none = found.with(|found| found.as_ref().is_some_and(Vec::is_empty))
            && missed.with(Vec::is_empty)
            && !tunneled.get();
        is_none.then(|| view! { <p class="muted">{copy::NO_PROBLEMS}</p> })
    };
    let by_tunnel = move || {
        tunneled.get().then(|| {
            let text = flow.name.with(|name| copy::tunneled(name));
            view! { <Notice tone=Tone::Info title=copy::TUNNEL text/> }
        })
    };
    view! {
        {problems}
        {by_tunnel}
        {move || (!missed.with(Vec::is_empty)).then(|| view! { <MissedAddresses missed/> })}
        {nothing}
    }
}

/// Host networking on Docker Desktop is that of its virtual machine: the device lets nothing in until the person keeps
/// the mode or chooses another.
#[component]
fn DockerDesktop(text: String) -> impl IntoView {
    let flow = use_flow();
    let key = Signal::derive(move || flow.device.get().map(|device| device.to_string()));
    let navigate = use_navigate();
    // The dialog that changes the mode opens on the page of the device, since dialogs are not nested.
    let change = move || {
        let id = key.get_untracked().unwrap_or_default();
        navigate(&format!("/devices/{id}?ask=mode"), Default::default());
    };
    let keep = actions::button::<DeviceObject>("keep-host", key);
    view! { <Notice tone=Tone::Warn text><Button label=mode::CHANGE on_press=change/>{keep}</Notice> }
}

/// Addresses of the controller that did not work from the device. It is online by another one.
#[component]
fn MissedAddresses(missed: Memo<Vec<EndpointTrial>>) -> impl IntoView {
    let flow = use_flow();
    let line = |trial: EndpointTrial| {
        view! {
            <li>
                <span class="mono">{trial.endpoint.to_string()}</span>
                <span>{trial.reason}</span>
            </li>
        }
    };
    view! {
        <section class="missed" aria-labelledby="missed">
            <h3 id="missed" class="label">{move || flow.name.with(|name| copy::missed(name))}</h3>
            <p class="hint">{copy::MISSED_HINT}</p>
            <ul class="tested">{move || missed.get().into_iter().map(line).collect_view()}</ul>
        </section>
    }
}
