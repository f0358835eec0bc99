//! The first step: what the device is called, its tags, and whether it can reach control at all.

use super::flow::{Place, Step, use_flow};
use crate::{
    components::{
        badge::Tone,
        button::{Button, Kind},
        error_state::Notice,
        field::Field,
        focus::focus_when_shown,
        radio::{Choice, RadioGroup},
        taginput::TagInput,
    },
    copy::add_device as copy,
    pages::device::known_tags,
    store::{Store, use_store},
};
use flotilla_protocol::{id::DeviceId, name::DeviceName};
use leptos::{ev::SubmitEvent, html, prelude::*};
use leptos_router::hooks::use_navigate;

const LOCAL: &str = "local";
const ELSEWHERE: &str = "elsewhere";

#[component]
pub(super) fn NameStep(#[prop(into)] on_close: Callback<()>) -> impl IntoView {
    let flow = use_flow();
    let store = use_store();
    let checked = RwSignal::new(flow.name_refused.with_untracked(Option::is_some));
    let field = NodeRef::<html::Input>::new();
    focus_when_shown(field);
    let problem = Signal::derive(move || {
        let refused = flow.name_refused.get();
        refused.or_else(|| {
            checked
                .get()
                .then(|| {
                    flow.name
                        .with(|name| wrong(name.trim(), store, flow.device.get()))
                })
                .flatten()
        })
    });
    let stuck = Signal::derive(move || {
        let reachable = store
            .fleet
            .with(|fleet| fleet.as_ref().is_none_or(|fleet| fleet.reachable_from_outside));
        flow.place.get() == Place::Elsewhere && !reachable
    });
    let reason = Signal::derive(move || stuck.get().then(|| copy::NOT_REACHABLE.to_owned()));
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        checked.set(true);
        if problem.with_untracked(Option::is_some) {
            if let Some(field) = field.get_untracked() {
                field.focus().ok();
            }
        } else if !stuck.get_untracked() {
            flow.step.set(Step::Network);
        }
    };
    let known = Signal::derive(move || known_tags(store));
    view! {
        <form on:submit=submit novalidate>
            <div class="dialog-body narrow">
                <Field label=copy::NAME value=flow.name required=true verbatim=true hint=copy::NAME_HINT
                    error=problem node_ref=field
                    on_blur=move || checked.update(|checked| *checked |= flow.name.with_untracked(|name| !name.is_empty()))
                    on_input=move |name| { flow.name_refused.set(None); flow.name.set(name) }/>
                <TagInput label=copy::TAGS tags=flow.tags known on_change=move |tags| flow.tags.set(tags)/>
                <PlaceChoice/>
                {move || stuck.get().then(|| view! { <NotReachable/> })}
            </div>
            <footer class="dialog-foot">
                <span class="start"><Button label=copy::CLOSE kind=Kind::Quiet on_press=move || on_close.run(())/></span>
                <Button label=copy::CONTINUE kind=Kind::Primary submit=true reason/>
            </footer>
        </form>
    }
}

#[component]
fn PlaceChoice() -> impl IntoView {
    let flow = use_flow();
    let choice = |value: &str, title: &str, text: &str| Choice {
        value: value.to_owned(),
        title: title.to_owned(),
        text: text.to_owned(),
    };
    let choices = vec![
        choice(LOCAL, copy::LOCAL, copy::LOCAL_TEXT),
        choice(ELSEWHERE, copy::ELSEWHERE, copy::ELSEWHERE_TEXT),
    ];
    let value = Signal::derive(move || {
        let word = if flow.place.get() == Place::Local {
            LOCAL
        } else {
            ELSEWHERE
        };
        word.to_owned()
    });
    let change = move |value: String| {
        flow.place.set(if value == LOCAL {
            Place::Local
        } else {
            Place::Elsewhere
        })
    };
    view! { <RadioGroup label=copy::WHERE choices value on_change=change/> }
}

#[component]
fn NotReachable() -> impl IntoView {
    let navigate = use_navigate();
    view! {
        <Notice tone=Tone::Warn text=copy::NOT_REACHABLE.to_owned()>
            <Button label=copy::ADD_ADDRESS on_press=move || navigate("/settings/addresses", Default::default())/>
        </Notice>
    }
}

/// What is wrong with a name, as far as the page can tell. The name of the device in the making is free.
fn wrong(name: &str, store: Store, own: Option<DeviceId>) -> Option<String> {
    if let Err(invalid) = name.parse::<DeviceName>() {
        return Some(invalid.to_string());
    }
    let taken = store
        .lookup_device(name)
        .is_some_and(|device| Some(device.id) != own);
    taken.then(|| copy::name_taken(name))
}
