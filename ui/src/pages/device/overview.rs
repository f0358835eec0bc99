//! The first tab: usage, pod, containers in trouble, recent events, facts, link and mesh.

use super::{
    cpu::CpuChart, endpoint_trials::EndpointTrials, key_of, mesh::Mesh, pod::PodPanel, tunnel::Tunnel,
};
use crate::{
    actions::{self, DeviceObject, devices::needs_choice},
    clock::use_clock,
    components::{
        age::AgeLabel,
        badge::{Status, StatusBadge},
        meter::Meter,
    },
    copy::device as copy,
    format,
    pages::dashboard::recent::{Recent, newest},
    store::use_store,
    tables::on_device::address_of,
    urgency,
    usage::{self, Measure},
};
use flotilla_protocol::{
    Timestamp,
    api::Row,
    device::{Device, DeviceStatus},
    inventory::Container,
};
use leptos::prelude::*;
use leptos_router::components::A;
use std::sync::Arc;

/// At most this many containers are listed.
const SHOWN: usize = 5;

#[component]
pub(super) fn Overview(device: Signal<Arc<Device>>) -> impl IntoView {
    let id = device.with_untracked(|device| device.id);
    let stale_since = Memo::new(move |_| {
        device.with(|device| {
            Some(device.as_of).filter(|_| device.status != DeviceStatus::Online && device.usage.is_some())
        })
    });
    let events = newest(move |entry| entry.device_id == Some(id));
    view! {
        <div class="overview">
            <div class="column">
                <section class="panel" aria-labelledby="in-use">
                    <h2 id="in-use">{copy::USAGE}" "{move || stale_since.get().map(|moment| view! { <AgeLabel moment prefix="as of"/> })}</h2>
                    <InUse device/>
                    <CpuChart device/>
                </section>
                <PodPanel device/>
                <Containers device/>
                <section class="panel" aria-labelledby="events">
                    <h2 id="events">{copy::RECENT}</h2>
                    <Recent entries=events nothing=copy::NO_EVENTS/>
                </section>
            </div>
            <div class="column">
                <section class="panel" aria-labelledby="facts">
                    <h2 id="facts">{copy::FACTS}</h2>
                    <dl class="fact-list">{move || rows(device.with(|device| facts(device)))}</dl>
                    <ChangeButton device/>
                </section>
                <section class="panel" aria-labelledby="link">
                    <h2 id="link">{copy::LINK}</h2>
                    <Link device/>
                    <Tunnel device/>
                    <EndpointTrials device/>
                </section>
                <Mesh device/>
            </div>
        </div>
    }
}

/// The button to change the mode, unless the notice in the header has it.
#[component]
fn ChangeButton(device: Signal<Arc<Device>>) -> impl IntoView {
    let offered = Memo::new(move |_| device.with(|device| needs_choice(device)));
    let button = move || actions::button::<DeviceObject>("mode", key_of(device));
    move || (!offered.get()).then(|| view! { <div class="actions">{button()}</div> })
}

