//! Actions on a device as a whole, and the dialogs before them.

use super::mode::ChangeMode;
use crate::{
    api::{Failure, send},
    components::{
        anchor::Anchor,
        button::{Button, ButtonKind},
        confirm::ConfirmDanger,
        dialog::Dialog,
        error_state::ErrorState,
        field::Field,
        focus::focus_when_shown,
        icon::lucide,
        menu::Menu,
        table::RowAction,
        toast::{Toaster, use_toaster},
    },
    copy::{attention, device as copy, link, mode},
    pages::add_device::ReenrollDevice,
    store::{Store, use_store},
};
use flotilla_protocol::{
    api::{DeviceChange, EndPush, RemoveDevice, Request, RevokeDevice, UpdateDevice},
    device::{Attention, Device, DeviceStatus},
    name::DeviceName,
};
use leptos::{ev::SubmitEvent, html, prelude::*, task::spawn_local};
use leptos_router::hooks::use_navigate;
use std::sync::Arc;

/// A dialog of the device page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DeviceDialog {
    Rename,
    Mode,
    EndTunnel,
    Reenroll,
    Revoke,
    Remove,
}

impl DeviceDialog {
    /// The dialog that `?ask=` in a device's address names.
    pub(super) fn of_word(word: &str) -> Option<Self> {
        Some(match word {
            "rename" => Self::Rename,
            "mode" => Self::Mode,
            "reenroll" => Self::Reenroll,
            "revoke" => Self::Revoke,
            "remove" => Self::Remove,
            _ => return None,
        })
    }
}

/// The device's actions. A handle: copies share the same signals.
#[derive(Debug, Clone, Copy)]
pub(super) struct Actions {
    pub(super) device: Signal<Arc<Device>>,
    pub(super) open_dialog: RwSignal<Option<DeviceDialog>>,
    busy: RwSignal<bool>,
    failure: RwSignal<Option<Failure>>,
    store: Store,
    toaster: Toaster,
}

impl Actions {
    pub(super) fn provide(device: Signal<Arc<Device>>) -> Self {
        let actions = Self {
            device,
            open_dialog: RwSignal::new(None),
            busy: RwSignal::new(false),
            failure: RwSignal::new(None),
            store: use_store(),
            toaster: use_toaster(),
        };
        provide_context(actions);
        actions
    }

    pub(super) fn open(self, dialog: DeviceDialog) {
        self.failure.set(None);
        self.open_dialog.set(Some(dialog));
    }

    /// Whether the action of a dialog is possible now.
    pub(super) fn allows(self, dialog: DeviceDialog) -> bool {
        match dialog {
            DeviceDialog::Rename | DeviceDialog::Reenroll | DeviceDialog::EndTunnel => true,
            DeviceDialog::Mode => self.not_movable().is_none(),
            DeviceDialog::Revoke => self.not_revocable().is_none(),
            DeviceDialog::Remove => self.is_removable(),
        }
    }

    /// Why the device cannot be revoked now.
    pub(super) fn not_revocable(self) -> Option<String> {
        self.device.with(|device| match device.status {
            DeviceStatus::Revoked => Some(copy::ALREADY_REVOKED.to_owned()),
            DeviceStatus::Pending => Some(copy::NOT_ENROLLED.to_owned()),
            _ => None,
        })
    }

    /// Why the network mode cannot be changed now.
    pub(super) fn not_movable(self) -> Option<String> {
        self.not_revocable().map(|_| copy::NOT_IN_FLEET.to_owned())
    }

    /// Whether the device can be removed: only one without trust can.
    pub(super) fn is_removable(self) -> bool {
        self.device
            .with(|device| matches!(device.status, DeviceStatus::Revoked | DeviceStatus::Pending))
    }

    fn id(self) -> String {
        self.device.with_untracked(|device| device.id.to_string())
    }

