//! The Device choice of an inventory table: all devices, one device, or the devices with a tag.

use crate::{
    components::{
        badge::{Status, StatusBadge},
        icon::{Icon, lucide},
        listbox::{Listbox, ListboxState},
        table::TableState,
    },
    copy::table as copy,
    query::{Key, Query},
    store::use_store,
};
use leptos::{ev::KeyboardEvent, prelude::*};
use std::collections::BTreeSet;

/// At most this many lines are listed: typing another letter is quicker than reading more.
const LISTED: usize = 100;

/// A line of the list.
#[derive(Debug, Clone, PartialEq)]
enum DeviceScope {
    All,
    Device(String, Status),
    Tag(String),
}

impl DeviceScope {
    fn key(&self) -> String {
        match self {
            Self::All => String::new(),
            Self::Device(name, _) => format!("device:{name}"),
            Self::Tag(tag) => format!("tag:{tag}"),
        }
    }

    fn words(&self) -> String {
        match self {
            Self::All => copy::ALL_DEVICES.to_owned(),
            Self::Device(name, _) => name.clone(),
            Self::Tag(tag) => tag.clone(),
        }
    }

    fn apply(&self, table: TableState) {
        table.forget(Key::Device);
        table.forget(Key::Tag);
        match self {
            Self::All => {}
            Self::Device(name, _) => table.choose(Key::Device, name, Some(true)),
            Self::Tag(tag) => table.choose(Key::Tag, tag, Some(true)),
        }
    }
}

#[component]
pub fn DeviceChoice(table: TableState) -> impl IntoView {
    // The typed text while the list is open.
    let typed = RwSignal::new(None::<String>);
    let offered = Memo::new(move |_| {
        let typed = typed.get();
        typed.map(|typed| scopes(&typed)).unwrap_or_default()
    });
    let take = Callback::new(move |(scope,): (DeviceScope,)| {
        scope.apply(table);
        typed.set(None);
    });
    let list = ListboxState::new(offered.into(), DeviceScope::key, take);
    let begin = move |text: String| {
        typed.set(Some(text));
        list.open_at_first();
    };
    let open = move || {
        if typed.with_untracked(Option::is_none) {
            begin(String::new());
        }
    };
    let close = move || {
        list.close();
        typed.set(None);
    };
    let keys = move |event: KeyboardEvent| match event.key().as_str() {
        "ArrowDown" if typed.with_untracked(Option::is_none) => {
            event.prevent_default();
            open();
        }
        "Escape" if typed.with_untracked(Option::is_some) => {
            event.prevent_default();
            event.stop_propagation();
            close();
        }
        _ => _ = list.on_key(&event),
    };
    let value = move || typed.get().unwrap_or_else(|| table.query.with(chosen_words));
    view! {
        <div class="combo">
            <Icon glyph=lucide::SERVER/>
            <input type="text" role="combobox" autocomplete="off" spellcheck="false" aria-autocomplete="list"
                aria-label=copy::DEVICE aria-expanded=move || list.is_shown().to_string() aria-controls=list.id()
                aria-activedescendant=move || list.active_id() prop:value=value
                on:click=move |_| open() on:input:target=move |event| begin(event.target().value())
                on:keydown=keys on:blur=move |_| close()/>
            <Icon glyph=lucide::CHEVRON_DOWN/>
            <Listbox state=list label=copy::DEVICE option=option_view/>
        </div>
    }
}

fn option_view(scope: &DeviceScope) -> AnyView {
    let words = scope.words();
    match scope {
        DeviceScope::All => view! { <span class="grow">{words}</span> }.into_any(),
        DeviceScope::Device(_, status) => {
            view! { <span class="grow">{words}</span><StatusBadge status=status.clone()/> }.into_any()
        }
        DeviceScope::Tag(_) => {
            view! { <Icon glyph=lucide::TAG/><span class="grow">{words}</span> }.into_any()
        }
    }
}

/// The lines that contain the typed text: all devices, then each device, then tags.
fn scopes(typed: &str) -> Vec<DeviceScope> {
    let typed = typed.to_lowercase();
    use_store().devices.with(|devices| {
        let mut all: Vec<DeviceScope> = vec![DeviceScope::All];
        let mut known: Vec<_> = devices
            .rows()
            .values()
            .filter(|device| device.enrolled.is_some())
            .collect();
        known.sort_by(|a, b| a.name.cmp(&b.name));
        all.extend(
            known
                .iter()
                .map(|device| DeviceScope::Device(device.name.to_string(), Status::of_device(device))),
        );
        let tags: BTreeSet<_> = devices
            .rows()
            .values()
            .flat_map(|device| device.tags.iter())
            .collect();
        all.extend(tags.into_iter().map(|tag| DeviceScope::Tag(tag.to_string())));
        all.retain(|scope| scope.words().to_lowercase().contains(&typed));
        all.truncate(LISTED);
        all
    })
}

/// The terms of a filter about devices, in words.
fn chosen_words(query: &Query) -> String {
    let wanted = |(value, wanted): (String, bool)| if wanted { value } else { format!("not {value}") };
    let chosen: Vec<_> = query
        .choices(Key::Device)
        .into_iter()
        .chain(query.choices(Key::Tag))
        .map(wanted)
        .collect();
    if chosen.is_empty() {
        copy::ALL_DEVICES.to_owned()
    } else {
        chosen.join(", ")
    }
}
