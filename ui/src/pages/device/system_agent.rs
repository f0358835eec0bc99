//! Installing the agent of this computer as a service of the system, which it needs for the mesh. The desktop window
//! does it.

use crate::{
    components::{
        badge::Tone,
        button::Button,
        clipboard_block::ClipboardBlock,
        error_state::{ErrorState, Notice},
        toast::use_toaster,
    },
    copy::system_agent as copy,
    shell,
};
use flotilla_protocol::{device::Device, shell::ServiceOutcome};
use leptos::prelude::*;

/// Whether this window can install the service, and the device needs it.
pub(super) fn can_install(device: &Device) -> bool {
    device.this_computer && device.lacks_mesh_right() && shell::can_install_service()
}

/// The notice with the button that installs the service.
#[component]
pub(super) fn InstallService(device: String) -> impl IntoView {
    let toaster = use_toaster();
    let asking = RwSignal::new(false);
    let failure = RwSignal::new(None::<(String, Option<String>)>);
    shell::on_outcome(move |outcome| {
        asking.set(false);
        match outcome {
            ServiceOutcome::Installed => toaster.confirm(copy::INSTALLED),
            ServiceOutcome::NotInstalled { message, command } => failure.set(Some((message, command))),
        }
    });
    let install = move || {
        failure.set(None);
        asking.set(true);
        shell::install_service();
    };
    let text = move || {
        if asking.get() {
            copy::ASKING.to_owned()
        } else {
            copy::needed(&device)
        }
    };
    view! {
        <Notice tone=Tone::Warn text=Signal::derive(text)>
            <Button label=copy::INSTALL busy=asking on_press=install/>
        </Notice>
        {move || failure.get().map(|(message, command)| view! {
            <ErrorState message/>
            {command.map(|text| view! { <ClipboardBlock what="command" text/> })}
        })}
    }
}