    /// Sends a request. On success, closes the dialog and calls `after`.
    fn run<R: Request + 'static>(self, request: R, after: impl FnOnce(R::Response) + 'static) {
        if self.busy.get_untracked() {
            return;
        }
        self.busy.set(true);
        self.failure.set(None);
        spawn_local(async move {
            let outcome = send(&request).await;
            if self.busy.try_set(false).is_some() {
                return;
            }
            match outcome {
                Ok(response) => {
                    self.open_dialog.set(None);
                    after(response);
                }
                Err(failure) => {
                    if self.open_dialog.get_untracked().is_none() {
                        self.toaster.fail(failure.to_string());
                    }
                    self.failure.set(Some(failure));
                }
            }
        });
    }

    /// Confirms Host networking, although the host is Docker Desktop's virtual machine.
    pub(super) fn keep_host(self) {
        let name = self.device.with_untracked(|device| device.name.to_string());
        let request = UpdateDevice {
            device: self.id(),
            change: DeviceChange {
                host_kept: Some(true),
                ..DeviceChange::default()
            },
        };
        self.run(request, move |_| self.toaster.confirm(mode::host_kept(&name)));
    }

    /// Confirms that what looks like a second machine is this device.
    pub(super) fn vouch(self) {
        let name = self.device.with_untracked(|device| device.name.to_string());
        let request = UpdateDevice {
            device: self.id(),
            change: DeviceChange {
                vouched: Some(true),
                ..DeviceChange::default()
            },
        };
        self.run(request, move |_| self.toaster.confirm(attention::vouched(&name)));
    }

    fn end_tunnel(self) {
        let (id, name) = self
            .device
            .with_untracked(|device| (device.id, device.name.to_string()));
        self.run(EndPush { device: self.id() }, move |_| {
            self.store.pushes.update(|known| drop(known.remove(&id)));
            self.toaster.confirm(link::tunnel_ended(&name));
        });
    }

    fn revoke(self) {
        let name = self.device.with_untracked(|device| device.name.to_string());
        self.run(RevokeDevice { device: self.id() }, move |_| {
            self.toaster.confirm(copy::revoked(&name))
        });
    }
}

/// Whether the person has to confirm Host networking or choose another mode, since the host is Docker Desktop's virtual
/// machine.
pub(super) fn needs_choice(device: &Device) -> bool {
    let about_it =
        |about: &Attention| matches!(about, Attention::DockerDesktopHost | Attention::DockerDesktop);
    device.attention.iter().any(about_it)
}

/// Whether the agent is not in the network of its mode. The same mode can then be chosen again.
pub(super) fn has_mode_mismatch(device: &Device) -> bool {
    let about_it = |about: &Attention| matches!(about, Attention::Strayed { .. });
    device.attention.iter().any(about_it)
}

pub(super) fn use_actions() -> Actions {
    expect_context()
}

/// The button that opens a menu of less frequent actions.
#[component]
pub(super) fn MoreActions() -> impl IntoView {
    let actions = use_actions();
    let open = RwSignal::new(None::<Anchor>);
    let button = NodeRef::<html::Button>::new();
    let show = move || open.set(button.get_untracked().map(|button| Anchor::of(&button)));
    let close = move |back: bool| {
        open.set(None);
        if let (true, Some(button)) = (back, button.get_untracked()) {
            button.focus().ok();
        }
    };
    let listed = Signal::derive(move || menu_actions(actions));
    view! {
        <Button label="More actions" glyph=lucide::ELLIPSIS node_ref=button on_press=show/>
        {move || open.get().map(|anchor| view! {
            <Menu name="More actions" anchor actions=listed on_close=Callback::new(close)/>
        })}
    }
}

fn menu_actions(actions: Actions) -> Vec<RowAction> {
    let action = |label: &str, glyph, reason, dialog| RowAction {
        label: label.to_owned(),
        glyph,
        reason,
        run: Callback::new(move |()| actions.open(dialog)),
    };
    let mut list = vec![
        action("Rename", lucide::PENCIL, None, DeviceDialog::Rename),
        action(
            mode::CHANGE,
            lucide::NETWORK,
            actions.not_movable(),
            DeviceDialog::Mode,
        ),
    ];
    list.push(action(
        copy::REVOKE,
        lucide::BAN,
        actions.not_revocable(),
        DeviceDialog::Revoke,
    ));
    if actions.is_removable() {
        list.push(action(copy::REMOVE, lucide::TRASH_2, None, DeviceDialog::Remove));
    }
    list
}

