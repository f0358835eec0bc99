//! The dialog that gives a device another name.

use crate::{
    actions::DialogEnd,
    api::{Failure, send},
    components::{
        button::{Button, ButtonKind},
        dialog::Dialog,
        error_state::ErrorState,
        field::Field,
        focus::focus_when_shown,
        toast::use_toaster,
    },
    copy::{actions, device as copy, palette},
};
use flotilla_protocol::{
    api::{DeviceChange, UpdateDevice},
    device::Device,
    name::DeviceName,
};
use leptos::{ev::SubmitEvent, html, prelude::*, task::spawn_local};
use std::sync::Arc;

#[component]
pub(super) fn Rename(device: Arc<Device>, end: DialogEnd) -> impl IntoView {
    let (toaster, close) = (use_toaster(), end.close);
    let name = RwSignal::new(device.name.to_string());
    let (busy, failure) = (RwSignal::new(false), RwSignal::new(None::<Failure>));
    let field = NodeRef::<html::Input>::new();
    focus_when_shown(field);
    let error = Signal::derive(move || {
        let refused = failure.with(|failure| said(failure.as_ref(), true));
        refused.or_else(|| name.with(|name| wrong(name.trim())))
    });
    let other = move || failure.with(|failure| said(failure.as_ref(), false));
    let title = copy::rename_title(device.name.as_str());
    let old = device.name.to_string();
    let edited = Signal::derive(move || name.with(|name| *name != old));
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let new = name.get_untracked().trim().to_owned();
        if busy.get_untracked() || wrong(&new).is_some() {
            return;
        }
        busy.set(true);
        failure.set(None);
        let request = UpdateDevice {
            device: device.id.to_string(),
            change: DeviceChange {
                name: Some(new.clone()),
                ..DeviceChange::default()
            },
        };
        let end = end.clone();
        spawn_local(async move {
            let outcome = send(&request).await;
            // `try_set` answers the value if the dialog was closed meanwhile.
            let is_closed = busy.try_set(false).is_some();
            match outcome {
                Ok(_) => {
                    if !is_closed {
                        end.done(Vec::new());
                    }
                    toaster.confirm(copy::called(&new));
                }
                Err(refused) if is_closed => toaster.fail(refused.to_string()),
                Err(refused) => failure.set(Some(refused)),
            }
        });
    };
    view! {
        <Dialog title edited on_close=close>
            <form on:submit=submit novalidate>
                <div class="dialog-body">
                    {move || other().map(|message| view! { <ErrorState message/> })}
                    <Field label=copy::NEW_NAME value=name required=true verbatim=true error node_ref=field
                        on_input=move |text| { failure.set(None); name.set(text) }/>
                </div>
                <footer class="dialog-foot">
                    <Button label=actions::CANCEL on_press=close/>
                    <Button label=palette::RENAME kind=ButtonKind::Primary submit=true busy doing=copy::RENAMING/>
                </footer>
            </form>
        </Dialog>
    }
}

fn wrong(name: &str) -> Option<String> {
    let invalid = name.parse::<DeviceName>().err();
    invalid.map(|invalid| invalid.to_string())
}

/// A failure that is about the name, or about something else.
fn said(failure: Option<&Failure>, about_name: bool) -> Option<String> {
    let failure = failure.filter(|failure| (failure.field() == Some("name")) == about_name)?;
    Some(failure.to_string())
}
