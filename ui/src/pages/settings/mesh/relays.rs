//! The relays with their addresses, and the form that makes a device a relay.

use crate::{
    api::{Failure, send},
    components::{
        badge::{Status, Tone, status_badge},
        button::{Button, ButtonKind},
        error_state::ErrorState,
        field::Field,
        icon::lucide,
        select::Select,
    },
    copy::mesh as copy,
    store::{Store, use_store},
};
use flotilla_protocol::{
    api::{PromoteRelay, RelayChange, RelayFacts, Verb},
    device::{Device, DeviceStatus, NetworkMode},
    endpoint::Endpoint,
};
use leptos::{ev::SubmitEvent, prelude::*, task::spawn_local};
use std::ops::RangeInclusive;

/// The typed fields of a relay, and the answer of the controller. A handle: copies share the same signals.
#[derive(Debug, Clone, Copy)]
struct RelayDraft {
    /// The device whose relay is edited; `None` for a new relay.
    edited: RwSignal<Option<String>>,
    device: RwSignal<String>,
    port: RwSignal<String>,
    address: RwSignal<String>,
    /// In Mbit/s.
    limit: RwSignal<String>,
    busy: RwSignal<bool>,
    refused: RwSignal<Option<Failure>>,
}

impl RelayDraft {
    fn new() -> Self {
        Self {
            edited: RwSignal::new(None),
            device: RwSignal::default(),
            port: RwSignal::default(),
            address: RwSignal::default(),
            limit: RwSignal::default(),
            busy: RwSignal::new(false),
            refused: RwSignal::new(None),
        }
    }

    /// Clears the fields, for a new relay.
    fn clear(self) {
        self.edited.set(None);
        self.port.set(String::new());
        self.address.set(String::new());
        self.limit.set(String::new());
        self.refused.set(None);
    }

    /// Fills the fields with the relay of a device.
    fn edit(self, relay: &RelayFacts, device: &Device) {
        self.clear();
        self.edited.set(Some(device.name.to_string()));
        // The device's own addresses come last, with the port that it listens on.
        let port = relay.endpoints.last().map(|last| last.port().to_string());
        self.port.set(port.unwrap_or_default());
        let address = chosen_address(relay, device).map(ToString::to_string);
        self.address.set(address.unwrap_or_default());
        let limit = relay.mbit_per_second.map(|limit| limit.to_string());
        self.limit.set(limit.unwrap_or_default());
    }

    fn request(self) -> Option<PromoteRelay> {
        let address = self.address.get_untracked().trim().to_owned();
        Some(PromoteRelay {
            device: self
                .edited
                .get_untracked()
                .unwrap_or_else(|| self.device.get_untracked()),
            change: RelayChange {
                relay: true,
                port: self
                    .port
                    .with_untracked(|port| parse_number(port, &PORTS))?
                    .and_then(|port| port.try_into().ok()),
                mbit_per_second: self.limit.with_untracked(|limit| parse_number(limit, &LIMITS))?,
                address: Some(address).filter(|address| !address.is_empty()),
            },
        })
    }

    fn send(self, request: PromoteRelay) {
        if self.busy.get_untracked() {
            return;
        }
        self.busy.set(true);
        self.refused.set(None);
        spawn_local(async move {
            let outcome = send(&request).await;
            // `try_set` answers the value if the page was left meanwhile.
            if self.busy.try_set(false).is_some() {
                return;
            }
            match outcome {
                Ok(_) if request.change.relay => self.clear(),
                Ok(_) => {}
                Err(failure) => self.refused.set(Some(failure)),
            }
        });
    }

    /// Why the relay cannot be made or changed.
    fn reason(self, store: Store, candidates: Memo<Vec<String>>) -> Signal<Option<String>> {
        Signal::derive(move || match self.edited.get() {
            Some(device) => why_not(store, &device),
            None if candidates.with(Vec::is_empty) => Some(copy::NO_CANDIDATE.to_owned()),
            None => self.device.with(|device| why_not(store, device)),
        })
    }

    /// The controller's refusal of this field.
    fn refusal_of(self, field: &'static str) -> Option<String> {
        self.refused.with(|refused| {
            let refused = refused.as_ref().filter(|refused| refused.field() == Some(field));
            refused.map(ToString::to_string)
        })
    }

