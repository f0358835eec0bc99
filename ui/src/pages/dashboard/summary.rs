//! The strip of figures at the top.

use super::sums::Sums;
use crate::{copy::dashboard as copy, format, store::use_store};
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
                {figure(copy::CONTAINERS, of(|sums| format!("{} running", sums.running)), detail(containers_detail))}
                {figure(copy::CPU, of(|sums| format::percent(sums.cpu.0, sums.cpu.1)), detail(cpu_detail))}
                {figure(copy::MEMORY, of(|sums| share(sums.memory)), detail(|sums| total(sums.memory, format::memory)))}
                {figure(copy::DISK, of(|sums| share(sums.disk)), detail(|sums| total(sums.disk, format::disk)))}
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

fn containers_detail(sums: &Sums) -> (String, &'static str) {
    match sums.unhealthy {
        0 => ("none unhealthy".to_owned(), "muted"),
        unhealthy => (format!("{unhealthy} unhealthy"), "bad"),
    }
}

fn cpu_detail(sums: &Sums) -> (String, &'static str) {
    (format!("{:.1} of {:.0} cores", sums.cpu.0, sums.cpu.1), "muted")
}

#[expect(clippy::cast_precision_loss, reason = "a share in whole percent")]
fn share(used: (u64, u64)) -> String {
    format::percent(used.0 as f64, used.1 as f64)
}

fn total(used: (u64, u64), words: fn(u64) -> String) -> (String, &'static str) {
    (format!("{} of {}", words(used.0), words(used.1)), "muted")
}
