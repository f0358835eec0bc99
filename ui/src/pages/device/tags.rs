//! The tags of a device.

use crate::{
    api::send,
    components::{
        button::{Button, ButtonKind},
        error_state::ErrorState,
        taginput::TagInput,
        toast::use_toaster,
    },
    copy::device as copy,
    store::{Store, use_store},
};
use flotilla_protocol::{
    api::{DeviceChange, TagChange, UpdateDevice, Verb},
    device::Device,
};
use leptos::{ev::SubmitEvent, prelude::*, task::spawn_local};
use std::sync::Arc;

#[component]
pub(super) fn Tags(device: Signal<Arc<Device>>) -> impl IntoView {
    let store = use_store();
    let toaster = use_toaster();
    let saved = Memo::new(move |_| {
        device.with(|device| device.tags.iter().map(ToString::to_string).collect::<Vec<_>>())
    });
    let edited = RwSignal::new(saved.get_untracked());
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<String>);
    // A change by another person is shown, unless this person has unsaved changes.
    Effect::new(move |before: Option<Vec<String>>| {
        let now = saved.get();
        if before.is_some_and(|before| edited.with_untracked(|edited| *edited == before)) {
            edited.set(now.clone());
        }
        now
    });
    let change = Memo::new(move |_| edited.with(|edited| saved.with(|saved| change(saved, edited))));
    let is_changed = move || change.with(|(add, remove)| !add.is_empty() || !remove.is_empty());
    let reason = Signal::derive(move || device.with(|device| store.why_not(Verb::Tags, Some(device))));
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        if busy.get_untracked() || !untrack(is_changed) {
            return;
        }
        busy.set(true);
        failure.set(None);
        let (add, remove) = change.get_untracked();
        let (id, name) = device.with_untracked(|device| (device.id.to_string(), device.name.to_string()));
        let request = UpdateDevice {
            device: id,
            change: DeviceChange {
                tags: Some(TagChange { add, remove }),
                ..DeviceChange::default()
            },
        };
        spawn_local(async move {
            match send(&request).await {
                Ok(_) => toaster.confirm(copy::tags_saved(&name)),
                Err(refused) => _ = failure.try_set(Some(refused.to_string())),
            }
            busy.try_set(false);
        });
    };
    view! {
        <form class="panel tags-form" on:submit=submit novalidate>
            <TagInput label=copy::EDIT_TAGS tags=edited known=Signal::derive(move || known_tags(store))
                on_change=move |tags| edited.set(tags)/>
            <p class="hint">{copy::TAGS_TEXT}</p>
            {move || failure.get().map(|message| view! { <ErrorState message/> })}
            {move || is_changed().then(|| view! {
                <p class="caption">{change.with(difference)}</p>
                <div class="actions">
                    <Button label=copy::SAVE_TAGS kind=ButtonKind::Primary submit=true busy doing=copy::SAVING_TAGS reason/>
                    <Button label=copy::DISCARD kind=ButtonKind::Quiet on_press=move || edited.set(saved.get_untracked())/>
                </div>
            })}
        </form>
    }
}

/// Tags to add and tags to remove.
type Change = (Vec<String>, Vec<String>);

fn change(saved: &[String], edited: &[String]) -> Change {
    let only = |these: &[String], those: &[String]| {
        these.iter().filter(|tag| !those.contains(tag)).cloned().collect()
    };
    (only(edited, saved), only(saved, edited))
}

fn difference((add, remove): &Change) -> String {
    match (add.as_slice(), remove.as_slice()) {
        (add, []) => format!("Adds {}.", add.join(", ")),
        ([], remove) => format!("Removes {}.", remove.join(", ")),
        (add, remove) => format!("Adds {}; removes {}.", add.join(", "), remove.join(", ")),
    }
}

/// All tags in use in the fleet.
#[must_use]
pub fn known_tags(store: Store) -> Vec<String> {
    store.devices.with(|devices| {
        let mut tags: Vec<_> = devices
            .rows()
            .values()
            .flat_map(|device| device.tags.iter().map(ToString::to_string))
            .collect();
        tags.sort();
        tags.dedup();
        tags
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_difference_is_sent_and_shown() {
        let texts = |tags: &[&str]| tags.iter().map(|tag| (*tag).to_owned()).collect::<Vec<_>>();
        let change = change(&texts(&["edge", "prod"]), &texts(&["prod", "media"]));
        assert_eq!(change, (texts(&["media"]), texts(&["edge"])));
        assert_eq!(difference(&change), "Adds media; removes edge.");
    }
}