    /// The error of a number: the controller's refusal, or that it is out of range.
    fn error(
        self,
        field: &'static str,
        typed: RwSignal<String>,
        range: &'static RangeInclusive<u32>,
        wrong: &'static str,
    ) -> Signal<Option<String>> {
        Signal::derive(move || {
            let is_wrong = typed.with(|text| parse_number(text, range).is_none());
            self.refusal_of(field)
                .or_else(|| is_wrong.then(|| wrong.to_owned()))
        })
    }

    /// The controller's refusal of none of the fields.
    fn other_refusal(self) -> Option<String> {
        self.refused.with(|refused| {
            let own =
                |refused: &&Failure| !matches!(refused.field(), Some("port" | "address" | "mbit_per_second"));
            refused.as_ref().filter(own).map(ToString::to_string)
        })
    }
}

/// The address that the person chose for a relay: the first one, unless it is an own address of the device.
fn chosen_address<'a>(relay: &'a RelayFacts, device: &Device) -> Option<&'a Endpoint> {
    let candidates = device.mesh.iter().flat_map(|mesh| &mesh.candidates);
    let own: Vec<_> = candidates.map(|candidate| candidate.address.ip()).collect();
    let is_chosen = |first: &&Endpoint| first.ip().is_none_or(|ip| !own.contains(&ip));
    relay.endpoints.first().filter(is_chosen)
}

/// Ports of a relay. It also uses the port after this one, so the last port is not possible.
const PORTS: RangeInclusive<u32> = 1..=65_534;

/// The limits that the controller accepts, in Mbit/s.
const LIMITS: RangeInclusive<u32> = 1..=100_000;

/// The typed number: `None` if it is wrong, `Some(None)` if nothing is typed.
#[expect(
    clippy::option_option,
    reason = "no number and no choice of one are different"
)]
fn parse_number(text: &str, range: &RangeInclusive<u32>) -> Option<Option<u32>> {
    match text.trim() {
        "" => Some(None),
        text => text
            .parse()
            .ok()
            .filter(|number| range.contains(number))
            .map(Some),
    }
}

#[component]
pub(super) fn Relays() -> impl IntoView {
    let store = use_store();
    store.ensure_relays();
    store.ensure_devices();
    let draft = RelayDraft::new();
    let list = move || {
        let relays = store
            .relays
            .with(|relays| relays.rows().values().cloned().collect::<Vec<_>>());
        relays
            .iter()
            .map(|relay| relay_line(relay, store, draft))
            .collect_view()
    };
    view! {
        <h3>{copy::RELAYS}</h3>
        <p class="muted">{copy::SETTINGS_TEXT}</p>
        <ul class="relays">{list}</ul>
        <RelayForm draft/>
    }
}

/// Why this caller may not decide whether a device relays.
fn why_not(store: Store, device: &str) -> Option<String> {
    let device = store.lookup_device(device)?;
    store.why_not(Verb::Manage, Some(&device))
}

/// Devices that could become relays.
fn candidates(store: Store) -> Vec<String> {
    store.devices.with(|devices| {
        let able = devices.rows().values().filter(|device| {
            let is_there = device.status == DeviceStatus::Online && !device.this_computer;
            is_there && !device.is_relay && device.mode != NetworkMode::Bridge
        });
        able.map(|device| device.name.to_string()).collect()
    })
}

