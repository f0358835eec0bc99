//! The second step: the network mode and the relay preference.

use super::{
    diagram::diagram,
    flow::{Step, use_flow},
};
use crate::{
    components::{
        badge::Tone,
        button::{Button, ButtonKind},
        error_state::{ErrorState, Notice},
        focus::focus_when_shown,
        mode_card::ModeCard,
        radio::{RadioGroup, RadioOption},
    },
    copy::add_device as copy,
};
use flotilla_protocol::device::{NetworkMode, RelayPreference};
use leptos::{ev::SubmitEvent, html, prelude::*};

#[component]
pub(super) fn NetworkStep() -> impl IntoView {
    let flow = use_flow();
    let reason = Signal::derive(move || {
        let is_other = flow.over_ssh.get() && flow.mode.get() != NetworkMode::Host;
        is_other.then(|| copy::SSH_ONLY_HOST.to_owned())
    });
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        if reason.with_untracked(Option::is_none) {
            flow.create();
        }
    };
    let replacing = move || {
        flow.device.get()?;
        let name = flow
            .shown_once
            .with(|added| added.as_ref().map(|added| added.device.name.to_string()))?;
        Some(view! {
            <Notice tone=Tone::Warn text=copy::replaces(&name)>
                <Button label=copy::KEEP_COMMAND on_press=move || flow.step.set(Step::Install)/>
            </Notice>
        })
    };
    let wrong_for_ssh = move || reason.get().map(|text| view! { <Notice tone=Tone::Warn text/> });
    let failed = move || {
        flow.failure
            .get()
            .map(|failure| view! { <ErrorState message=failure.to_string()/> })
    };
    view! {
        <form on:submit=submit novalidate>
            <div class="dialog-body">
                {replacing}
                {failed}
                <div class="field" role="radiogroup" aria-labelledby="network-mode">
                    <span class="label" id="network-mode">{copy::MODE}</span>
                    <div class="mode-cards">{NetworkMode::ALL.iter().map(|mode| view! { <Card mode=*mode/> }).collect_view()}</div>
                </div>
                {wrong_for_ssh}
                <RelayChoice/>
            </div>
            <footer class="dialog-foot">
                <span class="start"><Button label=copy::BACK on_press=move || flow.step.set(Step::Name)/></span>
                <Button label=copy::CREATE kind=ButtonKind::Primary submit=true busy=flow.busy reason/>
            </footer>
        </form>
    }
}

#[component]
fn Card(mode: NetworkMode) -> impl IntoView {
    let flow = use_flow();
    let radio = NodeRef::<html::Input>::new();
    if flow.mode.get_untracked() == mode {
        focus_when_shown(radio);
    }
    let checked = Signal::derive(move || flow.mode.get() == mode);
    let caveat = (mode == NetworkMode::Host).then(|| {
        view! {
            <div class="caveat">
                <h3>{copy::DESKTOP_TITLE}</h3>
                <p>{copy::DESKTOP_TEXT}</p>
            </div>
        }
    });
    view! {
        <ModeCard text=copy::card(mode) name="network-mode" checked diagram=diagram(mode) node_ref=radio
            on_choose=move || flow.mode.set(mode)>
            {caveat}
        </ModeCard>
    }
}

#[component]
fn RelayChoice() -> impl IntoView {
    let flow = use_flow();
    let option = |relay: &RelayPreference| {
        let (title, text) = copy::relay(*relay);
        RadioOption {
            value: relay.to_string(),
            title: title.to_owned(),
            text: text.to_owned(),
        }
    };
    let value = Signal::derive(move || flow.relay.get().to_string());
    let change = move |value: String| {
        if let Ok(relay) = value.parse() {
            flow.relay.set(relay);
        }
    };
    view! {
        <RadioGroup label=copy::RELAY options=RelayPreference::ALL.iter().map(option).collect() value
            on_change=change hint=copy::RELAY_HINT/>
    }
}