/// The open dialog, if any.
#[component]
pub(super) fn DangerDialogs() -> impl IntoView {
    let actions = use_actions();
    let keep = Callback::new(move |()| actions.open_dialog.set(None));
    let error = Signal::derive(move || actions.failure.get().map(|failure| failure.to_string()));
    let navigate = StoredValue::new(use_navigate());
    move || {
        let name = actions.device.with_untracked(|device| device.name.to_string());
        Some(match actions.open_dialog.get()? {
            DeviceDialog::Rename => view! { <Rename on_close=keep/> }.into_any(),
            DeviceDialog::Mode => view! { <ChangeMode device=actions.device on_close=keep/> }.into_any(),
            DeviceDialog::EndTunnel => view! {
                <ConfirmDanger title=link::end_title(&name) text=link::end_text(&name) action=link::END_TUNNEL
                    keep=link::keep_tunnel(&name) busy=actions.busy error
                    on_confirm=move || actions.end_tunnel() on_keep=keep/>
            }
            .into_any(),
            DeviceDialog::Reenroll => {
                let id = actions.device.with_untracked(|device| device.id);
                view! { <ReenrollDevice id name on_close=keep/> }.into_any()
            }
            DeviceDialog::Revoke => view! {
                <ConfirmDanger title=copy::revoke_title(&name) text=copy::revoke_text(&name) action=copy::revoke(&name)
                    keep=copy::keep(&name) typed=name busy=actions.busy error
                    on_confirm=move || actions.revoke() on_keep=keep/>
            }
            .into_any(),
            DeviceDialog::Remove => {
                let own = name.clone();
                let remove = move || {
                    let own = own.clone();
                    actions.run(RemoveDevice { device: actions.id() }, move |_| {
                        actions.toaster.confirm(copy::removed(&own));
                        navigate.with_value(|navigate| navigate("/devices", Default::default()));
                    });
                };
                view! {
                    <ConfirmDanger title=copy::remove_title(&name) text=copy::remove_text(&name) action=copy::remove(&name)
                        keep=copy::keep(&name) busy=actions.busy error on_confirm=remove on_keep=keep/>
                }
                .into_any()
            }
        })
    }
}

#[component]
fn Rename(on_close: Callback<()>) -> impl IntoView {
    let actions = use_actions();
    let old = actions.device.with_untracked(|device| device.name.to_string());
    let name = RwSignal::new(old.clone());
    let field = NodeRef::<html::Input>::new();
    focus_when_shown(field);
    let wrong = move |name: &str| {
        name.parse::<DeviceName>()
            .err()
            .map(|invalid| invalid.to_string())
    };
    let error = Signal::derive(move || {
        let refused = actions
            .failure
            .get()
            .filter(|failure| failure.field() == Some("name"));
        refused
            .map(|failure| failure.to_string())
            .or_else(|| name.with(|name| wrong(name.trim())))
    });
    let other = move || {
        actions
            .failure
            .get()
            .filter(|failure| failure.field() != Some("name"))
    };
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let new = name.get_untracked().trim().to_owned();
        if wrong(&new).is_none() {
            let request = UpdateDevice {
                device: actions.id(),
                change: DeviceChange {
                    name: Some(new.clone()),
                    ..DeviceChange::default()
                },
            };
            actions.run(request, move |_| {
                actions
                    .toaster
                    .confirm(format!("The device is called {new} now."))
            });
        }
    };
    view! {
        <Dialog title=format!("Rename {old}") on_close>
            <form on:submit=submit novalidate>
                <div class="dialog-body">
                    {move || other().map(|failure| view! { <ErrorState message=failure.to_string()/> })}
                    <Field label="New name" value=name required=true verbatim=true error node_ref=field
                        on_input=move |text| { actions.failure.set(None); name.set(text) }/>
                </div>
                <footer class="dialog-foot">
                    <Button label="Cancel" on_press=move || on_close.run(())/>
                    <Button label="Rename" kind=ButtonKind::Primary submit=true busy=actions.busy/>
                </footer>
            </form>
        </Dialog>
    }
}
