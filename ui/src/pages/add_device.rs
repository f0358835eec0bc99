//! Add Device: three steps from a name to a device that is online.
//!
//! A dialog over the list of devices, at `/devices/add`. With `?device=ID` it shows the last step for a pending device.

mod countdown;
mod diagram;
mod docker;
mod flow;
mod install_step;
mod location;
mod method;
mod name_step;
mod network_step;
mod panel;
mod problems;
mod progress;
mod result;
mod ssh;
mod ssh_progress;
mod stages;

pub(crate) use diagram::diagram;

use crate::{
    actions::fleet::ADD_DEVICE,
    components::{
        dialog::{Dialog, Size},
        stepper::Stepper,
    },
    copy::add_device as copy,
    store::use_store,
};
use flotilla_protocol::{api::DeviceAdded, id::DeviceId};
use flow::{Flow, Step};
use install_step::InstallStep;
use leptos::prelude::*;
use leptos_router::hooks::{use_navigate, use_query_map};
use name_step::NameStep;
use network_step::NetworkStep;

#[component]
pub fn AddDevice() -> impl IntoView {
    let flow = Flow::provide(false);
    resume_device_of_address(flow);
    let navigate = use_navigate();
    let close = Callback::new(move |()| navigate("/devices", Default::default()));
    let current = Signal::derive(move || flow.step.get() as usize);
    let back = move |index: usize| {
        if !flow.resumed.get_untracked() {
            flow.step.set(if index == 0 { Step::Name } else { Step::Network });
        }
    };
    let head = view! { <Stepper steps=copy::STEPS.to_vec() current on_back=back/> }.into_any();
    let step = move || match flow.step.get() {
        Step::Name => view! { <NameStep on_close=close/> }.into_any(),
        Step::Network => view! { <NetworkStep/> }.into_any(),
        Step::Install => view! { <InstallStep on_close=close/> }.into_any(),
    };
    view! {
        <Dialog title=ADD_DEVICE.verb size=Size::Wide on_close=close edited=Signal::derive(move || flow.is_edited()) head>
            {step}
        </Dialog>
    }
}

/// The last step alone, with a new command for a device that enrolled before.
#[component]
pub fn ReenrollDevice(id: DeviceId, name: String, on_close: Callback<()>) -> impl IntoView {
    let flow = Flow::provide(true);
    flow.resume(id, &name);
    flow.renew();
    view! {
        <Dialog title=copy::reenroll_title(&name) size=Size::Wide on_close>
            <InstallStep on_close/>
        </Dialog>
    }
}

/// The last step alone, with given texts that a person pastes on a device of the fleet.
#[component]
pub fn PasteTexts(texts: DeviceAdded, #[prop(into)] on_close: Callback<()>) -> impl IntoView {
    let flow = Flow::provide(true);
    flow.resume(texts.device.id, texts.device.name.as_str());
    flow.show_texts(texts);
    view! { <InstallStep on_close/> }
}

/// Continues with the device that the address names, once it is loaded.
fn resume_device_of_address(flow: Flow) {
    let store = use_store();
    let query = use_query_map();
    let in_address = Memo::new(move |_| query.with(|query| query.get("device")));
    Effect::new(move || {
        let Some(in_address) = in_address.get() else {
            return;
        };
        if flow.device.get_untracked().is_none()
            && let Some(device) = store.lookup_device(&in_address)
        {
            flow.resume(device.id, device.name.as_str());
        }
    });
}