type Fact = (&'static str, String);

fn rows(facts: Vec<Fact>) -> impl IntoView {
    facts
        .into_iter()
        .map(|(name, value)| view! { <div><dt>{name}</dt><dd>{value}</dd></div> })
        .collect_view()
}

fn facts(device: &Device) -> Vec<Fact> {
    let mut rows: Vec<Fact> = Vec::new();
    if let Some(facts) = &device.facts {
        rows.push(("Operating system", facts.os.clone()));
        rows.push((
            "Architecture",
            format!(
                "{}, {}",
                facts.arch,
                format::counted(facts.cpus as usize, "core", "cores")
            ),
        ));
        rows.push(("Memory", format::memory(facts.memory_bytes)));
    }
    if let Some(engine) = &device.engine {
        rows.push(("Engine", copy::engine(engine)));
    }
    if let Some(version) = &device.agent_version {
        let place = if device.facts.as_ref().is_some_and(|facts| facts.containerized) {
            ", in a container"
        } else {
            ""
        };
        rows.push(("Agent", format!("{version}{place}")));
    }
    rows.push(("Network mode", copy::mode(device.mode).to_owned()));
    rows
}

#[component]
fn InUse(device: Signal<Arc<Device>>) -> impl IntoView {
    let stale = Signal::derive(move || device.with(|device| device.status != DeviceStatus::Online));
    let name = device.with_untracked(|device| device.name.to_string());
    let percent =
        move |measure| Signal::derive(move || device.with(|device| usage::percent(device, measure)));
    let text = move |measure| Signal::derive(move || device.with(|device| usage::words(device, measure)));
    // A device that never was online has no figures to wait for.
    let known = Memo::new(move |_| {
        device.with(|device| device.usage.is_some() || device.status == DeviceStatus::Online)
    });
    move || {
        if known.get() {
            view! {
                <div class="meters">
                    <Meter name=format!("CPU of {name}") label="CPU" percent=percent(Measure::Cpu) text=text(Measure::Cpu) stale/>
                    <Meter name=format!("Memory of {name}") label="Memory" percent=percent(Measure::Memory) text=text(Measure::Memory) stale/>
                    <Meter name=format!("Disk of {name}") label="Disk" percent=percent(Measure::Disk) text=text(Measure::Disk) stale/>
                    <p class="caption muted">{move || device.with(|device| figures(device))}</p>
                </div>
            }
            .into_any()
        } else {
            view! { <p class="muted">{copy::NO_FACTS}</p> }.into_any()
        }
    }
}

/// The figures of the meters in words.
fn figures(device: &Device) -> String {
    let known = [Measure::Cpu, Measure::Memory, Measure::Disk].map(|measure| {
        let share = usage::share(device, measure);
        share.map(|share| usage::amounts(measure, share))
    });
    let known: Vec<_> = known.into_iter().flatten().collect();
    if known.is_empty() {
        copy::NO_FIGURES.to_owned()
    } else {
        known.join(" · ")
    }
}

#[component]
fn Link(device: Signal<Arc<Device>>) -> impl IntoView {
    let clock = use_clock();
    let rows = move || {
        let now = clock.half_minute.get();
        rows(device.with(|device| link(device, now)))
    };
    view! { <dl class="fact-list">{rows}</dl> }
}

fn link(device: &Device, now: Timestamp) -> Vec<Fact> {
    let link = &device.link;
    let mut rows: Vec<Fact> = Vec::new();
    match link.since {
        Some(since) => rows.push((
            "Connected",
            format!(
                "since {}, for {}",
                format::clock_time(since, now),
                format::span(now.as_second() - since.as_second())
            ),
        )),
        None => rows.push(("Connected", "No".to_owned())),
    }
    if let Some(remote) = &link.remote {
        rows.push(("From", remote.clone()));
    }
    if let Some(rtt) = link.rtt_ms {
        rows.push(("RTT", format!("{rtt:.1} ms")));
    }
    if let Some(skew) = link.clock_skew_seconds {
        let words = match skew {
            0 => "none".to_owned(),
            behind if behind < 0 => format!("{} behind", format::span(-behind)),
            ahead => format!("{} ahead", format::span(ahead)),
        };
        rows.push(("Clock skew", words));
    }
    if let Some(drop) = &link.last_drop {
        rows.push((
            "Last drop",
            format!("{}: {}", format::clock_time(drop.at, now), drop.reason),
        ));
    }
    rows
}

#[component]
fn Containers(device: Signal<Arc<Device>>) -> impl IntoView {
    let store = use_store();
    store.ensure_containers();
    let id = device.with_untracked(|device| device.id);
    let troubled = Memo::new(move |_| {
        store.containers.with(|containers| {
            let own = containers.rows().values().filter(|row| row.device_id == id);
            let mut troubled: Vec<_> = own.filter(|row| row.item.trouble().is_some()).cloned().collect();
            troubled.sort_by_key(|row| urgency::of_container(&row.item));
            troubled.truncate(SHOWN);
            troubled
        })
    });
    let stale = Signal::derive(move || device.with(|device| device.status != DeviceStatus::Online));
    let line = move |row: Arc<Row<Container>>| {
        let path = address_of(&row);
        let status = Status::of_container(&row.item);
        view! {
            <li>
                <A href=path>{row.item.name.clone()}</A>
                <StatusBadge status stale/>
            </li>
        }
    };
    move || {
        let troubled = troubled.get();
        (!troubled.is_empty()).then(|| {
            view! {
                <section class="panel" aria-labelledby="look">
                    <h2 id="look">{copy::TOP_CONTAINERS}</h2>
                    <ul class="short-list">{troubled.into_iter().map(line).collect_view()}</ul>
                </section>
            }
        })
    }
}
