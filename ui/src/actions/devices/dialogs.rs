//! The dialogs of a device's actions. Their code is fetched when one is opened.

use super::{DeviceObject, rename::Rename, tags::EditTags};
use crate::{
    actions::DialogEnd,
    lazy_views,
    pages::{
        add_device::ReenrollDevice,
        device::{ChangeMode, followed},
    },
};
use leptos::prelude::*;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DeviceDialog {
    Rename,
    Tags,
    Mode,
    Reenroll,
}

/// The open dialog.
#[derive(Debug, Clone)]
struct OpenDialog {
    dialog: DeviceDialog,
    devices: Vec<DeviceObject>,
    end: DialogEnd,
}

impl DeviceDialog {
    pub(super) fn view(self, devices: Vec<DeviceObject>, end: DialogEnd) -> AnyView {
        provide_context(OpenDialog {
            dialog: self,
            devices,
            end,
        });
        lazy_views::device_dialog().view().into_any()
    }
}

#[component]
pub fn OpenDeviceDialog() -> impl IntoView {
    let OpenDialog { dialog, devices, end } = expect_context();
    let first = devices.first().map(|it| it.device.clone())?;
    Some(match dialog {
        DeviceDialog::Rename => view! { <Rename device=first end/> }.into_any(),
        DeviceDialog::Tags => view! { <EditTags devices end/> }.into_any(),
        DeviceDialog::Mode => view! { <ChangeMode device=followed(first) on_close=end.close/> }.into_any(),
        DeviceDialog::Reenroll => {
            view! { <ReenrollDevice id=first.id name=first.name.to_string() on_close=end.close/> }.into_any()
        }
    })
}
