//! The page of a device, with its tabs.

mod cpu;
mod endpoint_trials;
mod header;
mod mesh;
mod mode;
mod overview;
mod pod;
mod system_agent;
mod tags;
mod trust;
mod tunnel;

pub use mode::ChangeMode;
pub use tags::known_tags;

use crate::{
    actions::{DeviceObject, use_acting},
    components::{button::Button, empty::EmptyState, icon::lucide, loaded::Loaded, tabs::Tabs},
    copy::{device as copy, frame},
    frame::{page_title, use_place},
    pages::{
        containers::Containers,
        mesh::{PathsTable, RoundTrips},
    },
    store::{last_row, load_of, use_store},
};
use flotilla_protocol::{device::Device, id::DeviceId};
use header::Header;
use leptos::prelude::*;
use leptos_router::hooks::{use_location, use_navigate, use_query_map};
use overview::Overview;
use std::sync::Arc;
use tags::Tags;
use trust::Trust;

/// What the page shows.
#[derive(Debug, Clone, PartialEq)]
enum PageContent {
    Absent,
    Device(DeviceId),
}

#[component]
pub fn DevicePage() -> impl IntoView {
    let store = use_store();
    store.ensure_devices();
    let place = use_place();
    let device_in_address = Memo::new(move |_| place.with(|place| place.param("device").to_owned()));
    let tab = Memo::new(move |_| place.with(|place| place.tab().to_owned()));
    let page_content = Memo::new(move |_| {
        if let Some(device) = store.lookup_device(&device_in_address.get()) {
            return PageContent::Device(device.id);
        }
        PageContent::Absent
    });
    page_title(move || {
        let name = store
            .lookup_device(&device_in_address.get())
            .map_or_else(|| device_in_address.get(), |device| device.name.to_string());
        vec![name, frame::DEVICES.to_owned()]
    });
    name_to_id(page_content, device_in_address, tab);
    let content = move || match page_content.get() {
        PageContent::Absent => view! { <Absent/> }.into_any(),
        PageContent::Device(id) => match untrack(|| store.lookup_device(&id.to_string())) {
            Some(first) => view! { <DeviceView first tab/> }.into_any(),
            None => view! { <Absent/> }.into_any(),
        },
    };
    view! {
        <div class="page device">
            <Loaded load=load_of(store.devices) bones=5 height="2rem" sentence=copy::LOADING on_retry=move || store.reload()>
                {content}
            </Loaded>
        </div>
    }
}

/// Replaces an address with the name of a device by one with its id, which stays right after a rename.
fn name_to_id(page_content: Memo<PageContent>, device_in_address: Memo<String>, tab: Memo<String>) {
    let navigate = use_navigate();
    let search = use_location().search;
    Effect::new(move || {
        if let PageContent::Device(id) = page_content.get()
            && device_in_address.get_untracked() != id.to_string()
        {
            let options = leptos_router::NavigateOptions {
                replace: true,
                ..Default::default()
            };
            let search = search.get_untracked();
            let mark = if search.is_empty() || search.starts_with('?') {
                ""
            } else {
                "?"
            };
            navigate(
                &format!("{}{mark}{search}", path(id, &tab.get_untracked())),
                options,
            );
        }
    });
}

fn path(id: DeviceId, tab: &str) -> String {
    format!("/devices/{id}{}{tab}", if tab.is_empty() { "" } else { "/" })
}

/// Begins the action that `?ask=` in the address names, and removes that part of the address.
fn begin_action_of_address(id: DeviceId, tab: Memo<String>) {
    let acting = use_acting();
    let query = use_query_map();
    let navigate = use_navigate();
    Effect::new(move || {
        let Some(word) = query.with(|query| query.get("ask")) else {
            return;
        };
        untrack(|| acting.begin_slug::<DeviceObject>(&word, &id.to_string()));
        let options = leptos_router::NavigateOptions {
            replace: true,
            ..Default::default()
        };
        navigate(&path(id, &tab.get_untracked()), options);
    });
}

#[component]
fn Absent() -> impl IntoView {
    let navigate = use_navigate();
    view! {
        <EmptyState glyph=lucide::SERVER title=copy::NOT_FOUND.to_owned() text=copy::NOT_FOUND_TEXT.to_owned()>
            <Button label=copy::SEE_ALL on_press=move || navigate("/devices", Default::default())/>
        </EmptyState>
    }
}

/// A device as it is now. One that was removed keeps its last value, for what shows it until it is left.
#[must_use]
pub fn followed(first: Arc<Device>) -> Signal<Arc<Device>> {
    last_row(use_store().devices, first.id, first)
}

/// The key of a device, for its actions.
fn key_of(device: Signal<Arc<Device>>) -> Signal<Option<String>> {
    let id = device.with_untracked(|device| device.id.to_string());
    Signal::derive(move || Some(id.clone()))
}

#[component]
fn DeviceView(first: Arc<Device>, tab: Memo<String>) -> impl IntoView {
    let navigate = use_navigate();
    let id = first.id;
    let device = followed(first);
    begin_action_of_address(id, tab);
    RoundTrips::provide();
    let place = use_place();
    let tabs = Signal::derive(move || place.with(|place| place.page.tabs()));
    let select = move |word: String| navigate(&path(id, &word), Default::default());
    let panel = move || match tab.get().as_str() {
        "containers" => view! { <Containers only=Signal::derive(move || Some(id))/> }.into_any(),
        "paths" => view! { <PathsTable only=Some(id)/> }.into_any(),
        "tags" => view! { <Tags device/> }.into_any(),
        "trust" => view! { <Trust device/> }.into_any(),
        _ => view! { <Overview device/> }.into_any(),
    };
    view! {
        <Header device/>
        <Tabs label=copy::SECTIONS tabs selected=tab on_select=select>{panel}</Tabs>
    }
}
