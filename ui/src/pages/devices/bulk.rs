//! Actions on the selected devices: changing tags and revoking. Both open a dialog first.

use crate::{
    api::{Failure, send},
    components::{
        button::{Button, ButtonKind},
        confirm::ConfirmDanger,
        dialog::Dialog,
        icon::lucide,
        table::TableState,
        taginput::TagInput,
        toast::{Toaster, use_toaster},
    },
    copy::devices as copy,
    store::{Store, use_store},
};
use flotilla_protocol::{
    api::{DeviceChange, RevokeDevice, TagChange, UpdateDevice},
    device::{Device, DeviceStatus},
};
use leptos::{ev::SubmitEvent, prelude::*, task::spawn_local};
use std::{collections::BTreeSet, sync::Arc};

/// A dialog about the selected devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BulkDialog {
    Tags,
    Revoke,
}

/// The actions on the selected devices. A handle: copies share the same signals.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bulk {
    table: TableState,
    open_dialog: RwSignal<Option<BulkDialog>>,
    busy: RwSignal<bool>,
    store: Store,
    toaster: Toaster,
}

impl Bulk {
    pub(super) fn new(table: TableState) -> Self {
        Self {
            table,
            open_dialog: RwSignal::new(None),
            busy: RwSignal::new(false),
            store: use_store(),
            toaster: use_toaster(),
        }
    }

    /// The buttons below the table.
    pub(super) fn buttons(self) -> AnyView {
        let open = move |dialog| self.open_dialog.set(Some(dialog));
        let trusted = move || self.devices().iter().any(|device| is_trusted(device));
        let none_trusted = Signal::derive(move || (!trusted()).then(|| copy::NONE_REVOCABLE.to_owned()));
        view! {
            <Button label=copy::EDIT_TAGS glyph=lucide::TAG on_press=move || open(BulkDialog::Tags)/>
            <Button label=copy::REVOKE glyph=lucide::BAN reason=none_trusted on_press=move || open(BulkDialog::Revoke)/>
        }
        .into_any()
    }

    /// The open dialog, if any.
    pub(super) fn dialog(self) -> AnyView {
        (move || {
            let devices = untrack(|| self.devices());
            Some(match self.open_dialog.get()? {
                BulkDialog::Tags => view! { <EditTags bulk=self devices/> }.into_any(),
                BulkDialog::Revoke => view! { <Revoke bulk=self devices/> }.into_any(),
            })
        })
        .into_any()
    }

    fn devices(self) -> Vec<Arc<Device>> {
        let keys = self.table.selected();
        keys.iter()
            .filter_map(|key| self.store.lookup_device(key))
            .collect()
    }

    fn close(self) {
        self.open_dialog.set(None);
    }

    /// Sends a call for one device after the other. Devices for which it fails stay selected.
    fn run(
        self,
        devices: Vec<Arc<Device>>,
        call: impl AsyncFn(&Device) -> Result<(), Failure> + 'static,
        done: fn(usize) -> String,
    ) {
        if self.busy.get_untracked() {
            return;
        }
        self.busy.set(true);
        spawn_local(async move {
            let mut failed = Vec::new();
            for device in &devices {
                if let Err(failure) = call(device).await {
                    self.toaster
                        .fail(copy::failed_for(device.name.as_str(), &failure.to_string()));
                    failed.push(device.id.to_string());
                }
            }
            if failed.len() < devices.len() {
                self.toaster.confirm(done(devices.len() - failed.len()));
            }
            // `try_set` answers nothing if the page still exists.
            if self.busy.try_set(false).is_none() {
                self.table.select_only(failed);
                self.close();
            }
        });
    }
}

#[component]
fn EditTags(bulk: Bulk, devices: Vec<Arc<Device>>) -> impl IntoView {
    let (add, remove) = (RwSignal::new(Vec::new()), RwSignal::new(Vec::new()));
    let every = tags(
        bulk.store
            .devices
            .with_untracked(|devices| devices.rows().values().cloned().collect()),
    );
    let theirs = tags(devices.clone());
    let nothing = Signal::derive(move || {
        (add.with(Vec::is_empty) && remove.with(Vec::is_empty)).then(|| copy::NO_TAG_CHANGE.to_owned())
    });
    let listed = copy::listed(
        &devices
            .iter()
            .map(|device| device.name.as_str())
            .collect::<Vec<_>>(),
    );
    let count = devices.len();
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        if untrack(|| nothing.get()).is_some() {
            return;
        }
        let change = TagChange {
            add: add.get_untracked(),
            remove: remove.get_untracked(),
        };
        let call = async move |device: &Device| {
            let request = UpdateDevice {
                device: device.id.to_string(),
                change: DeviceChange {
                    tags: Some(change.clone()),
                    ..DeviceChange::default()
                },
            };
            send(&request).await.map(|_| ())
        };
        bulk.run(devices.clone(), call, copy::tags_saved);
    };
    view! {
        <Dialog title=copy::edit_tags_of(count) on_close=move || bulk.close()>
            <form on:submit=submit novalidate>
                <div class="dialog-body">
                    <p>{listed}</p>
                    <TagInput label=copy::TAGS_TO_ADD tags=add known=Signal::derive(move || every.clone())
                        on_change=move |tags| add.set(tags)/>
                    <TagInput label=copy::TAGS_TO_REMOVE tags=remove known=Signal::derive(move || theirs.clone())
                        on_change=move |tags| remove.set(tags)/>
                </div>
                <footer class="dialog-foot">
                    <Button label=copy::CANCEL on_press=move || bulk.close()/>
                    <Button label=copy::save_tags_of(count) kind=ButtonKind::Primary submit=true busy=bulk.busy reason=nothing/>
                </footer>
            </form>
        </Dialog>
    }
}

#[component]
fn Revoke(bulk: Bulk, devices: Vec<Arc<Device>>) -> impl IntoView {
    let chosen = devices.len();
    let (trusted, rest): (Vec<_>, Vec<_>) = devices.into_iter().partition(|device| is_trusted(device));
    let names: Vec<_> = trusted.iter().map(|device| device.name.as_str()).collect();
    let object = copy::object(&names);
    let text = copy::revoke_text(&names, rest.len(), chosen);
    let typed = object.clone();
    let revoke = move || {
        let call = async |device: &Device| {
            let device = device.id.to_string();
            send(&RevokeDevice { device }).await.map(|_| ())
        };
        bulk.run(trusted.clone(), call, copy::revoked);
    };
    view! {
        <ConfirmDanger title=copy::revoke_title(&object) text=text action=copy::revoke(&object) keep=copy::KEEP
            typed=typed busy=bulk.busy on_confirm=revoke on_keep=move || bulk.close()/>
    }
}

/// Whether the device has trust that can be revoked.
fn is_trusted(device: &Device) -> bool {
    !matches!(device.status, DeviceStatus::Revoked | DeviceStatus::Pending)
}

/// All tags of these devices.
fn tags(devices: Vec<Arc<Device>>) -> Vec<String> {
    let tags = devices.iter().flat_map(|device| device.tags.iter());
    let tags: BTreeSet<_> = tags.map(ToString::to_string).collect();
    tags.into_iter().collect()
}
