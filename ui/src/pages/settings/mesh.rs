//! The mesh's range of addresses, and the relays.

use crate::{
    api::send,
    components::{
        badge::{Status, Tone, status_badge},
        button::Button,
        error_state::ErrorState,
        field::Field,
        icon::lucide,
        select::Select,
        toast::use_toaster,
    },
    copy::mesh as copy,
    store::use_store,
};
use flotilla_protocol::{
    api::{PromoteRelay, RelayFacts, UpdateFleet},
    device::DeviceStatus,
};
use leptos::{ev::SubmitEvent, prelude::*, task::spawn_local};

#[component]
pub(super) fn Mesh() -> impl IntoView {
    view! {
        <section class="panel section" aria-labelledby="mesh">
            <h2 id="mesh">{copy::MESH}</h2>
            <Range/>
            <Relays/>
        </section>
    }
}

#[component]
fn Range() -> impl IntoView {
    let store = use_store();
    let toaster = use_toaster();
    let known = Memo::new(move |_| {
        store
            .fleet
            .with(|fleet| fleet.as_ref().map(|fleet| fleet.mesh_cidr.clone()))
    });
    let typed = RwSignal::new(None::<String>);
    let value = Signal::derive(move || typed.get().or_else(|| known.get()).unwrap_or_default());
    let refused = RwSignal::new(None::<String>);
    let busy = RwSignal::new(false);
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        refused.set(None);
        let request = UpdateFleet {
            mesh_cidr: Some(value.get_untracked().trim().to_owned()),
            ..UpdateFleet::default()
        };
        spawn_local(async move {
            match send(&request).await {
                Ok(fleet) => {
                    store.fleet.set(Some(fleet));
                    typed.try_set(None);
                    toaster.confirm(copy::RANGE_CHANGED.to_owned());
                }
                Err(failure) => _ = refused.try_set(Some(failure.to_string())),
            }
            busy.try_set(false);
        });
    };
    let changed = move || typed.get().is_some_and(|typed| Some(typed) != known.get());
    view! {
        <form class="range" on:submit=submit novalidate>
            <Field label=copy::RANGE value hint=copy::RANGE_HINT verbatim=true error=refused
                on_input=move |text| typed.set(Some(text))/>
            {move || changed().then(|| view! { <div class="actions"><Button label=copy::CHANGE_RANGE submit=true busy/></div> })}
        </form>
    }
}

#[component]
fn Relays() -> impl IntoView {
    let store = use_store();
    store.ensure_relays();
    store.ensure_devices();
    let refused = RwSignal::new(None::<String>);
    let promote = Callback::new(move |(device, relay): (String, bool)| {
        refused.set(None);
        let request = PromoteRelay {
            device,
            relay,
            ..PromoteRelay::default()
        };
        spawn_local(async move {
            if let Err(failure) = send(&request).await {
                refused.try_set(Some(failure.to_string()));
            }
        });
    });
    let list = move || {
        let relays: Vec<_> = store
            .relays
            .with(|relays| relays.rows().values().cloned().collect());
        relays.iter().map(|relay| one(relay, promote)).collect_view()
    };
    let free = Memo::new(move |_| {
        store.devices.with(|devices| {
            let able = devices
                .rows()
                .values()
                .filter(|d| d.status == DeviceStatus::Online && !d.is_relay);
            able.map(|device| device.name.to_string()).collect::<Vec<_>>()
        })
    });
    let chosen = RwSignal::new(String::new());
    Effect::new(move || {
        free.with(|free| {
            if chosen.with_untracked(|chosen| !free.contains(chosen)) {
                chosen.set(free.first().cloned().unwrap_or_default());
            }
        });
    });
    let reason = Signal::derive(move || free.with(Vec::is_empty).then(|| copy::NO_CANDIDATE.to_owned()));
    let choice = move || {
        let options = free
            .get()
            .into_iter()
            .map(|name| (name.clone(), name))
            .collect::<Vec<_>>();
        view! { <Select label=copy::DEVICE options value=chosen on_change=move |name| chosen.set(name)/> }
    };
    view! {
        <h3>{copy::RELAYS}</h3>
        <p class="muted">{copy::SETTINGS_TEXT}</p>
        <ul class="relays">{list}</ul>
        <div class="actions">
            {choice}
            <Button label=copy::MAKE_RELAY reason on_press=move || promote.run((chosen.get_untracked(), true))/>
        </div>
        {move || refused.get().map(|message| view! { <ErrorState message/> })}
    }
}

fn one(relay: &RelayFacts, promote: Callback<(String, bool)>) -> impl IntoView + use<> {
    let (tone, glyph, word) = if relay.up {
        (Tone::Ok, lucide::CIRCLE_CHECK, copy::UP)
    } else {
        (Tone::Bad, lucide::UNPLUG, copy::DOWN)
    };
    let status = Status {
        tone,
        glyph,
        word: word.to_owned(),
    };
    let name = relay
        .device
        .as_ref()
        .map_or_else(|| copy::CONTROLLER.to_owned(), ToString::to_string);
    let endpoints: Vec<_> = relay.endpoints.iter().map(ToString::to_string).collect();
    let stop = relay.device.as_ref().map(|device| {
        let (device, label) = (device.to_string(), copy::stop_relay(device.as_str()));
        view! { <Button label on_press=move || promote.run((device.clone(), false))/> }
    });
    view! {
        <li>
            <strong>{name}</strong>
            {status_badge(&status, false, false)}
            <span class="mono">{endpoints.join(", ")}</span>
            <span class="muted">{copy::listening(relay.devices)}</span>
            {stop}
        </li>
    }
}
