//! The pod of a device in pause mode: the containers with its mesh address, and their ports.

use crate::{
    actions::use_acting,
    components::{
        badge::{Status, StatusBadge, Tone},
        error_state::Notice,
        icon::{Icon, lucide},
    },
    copy::pods as copy,
    pages::containers::pod::{Address, Pod, addresses},
    store::use_store,
    tables::on_device::address_of,
};
use flotilla_protocol::{
    api::Row,
    device::{Device, DeviceStatus, NetworkMode},
    inventory::{Container, PodRole},
};
use leptos::prelude::*;
use leptos_router::components::A;
use std::{net::Ipv4Addr, sync::Arc};

#[component]
pub(super) fn PodPanel(device: Signal<Arc<Device>>) -> impl IntoView {
    let store = use_store();
    store.ensure_containers();
    let id = device.with_untracked(|device| device.id);
    let ip = Memo::new(move |_| device.with(|device| device.mesh_ip));
    let stale = Signal::derive(move || device.with(|device| device.status != DeviceStatus::Online));
    let pauses = Memo::new(move |_| device.with(|device| device.mode == NetworkMode::Pause));
    let pod = Memo::new(move |_| store.containers.with(|containers| Pod::of(containers, id)));
    let missing = move || {
        let is_known = store.containers.with(|containers| containers.is_filled());
        let text = if pod.with(Option::is_some) {
            copy::NO_PAUSE
        } else {
            copy::NO_POD
        };
        let is_there = pod.with(|pod| pod.as_ref().is_some_and(|pod| pod.pause.is_some()));
        (is_known && !is_there).then(|| view! { <Notice tone=Tone::Info text=text.to_owned()/> })
    };
    let content = move || {
        let (ip, pod) = (ip.get(), pod.get()?);
        let alone = pod.members.iter().all(|row| row.item.is_agent);
        let rows: Vec<_> = pod.pause.into_iter().chain(pod.members).collect();
        Some(view! {
            <p class="hint">{copy::shares(ip)}</p>
            <ul class="pod-list">{rows.into_iter().map(|row| member(&row, ip, stale)).collect_view()}</ul>
            {alone.then(|| view! { <p class="muted">{copy::ALONE}</p> })}
            <p><A href=format!("/devices/{id}/containers")>{copy::SEE_CONTAINERS}</A></p>
        })
    };
    move || {
        pauses.get().then(|| {
            view! {
                <section class="panel" aria-labelledby="pod">
                    <h2 id="pod">{copy::POD}" "<span class="mono">{move || ip.get().to_string()}</span></h2>
                    {missing}
                    {content}
                </section>
            }
        })
    }
}

fn member(row: &Arc<Row<Container>>, ip: Ipv4Addr, stale: Signal<bool>) -> impl IntoView + use<> {
    let container = &row.item;
    let (name, status) = (container.name.clone(), Status::of_container(container));
    let path = address_of(row);
    let what = match container.pod {
        Some(PodRole::Pause) => Some(copy::HOLDS),
        _ if container.is_agent => Some(copy::IS_AGENT),
        _ => None,
    };
    let own = addresses(ip, container);
    let none = (own.is_empty() && what.is_none()).then_some(copy::NO_PORTS);
    let places = (!own.is_empty()).then(|| {
        view! {
            <span class="places" role="group" aria-label=copy::ports_of(&container.name)>
                {own.into_iter().map(|address| view! { <AddressButton address/> }).collect_view()}
            </span>
        }
    });
    view! {
        <li>
            <span class="who"><A href=path>{name}</A><StatusBadge status stale/></span>
            {what.or(none).map(|what| view! { <span class="muted">{what}</span> })}
            {places}
        </li>
    }
}

/// A button with an address, which copies it.
#[component]
fn AddressButton(address: Address) -> impl IntoView {
    let acting = use_acting();
    let (words, place) = (address.words(), address.place());
    let name = copy::copy_address(&words);
    let take = move |_| acting.copy(&place);
    view! {
        <button type="button" class="place mono" aria-label=name.clone() title=name on:click=take>{words}<Icon glyph=lucide::COPY/></button>
    }
}