#[component]
fn RelayForm(draft: RelayDraft) -> impl IntoView {
    let store = use_store();
    let free = Memo::new(move |_| candidates(store));
    Effect::new(move || {
        free.with(|free| {
            if draft.device.with_untracked(|chosen| !free.contains(chosen)) {
                draft.device.set(free.first().cloned().unwrap_or_default());
            }
        });
    });
    let port_error = draft.error("port", draft.port, &PORTS, copy::PORT_WRONG);
    let limit_error = draft.error("mbit_per_second", draft.limit, &LIMITS, copy::LIMIT_WRONG);
    let address_error = Signal::derive(move || draft.refusal_of("address"));
    let reason = draft.reason(store, free);
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        if let (None, Some(request)) = (reason.get_untracked(), draft.request()) {
            draft.send(request);
        }
    };
    let device_field = move || match draft.edited.get() {
        Some(name) => view! { <strong>{copy::relay_on(&name)}</strong> }.into_any(),
        None => {
            let options = free
                .get()
                .into_iter()
                .map(|name| (name.clone(), name))
                .collect::<Vec<_>>();
            view! { <Select label=copy::DEVICE options value=draft.device on_change=move |name| draft.device.set(name)/> }
                .into_any()
        }
    };
    let label = Signal::derive(move || {
        if draft.edited.with(Option::is_some) {
            copy::SAVE_RELAY
        } else {
            copy::MAKE_RELAY
        }
        .to_owned()
    });
    let cancel = move || {
        let edits = draft.edited.with(Option::is_some);
        edits.then(
            || view! { <Button label=copy::CANCEL kind=ButtonKind::Quiet on_press=move || draft.clear()/> },
        )
    };
    view! {
        <form class="relay-form" on:submit=submit novalidate>
            <div>{device_field}</div>
            <Field label=copy::PORT value=draft.port hint=copy::PORT_HINT placeholder="7443" verbatim=true error=port_error
                on_input=move |text| draft.port.set(text)/>
            <Field label=copy::ADDRESS value=draft.address hint=copy::ADDRESS_HINT verbatim=true error=address_error
                on_input=move |text| draft.address.set(text)/>
            <Field label=copy::LIMIT value=draft.limit hint=copy::LIMIT_HINT placeholder="100" verbatim=true error=limit_error
                on_input=move |text| draft.limit.set(text)/>
            <div class="actions"><Button label reason busy=draft.busy submit=true/>{cancel}</div>
            {move || draft.other_refusal().map(|message| view! { <ErrorState message/> })}
        </form>
    }
}

fn relay_line(relay: &RelayFacts, store: Store, draft: RelayDraft) -> impl IntoView + use<> {
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
    let choices = relay.device.as_ref().map(|device| {
        let (edit, stop) = (
            copy::edit_relay(device.as_str()),
            copy::stop_relay(device.as_str()),
        );
        let (device, own) = (device.to_string(), relay.clone());
        let (name, relaying) = (device.clone(), device.clone());
        let reason = Signal::derive(move || why_not(store, &relaying));
        let change = move || {
            if let Some(device) = untrack(|| store.lookup_device(&name)) {
                draft.edit(&own, &device);
            }
        };
        let end = move || {
            draft.send(PromoteRelay {
                device: device.clone(),
                change: RelayChange::default(),
            });
        };
        view! {
            <span class="actions">
                <Button label=edit reason on_press=change/>
                <Button label=stop reason on_press=end/>
            </span>
        }
    });
    view! {
        <li>
            <strong>{name}</strong>
            {status_badge(&status, false, false)}
            <span class="mono">{endpoints.join(", ")}</span>
            <span class="muted">{copy::listening(relay.devices)}</span>
            {choices}
        </li>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_the_device_does_not_have_was_chosen() {
        let device: Device = serde_json::from_str(
            r#"{"id":"01937c5e-7b1a-7c3e-8b9e-0123456789ab","name":"vps","status":"online","cordoned":false,
            "draining":false,"attention":[],"mesh_ip":"100.64.0.7","mode":"host","relay":"auto","tags":[],
            "mesh":{"state":{"state":"starting"},"revision":1,"nat":"unknown",
            "candidates":[{"kind":"local","address":"192.0.2.9:50000"}]},
            "as_of":"2026-01-01T00:00:00Z","created":"2026-01-01T00:00:00Z"}"#,
        )
        .unwrap();
        let relay = |endpoints: &str| -> RelayFacts {
            serde_json::from_str(&format!(
                r#"{{"id":"01937c5e-7b1a-7c3e-8b9e-0123456789ab","name":"vps","device":"vps","endpoints":{endpoints},
                "up":true,"devices":0,"as_of":"2026-01-01T00:00:00Z"}}"#
            ))
            .unwrap()
        };
        let chosen = relay(r#"["relay.example.org:443","192.0.2.9:7443"]"#);
        let address = chosen_address(&chosen, &device).map(ToString::to_string);
        assert_eq!(address.as_deref(), Some("relay.example.org:443"));
        assert_eq!(chosen_address(&relay(r#"["192.0.2.9:7443"]"#), &device), None);
    }

    #[test]
    fn no_port_is_a_choice_and_a_wrong_one_is_none() {
        assert_eq!(parse_number(" ", &PORTS), Some(None));
        assert_eq!(parse_number("7000 ", &PORTS), Some(Some(7000)));
        for wrong in ["0", "65535", "70000", "x", "7000-7001"] {
            assert_eq!(parse_number(wrong, &PORTS), None, "{wrong}");
        }
    }
}
