//! One device: what it is, its containers, its tags, and its trust.

mod actions;
mod header;
mod mesh;
mod mode;
mod overview;
mod pod;
mod reach;
mod system_agent;
mod tags;
mod trust;
mod tunnel;

pub use tags::known_tags;

use crate::{
    components::{
        button::Button,
        empty::EmptyState,
        error_state::ErrorState,
        icon::lucide,
        skeleton::Skeleton,
        tabs::{Tab, Tabs},
    },
    copy::{device as copy, frame},
    frame::page_title,
    pages::{
        containers::Containers,
        mesh::{PathsTable, RoundTrips},
    },
    store::{Load, use_store},
};
use actions::DangerDialogs;
use flotilla_protocol::{device::Device, id::DeviceId};
use header::Header;
use leptos::prelude::*;
use leptos_router::hooks::{use_location, use_navigate, use_params_map, use_query_map};
use overview::Overview;
use std::sync::Arc;
use tags::Tags;
use trust::Trust;

/// The tabs: the word in the address, and what people read. The first has no word.
const TABS: [(&str, &str); 5] = [
    ("", copy::OVERVIEW),
    ("containers", copy::CONTAINERS),
    ("paths", copy::PATHS),
    ("tags", copy::TAGS),
    ("trust", copy::TRUST),
];

/// What the page can show.
#[derive(Debug, Clone, PartialEq)]
enum Stage {
    Loading,
    Failed(String),
    Absent,
    Known(DeviceId),
}

#[component]
pub fn DevicePage() -> impl IntoView {
    let store = use_store();
    store.ensure_devices();
    let params = use_params_map();
    let asked = Memo::new(move |_| params.with(|params| params.get("device").unwrap_or_default()));
    let tab = Memo::new(move |_| params.with(|params| known_tab(&params.get("tab").unwrap_or_default())));
    let stage = Memo::new(move |_| {
        if let Some(device) = store.lookup_device(&asked.get()) {
            return Stage::Known(device.id);
        }
        store.devices.with(|devices| match devices.load() {
            Load::Failed(failure) if !devices.is_filled() => Stage::Failed(failure.to_string()),
            _ if devices.is_filled() => Stage::Absent,
            _ => Stage::Loading,
        })
    });
    page_title(move || {
        let name = store
            .lookup_device(&asked.get())
            .map_or_else(|| asked.get(), |device| device.name.to_string());
        vec![name, frame::DEVICES.to_owned()]
    });
    name_to_id(stage, asked, tab);
    let content = move || match stage.get() {
        Stage::Loading => view! { <Skeleton bones=5 height="2rem" sentence=copy::LOADING/> }.into_any(),
        Stage::Failed(message) => view! { <ErrorState message on_retry=move || store.reload()/> }.into_any(),
        Stage::Absent => view! { <Absent/> }.into_any(),
        Stage::Known(id) => match untrack(|| store.lookup_device(&id.to_string())) {
            Some(first) => view! { <Known first tab/> }.into_any(),
            None => view! { <Absent/> }.into_any(),
        },
    };
    view! { <div class="page device">{content}</div> }
}

fn known_tab(word: &str) -> String {
    TABS.iter()
        .find(|(known, _)| *known == word)
        .map_or_else(String::new, |(known, _)| (*known).to_owned())
}

/// An address with a name becomes the one with the id, which stays true after a rename.
fn name_to_id(stage: Memo<Stage>, asked: Memo<String>, tab: Memo<String>) {
    let navigate = use_navigate();
    let search = use_location().search;
    Effect::new(move || {
        if let Stage::Known(id) = stage.get()
            && asked.get_untracked() != id.to_string()
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

/// Opens the dialog that the address asks for with `?ask=`, and forgets that it did.
fn open_asked(actions: actions::Actions, id: DeviceId, tab: Memo<String>) {
    let query = use_query_map();
    let navigate = use_navigate();
    Effect::new(move || {
        let Some(word) = query.with(|query| query.get("ask")) else {
            return;
        };
        let asked = actions::Asked::of_word(&word);
        if let Some(asked) = asked.filter(|asked| untrack(|| actions.allows(*asked))) {
            actions.ask(asked);
        }
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

#[component]
fn Known(first: Arc<Device>, tab: Memo<String>) -> impl IntoView {
    let store = use_store();
    let navigate = use_navigate();
    let id = first.id;
    // The page outlives the row for the moment that leaving takes.
    let device = Memo::new(move |last: Option<&Arc<Device>>| {
        let known = store.devices.with(|devices| devices.rows().get(&id).cloned());
        known.unwrap_or_else(|| last.unwrap_or(&first).clone())
    });
    let device = Signal::from(device);
    let actions = actions::Actions::provide(device);
    open_asked(actions, id, tab);
    RoundTrips::provide();
    let tabs = Signal::derive(|| TABS.map(|(word, label)| Tab::new(word, label)).to_vec());
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
        <DangerDialogs/>
    }
}
