//! The dialog that changes the tags of one or several devices.

use super::DeviceObject;
use crate::{
    actions::{DialogEnd, Object},
    api::send,
    components::{
        button::{Button, ButtonKind},
        dialog::Dialog,
        taginput::TagInput,
        toast::use_toaster,
    },
    copy::{actions, devices as copy},
    pages::device::known_tags,
    store::use_store,
};
use flotilla_protocol::api::{DeviceChange, TagChange, UpdateDevice};
use leptos::{ev::SubmitEvent, prelude::*, task::spawn_local};
use std::collections::BTreeSet;

#[component]
pub(super) fn EditTags(devices: Vec<DeviceObject>, end: DialogEnd) -> impl IntoView {
    let (store, toaster, close) = (use_store(), use_toaster(), end.close);
    let (add, remove) = (RwSignal::new(Vec::new()), RwSignal::new(Vec::new()));
    let busy = RwSignal::new(false);
    let theirs = tags(&devices);
    let nothing = Signal::derive(move || {
        (add.with(Vec::is_empty) && remove.with(Vec::is_empty)).then(|| copy::NO_TAG_CHANGE.to_owned())
    });
    let edited = Signal::derive(move || nothing.with(Option::is_none));
    let listed = copy::listed(&super::names(&devices));
    let count = devices.len();
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        if busy.get_untracked() || nothing.with_untracked(Option::is_some) {
            return;
        }
        busy.set(true);
        let change = change_of(add.get_untracked(), remove.get_untracked());
        let (devices, end) = (devices.clone(), end.clone());
        spawn_local(async move {
            let mut failed = Vec::new();
            for it in &devices {
                let request = UpdateDevice {
                    device: it.key(),
                    change: change.clone(),
                };
                if let Err(failure) = send(&request).await {
                    toaster.fail(actions::failed_for(&it.name(), &failure.to_string()));
                    failed.push(it.key());
                }
            }
            if failed.len() < devices.len() {
                toaster.confirm(copy::tags_saved(devices.len() - failed.len()));
            }
            // `try_set` answers nothing if the dialog is still open.
            if busy.try_set(false).is_none() {
                end.done(failed);
            }
        });
    };
    view! {
        <Dialog title=copy::edit_tags_of(count) edited on_close=close>
            <form on:submit=submit novalidate>
                <div class="dialog-body">
                    <p>{listed}</p>
                    <TagInput label=copy::TAGS_TO_ADD tags=add known=Signal::derive(move || known_tags(store))
                        on_change=move |tags| add.set(tags)/>
                    <TagInput label=copy::TAGS_TO_REMOVE tags=remove known=Signal::derive(move || theirs.clone())
                        on_change=move |tags| remove.set(tags)/>
                </div>
                <footer class="dialog-foot">
                    <Button label=actions::CANCEL on_press=close/>
                    <Button label=copy::save_tags_of(count) kind=ButtonKind::Primary submit=true busy doing=copy::SAVING reason=nothing/>
                </footer>
            </form>
        </Dialog>
    }
}

fn change_of(add: Vec<String>, remove: Vec<String>) -> DeviceChange {
    DeviceChange {
        tags: Some(TagChange { add, remove }),
        ..DeviceChange::default()
    }
}

/// All tags of these devices.
fn tags(devices: &[DeviceObject]) -> Vec<String> {
    let tags = devices.iter().flat_map(|it| it.device.tags.iter());
    let tags: BTreeSet<_> = tags.map(ToString::to_string).collect();
    tags.into_iter().collect()
}
