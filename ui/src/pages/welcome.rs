//! The first visit: a name for the fleet and its starting policy.

use crate::{
    api::send,
    components::{
        button::{Button, ButtonKind},
        error_state::ErrorState,
        field::Field,
        focus::focus_when_shown,
        radio::{RadioGroup, RadioOption},
    },
    copy::{frame, welcome as copy},
    store::use_store,
};
use flotilla_protocol::api::{StartingPolicy, UpdateFleet};
use leptos::{ev::SubmitEvent, html, prelude::*, task::spawn_local};
use leptos_router::hooks::use_navigate;

const LOCKED: &str = "locked";
const OPEN_LAB: &str = "open_lab";

#[component]
pub fn WelcomePage() -> impl IntoView {
    let store = use_store();
    let navigate = use_navigate();
    let name = RwSignal::new(String::new());
    let policy = RwSignal::new(LOCKED.to_owned());
    let checked = RwSignal::new(false);
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<String>);
    let field = NodeRef::<html::Input>::new();
    focus_when_shown(field);
    let error = Signal::derive(move || {
        (checked.get() && name.with(|name| name.trim().is_empty()))
            .then(|| copy::FLEET_NAME_MISSING.to_owned())
    });
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        checked.set(true);
        if error.with_untracked(Option::is_some) || busy.get_untracked() {
            return;
        }
        busy.set(true);
        let chosen = policy.with_untracked(|policy| {
            if policy == LOCKED {
                StartingPolicy::Locked
            } else {
                StartingPolicy::OpenLab
            }
        });
        let request = UpdateFleet {
            name: Some(name.get_untracked().trim().to_owned()),
            starting_policy: Some(chosen),
            mesh_cidr: None,
            ..UpdateFleet::default()
        };
        let navigate = navigate.clone();
        spawn_local(async move {
            match send(&request).await {
                Ok(fleet) => {
                    store.take_fleet(fleet);
                    navigate("/", Default::default());
                }
                Err(refused) => _ = failure.try_set(Some(refused.to_string())),
            }
            busy.try_set(false);
        });
    };
    view! {
        <form class="welcome panel" on:submit=submit novalidate>
            <div class="welcome-head">
                <img src="/favicon.svg" alt="" width="32" height="32"/>
                <h1>{frame::WELCOME}</h1>
            </div>
            <p class="muted">{copy::INTRO}</p>
            <Field label=copy::FLEET_NAME value=name hint=copy::FLEET_NAME_HINT required=true error node_ref=field
                on_input=move |text| name.set(text)/>
            <RadioGroup label=copy::POLICY options=policies() value=policy on_change=move |value| policy.set(value)/>
            {move || failure.get().map(|message| view! { <ErrorState message/> })}
            <div class="actions"><Button label=copy::START kind=ButtonKind::Primary submit=true busy/></div>
        </form>
    }
}

fn policies() -> Vec<RadioOption> {
    let option = |value: &str, title: &str, text: &str| RadioOption {
        value: value.to_owned(),
        title: title.to_owned(),
        text: text.to_owned(),
    };
    vec![
        option(LOCKED, copy::LOCKED, copy::LOCKED_TEXT),
        option(OPEN_LAB, copy::OPEN_LAB, copy::OPEN_LAB_TEXT),
    ]
}
