//! The header above the tabs: status, tags, mesh address, path, actions, and notices.

use super::{
    key_of,
    system_agent::{self, InstallService},
};
use crate::{
    actions::{self, DeviceObject, use_acting},
    clock::use_clock,
    components::{
        age::AgeLabel,
        badge::{Status, StatusBadge, Tone},
        button::IconButton,
        error_state::Notice,
        icon::lucide,
        path_badge::PathBadge,
    },
    copy::{attention, device as copy},
    format,
    pages::mesh::PathTest,
    store::{use_store, with_row},
};
use flotilla_protocol::device::{Attention as About, Device, DeviceStatus};
use leptos::prelude::*;
use std::sync::Arc;

#[component]
pub(super) fn Header(device: Signal<Arc<Device>>) -> impl IntoView {
    let status = Signal::derive(move || device.with(|device| Status::of_device(device)));
    let tags = Memo::new(move |_| device.with(|device| device.tags.clone()));
    let this_computer = Memo::new(move |_| device.with(|device| device.this_computer));
    let seen = Memo::new(move |_| {
        device.with(|device| device.last_seen.filter(|_| device.status != DeviceStatus::Online))
    });
    view! {
        <header class="device-head">
            <StatusBadge status chip=true/>
            {move || this_computer.get().then(|| view! { <span class="tag">{copy::THIS_COMPUTER}</span> })}
            {move || seen.get().map(|moment| view! { <AgeLabel moment prefix="last seen"/> })}
            <span class="tags">{move || tags.get().into_iter().map(|tag| view! { <span class="tag">{tag.to_string()}</span> }).collect_view()}</span>
            <MeshAddress device/>
            <PathHere device/>
            <span class="end">{actions::more::<DeviceObject>(key_of(device))}</span>
        </header>
        <Attention device/>
        <Pending device/>
    }
}

/// The path from this computer to the device.
#[component]
fn PathHere(device: Signal<Arc<Device>>) -> impl IntoView {
    let store = use_store();
    store.ensure_paths();
    let here = Memo::new(move |_| {
        store
            .fleet
            .with(|fleet| fleet.as_ref().and_then(|fleet| fleet.this_computer))
    });
    let to = device.with_untracked(|device| device.id);
    move || {
        let from = here.get()?;
        Some(with_row(store.paths, (from, to), move |path| {
            view! { <PathBadge path><PathTest from to/></PathBadge> }
        }))
    }
}

#[component]
fn MeshAddress(device: Signal<Arc<Device>>) -> impl IntoView {
    let acting = use_acting();
    let address = Memo::new(move |_| device.with(|device| device.mesh_ip.to_string()));
    let name = Signal::derive(move || device.with(|device| format!("Copy mesh address of {}", device.name)));
    let copy = move || acting.copy(&address.get_untracked());
    view! {
        <span class="address">
            <span class="mono">{move || address.get()}</span>
            <IconButton name glyph=lucide::COPY on_press=copy/>
        </span>
    }
}

#[component]
fn Attention(device: Signal<Arc<Device>>) -> impl IntoView {
    let found = Memo::new(move |_| device.with(|device| device.attention.clone()));
    let notice = move |about: About| match about {
        About::DockerDesktopHost => desktop_choice(device, attention::desktop_blocked),
        About::DockerDesktop => desktop_choice(device, attention::desktop_beside),
        about @ About::Strayed { .. } => {
            let text = device.with_untracked(|device| attention::sentence(device.name.as_str(), &about));
            let change = actions::button::<DeviceObject>("mode", key_of(device));
            view! { <Notice tone=Tone::Warn text>{change}</Notice> }.into_any()
        }
        About::Mesh { .. } if device.with_untracked(|device| system_agent::can_install(device)) => {
            let device = device.with_untracked(|device| device.name.to_string());
            view! { <InstallService device/> }.into_any()
        }
        about @ About::Cloned { .. } => {
            let text = device.with_untracked(|device| attention::sentence(device.name.as_str(), &about));
            let vouch = actions::button::<DeviceObject>("vouch", key_of(device));
            view! { <Notice tone=Tone::Bad text>{vouch}</Notice> }.into_any()
        }
        about => {
            let text = device.with_untracked(|device| attention::sentence(device.name.as_str(), &about));
            view! { <Notice tone=Tone::Warn text/> }.into_any()
        }
    };
    move || found.get().into_iter().map(notice).collect_view()
}

/// The notice for an engine of Docker Desktop, whose Host networking is that of its virtual machine, with buttons to
/// change the mode or to keep it.
fn desktop_choice(device: Signal<Arc<Device>>, words: fn(&str) -> String) -> AnyView {
    let text = device.with_untracked(|device| words(device.name.as_str()));
    let change = actions::button::<DeviceObject>("mode", key_of(device));
    let keep = actions::button::<DeviceObject>("keep-host", key_of(device));
    view! { <Notice tone=Tone::Warn title=attention::DESKTOP_TITLE text>{change}{keep}</Notice> }.into_any()
}

/// The notice for a device with a command that waits to be run.
#[component]
fn Pending(device: Signal<Arc<Device>>) -> impl IntoView {
    let clock = use_clock();
    let waiting = Memo::new(move |_| device.with(|device| device.token_expires));
    move || {
        let expires = waiting.get()?;
        let left = move || format::countdown(expires.as_second() - clock.second.get().as_second());
        let text = Signal::derive(move || {
            if expires > clock.second.get() {
                format!(
                    "Waiting for the device to run its command. Expires in {}.",
                    left()
                )
            } else {
                format!(
                    "Its command expired at {}. Create a new one.",
                    format::clock_time(expires, clock.half_minute.get())
                )
            }
        });
        let show = actions::button::<DeviceObject>("enrollment", key_of(device));
        Some(view! { <Notice tone=Tone::Info text>{show}</Notice> })
    }
}
