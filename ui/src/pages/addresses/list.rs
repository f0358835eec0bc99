//! The list of addresses: a short one in Add Device, and the full one in Settings.

use super::{Address, SelfTest, address::DeviceTrial, addresses, removal::Removal};
use crate::{
    components::{
        age::AgeLabel,
        badge::{Status, Tone, status_badge},
        button::IconButton,
        icon::{Icon, lucide},
    },
    copy::addresses as copy,
    store::{Store, use_store},
};
use flotilla_protocol::{api::ReachableAt, endpoint::Endpoint};
use leptos::prelude::*;

#[component]
pub fn AddressList(
    test: SelfTest,
    /// With the trials by devices, and buttons to remove added addresses.
    #[prop(optional)]
    full: bool,
) -> impl IntoView {
    let store = use_store();
    let rows = Memo::new(move |_| listed(store, test));
    let removal = full.then(Removal::new);
    let endpoints = move || rows.with(|rows| rows.iter().map(|row| row.endpoint.clone()).collect::<Vec<_>>());
    let item = move |endpoint: Endpoint| {
        let row =
            Memo::new(move |_| rows.with(|rows| rows.iter().find(|row| row.endpoint == endpoint).cloned()));
        view! { <li>{move || row.get().map(|row| line(row, removal))}</li> }
    };
    let nothing = move || {
        let none = store
            .fleet
            .with(|fleet| fleet.as_ref().is_some_and(|fleet| fleet.endpoints.is_empty()));
        none.then(|| view! { <p class="hint">{copy::NONE}</p> })
    };
    view! {
        <ul class="addresses" aria-label=copy::LIST>
            <For each=endpoints key=Endpoint::to_string children=item/>
        </ul>
        {nothing}
        {removal.map(Removal::question)}
    }
}

fn listed(store: Store, test: SelfTest) -> Vec<Address> {
    let tests = test.answers();
    store.devices.with(|devices| {
        store.fleet.with(|fleet| {
            let devices = devices.rows().values();
            fleet
                .as_ref()
                .map(|fleet| addresses(fleet, devices, &tests))
                .unwrap_or_default()
        })
    })
}

fn line(address: Address, removal: Option<Removal>) -> impl IntoView {
    let name = address.endpoint.to_string();
    let reason = address
        .own
        .as_ref()
        .and_then(|own| own.reason.clone().or_else(|| own.doubt.clone()));
    let added = address
        .added
        .then(|| view! { <span class="tag">{copy::ADDED}</span> });
    let outcome = if removal.is_some() {
        results(&address)
    } else {
        view! { <p class="muted">{sentence(&address)}</p> }.into_any()
    };
    let status = status_badge(&status(address.own.as_ref()), false, false);
    let remove = removal.filter(|_| address.added).map(|removal| {
        let press = move || removal.press(&address);
        view! { <IconButton name=copy::remove(&name) glyph=lucide::TRASH_2 reason=removal.reason() on_press=press/> }
    });
    view! {
        <div class="address"><span class="mono">{name}</span>{status}{added}{remove}</div>
        {reason.map(|reason| view! { <p class="hint">{reason}</p> })}
        {outcome}
    }
}

/// The status by the controller's own test.
fn status(own: Option<&ReachableAt>) -> Status {
    let (tone, glyph, word) = match own {
        None => (Tone::Off, lucide::CIRCLE_DASHED, copy::TESTING),
        Some(own) if own.reachable => (Tone::Ok, lucide::CIRCLE_CHECK, copy::REACHABLE),
        Some(_) => (Tone::Bad, lucide::UNLINK, copy::NOT_REACHABLE),
    };
    Status {
        tone,
        glyph,
        word: word.to_owned(),
    }
}

fn sentence(address: &Address) -> String {
    copy::reached_by(&address.devices(true), &address.devices(false))
}

/// The trials by devices, folded behind a sentence that sums them up.
fn results(address: &Address) -> AnyView {
    let sentence = sentence(address);
    let Some(newest) = address.newest() else {
        return view! { <p class="muted">{sentence}</p> }.into_any();
    };
    let endpoint = address.endpoint.to_string();
    view! {
        <details>
            <summary>{sentence}" · "<AgeLabel moment=newest/><span class="visually-hidden">" "{endpoint}</span></summary>
            <ul class="tested">{address.trials.iter().map(result).collect_view()}</ul>
        </details>
    }
    .into_any()
}

fn result(trial: &DeviceTrial) -> impl IntoView + use<> {
    let (class, glyph, words) = if trial.reached {
        ("ok", lucide::CIRCLE_CHECK, copy::device_reached(&trial.device))
    } else {
        let reason = trial.reason.as_deref().unwrap_or_default();
        (
            "bad",
            lucide::CIRCLE_X,
            copy::device_missed(&trial.device, reason),
        )
    };
    view! {
        <li><span class=class><Icon glyph/></span><span>{words}</span><AgeLabel moment=trial.at/></li>
    }
}
