//! The first step: the name of the device, its tags, and where it is.

use super::{
    flow::{Flow, Step, use_flow},
    location::{LocationChoice, WayToController},
};
use crate::{
    actions::fleet::ADD_DEVICE,
    browser,
    components::{
        button::{Button, ButtonKind},
        field::Field,
        focus::select_when_shown,
        taginput::TagInput,
    },
    copy::add_device as copy,
    pages::device::known_tags,
    store::{Store, use_store},
};
use flotilla_protocol::{device::NetworkMode, id::DeviceId, name::DeviceName};
use leptos::{ev::SubmitEvent, html, prelude::*};

#[component]
pub(super) fn NameStep(#[prop(into)] on_close: Callback<()>) -> impl IntoView {
    let flow = use_flow();
    let store = use_store();
    let checked = RwSignal::new(flow.name_refused.with_untracked(Option::is_some));
    let field = NodeRef::<html::Input>::new();
    let next = NodeRef::<html::Button>::new();
    select_proposal(flow, field);
    let problem = Signal::derive(move || {
        let refused = flow.name_refused.get();
        refused.or_else(|| {
            let invalid = || {
                flow.name
                    .with(|name| name_error(name.trim(), store, flow.device.get()))
            };
            checked.get().then(invalid).flatten()
        })
    });
    let stuck = Memo::new(move |_| flow.is_stuck());
    let reason = Signal::derive(move || {
        let no_way = || stuck.get().then(|| copy::NOT_REACHABLE.to_owned());
        ADD_DEVICE.reason(store).or_else(no_way)
    });
    let go_on = move || {
        checked.set(true);
        if problem.with_untracked(Option::is_some) {
            if let Some(field) = field.get_untracked() {
                field.focus().ok();
            }
        } else if reason.with_untracked(Option::is_none) {
            flow.step.set(Step::Network);
        }
    };
    let over_ssh = move || {
        flow.over_ssh.set(true);
        flow.mode.set(NetworkMode::Host);
        go_on();
    };
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        go_on();
    };
    let known = Signal::derive(move || known_tags(store));
    view! {
        <form on:submit=submit novalidate>
            <div class="dialog-body narrow">
                <Field label=copy::NAME value=flow.name required=true verbatim=true hint=copy::NAME_HINT
                    error=problem node_ref=field on_input=move |name| type_over(flow, name)
                    on_blur=move || checked.update(|checked| *checked |= flow.name.with_untracked(|name| !name.is_empty()))/>
                <TagInput label=copy::TAGS tags=flow.tags known on_change=move |tags| flow.tags.set(tags)/>
                <LocationChoice/>
                <WayToController on_added=move || focus_soon(next) on_ssh=over_ssh/>
            </div>
            <footer class="dialog-foot">
                <span class="start"><Button label=copy::CLOSE kind=ButtonKind::Quiet on_press=move || on_close.run(())/></span>
                <Button label=copy::CONTINUE kind=ButtonKind::Primary submit=true reason node_ref=next/>
            </footer>
        </form>
    }
}

/// Focuses the field with the proposed name selected, so that typing replaces it.
fn select_proposal(flow: Flow, field: NodeRef<html::Input>) {
    select_when_shown(field);
    Effect::new(move || {
        // The proposal may arrive after the field is shown.
        if flow.proposed.get() && !flow.name.with(String::is_empty) {
            browser::next_frame(move || {
                if let Some(field) = field.try_get_untracked().flatten() {
                    field.select();
                }
            });
        }
    });
}

fn type_over(flow: Flow, name: String) {
    flow.proposed.set(false);
    flow.name_refused.set(None);
    flow.name.set(name);
}

/// Focuses a button in the next frame, once the element that has the focus is removed.
fn focus_soon(button: NodeRef<html::Button>) {
    if let Some(button) = button.get_untracked() {
        browser::next_frame(move || _ = button.focus());
    }
}

/// The error of a name, as far as the page can tell. The name of the device `own` itself is not taken.
fn name_error(name: &str, store: Store, own: Option<DeviceId>) -> Option<String> {
    if let Err(invalid) = name.parse::<DeviceName>() {
        return Some(invalid.to_string());
    }
    let taken = store
        .lookup_device(name)
        .is_some_and(|device| Some(device.id) != own);
    taken.then(|| copy::name_taken(name))
}
