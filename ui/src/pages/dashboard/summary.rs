//! The strip of figures at the top of the dashboard.

use super::sums::Sums;
use crate::{
    copy::dashboard as copy,
    format,
    store::use_store,
    usage::{self, Measure},
};
use leptos::prelude::*;

#[component]
pub(super) fn Summary() -> impl IntoView {
    let store = use_store();
    let sums = Memo::new(move |_| {
        store
            .devices
            .with(|devices| Sums::of(devices.rows().values().map(AsRef::as_ref)))
    });
    let figure = |name: &'static str, value: Signal<String>, detail: Signal<(String, &'static str)>| {
        view! {
            <div class="figure">
                <dt>{name}</dt>
                <dd>
                    <strong>{move || value.get()}</strong>
                    <span class=move || detail.get().1>{move || detail.get().0}</span>
                </dd>
            </div>
        }
    };
    let of = move |words: fn(&Sums) -> String| Signal::derive(move || sums.with(words));
    let detail = move |words: fn(&Sums) -> (String, &'static str)| Signal::derive(move || sums.with(words));
    view! {
        <section class="summary panel" aria-label=copy::SUMMARY>
            <dl>
                {figure(copy::DEVICES, of(devices), detail(devices_detail))}
                {figure(copy::CONTAINERS, of(containers), detail(containers_detail))}
                {figure(copy::CPU, of(|sums| format::percent(sums.cpu.0, sums.cpu.1)), detail(|sums| amounts(Measure::Cpu, sums.cpu)))}
                {figure(copy::MEMORY, of(|sums| format::percent(sums.memory.0, sums.memory.1)), detail(|sums| amounts(Measure::Memory, sums.memory)))}
                {figure(copy::DISK, of(|sums| format::percent(sums.disk.0, sums.disk.1)), detail(|sums| amounts(Measure::Disk, sums.disk)))}
            </dl>
            <p class="caption faint">{move || sums.with(|sums| copy::reporting(sums.reporting, sums.devices))}</p>
        </section>
    }
}

fn devices(sums: &Sums) -> String {
    format!("{} of {} online", sums.online, sums.devices)
}

fn devices_detail(sums: &Sums) -> (String, &'static str) {
    match (sums.offline, sums.pending) {
        (0, 0) => ("all connected".to_owned(), "muted"),
        (0, pending) => (format!("{pending} pending"), "info"),
        (offline, _) => (format!("{offline} not connected"), "bad"),
    }
}

fn containers(sums: &Sums) -> String {
    if sums.counted == 0 {
        format::NOTHING.to_owned()
    } else {
        format!("{} running", sums.running)
    }
}

fn containers_detail(sums: &Sums) -> (String, &'static str) {
    match sums.troubled {
        _ if sums.counted == 0 => (copy::NOT_REPORTED.to_owned(), "muted"),
        0 => ("none in trouble".to_owned(), "muted"),
        troubled => (format!("{troubled} in trouble"), "bad"),
    }
}

fn amounts(measure: Measure, share: (f64, f64)) -> (String, &'static str) {
    if share.1 > 0.0 {
        (usage::amounts(measure, share), "muted")
    } else {
        (copy::NOT_REPORTED.to_owned(), "muted")
    }
}
