//! The Device choice of an inventory table: all devices, one device, or the devices with a tag.

use crate::{
    components::{
        badge::{Status, StatusBadge},
        icon::{Icon, lucide},
        ids::fresh_id,
        table::TableState,
    },
    copy::table as copy,
    query::{Key, Query},
    store::use_store,
};
use leptos::{
    ev::{FocusEvent, KeyboardEvent, PointerEvent},
    prelude::*,
};
use std::collections::BTreeSet;

/// A line of the list.
#[derive(Debug, Clone, PartialEq)]
enum DeviceScope {
    All,
    Device(String, Status),
    Tag(String),
}

impl DeviceScope {
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
    let list = fresh_id("devices");
    let typed = RwSignal::new(None::<String>);
    let at = RwSignal::new(0_usize);
    let scopes = Memo::new(move |_| typed.with(|typed| scopes(typed.as_deref().unwrap_or_default())));
    let open = Memo::new(move |_| typed.with(Option::is_some));
    let value = move || typed.get().unwrap_or_else(|| table.query.with(chosen_words));
    let take = move |scope: &DeviceScope| {
        scope.apply(table);
        typed.set(None);
    };
    let begin = move |_| {
        if !open.get_untracked() {
            at.set(0);
            typed.set(Some(String::new()));
        }
    };
    let keys = move |event: KeyboardEvent| {
        let Some(list_key) = list_key(&event.key(), open.get_untracked()) else {
            return;
        };
        event.prevent_default();
        event.stop_propagation();
        let count = scopes.with_untracked(Vec::len).max(1);
        match list_key {
            ListKey::Open => typed.set(Some(String::new())),
            ListKey::Next => at.update(|at| *at = (*at + 1) % count),
            ListKey::Back => at.update(|at| *at = (*at + count - 1) % count),
            ListKey::Take => {
                let scope = scopes.with_untracked(|scopes| scopes.get(at.get_untracked()).cloned());
                scope.iter().for_each(take);
            }
            ListKey::Close => typed.set(None),
        }
    };
    let typing = move |event| {
        at.set(0);
        typed.set(Some(event_target_value(&event)));
    };
    let option = list.clone();
    let active = move || open.get().then(|| format!("{option}-{}", at.get()));
    view! {
        <div class="combo">
            <Icon glyph=lucide::SERVER/>
            <input type="text" role="combobox" autocomplete="off" spellcheck="false" aria-autocomplete="list"
                aria-label=copy::DEVICE aria-expanded=move || open.get().to_string() aria-controls=list.clone()
                aria-activedescendant=active prop:value=value
                on:click=begin on:input=typing on:keydown=keys on:blur=move |_: FocusEvent| typed.set(None)/>
            <Icon glyph=lucide::CHEVRON_DOWN/>
            <Offers list=list.clone() scopes open at take=Callback::new(move |scope| take(&scope))/>
        </div>
    }
}

#[component]
fn Offers(
    list: String,
    scopes: Memo<Vec<DeviceScope>>,
    open: Memo<bool>,
    at: RwSignal<usize>,
    take: Callback<DeviceScope>,
) -> impl IntoView {
    let option = list.clone();
    let line = move |(index, scope): (usize, DeviceScope)| {
        let id = format!("{option}-{index}");
        let shown = option_view(&scope);
        let pick = move |event: PointerEvent| {
            // The focus stays in the field.
            event.prevent_default();
            take.run(scope.clone());
        };
        view! {
            <li role="option" id=id aria-selected=move || (at.get() == index).to_string() on:pointerdown=pick>{shown}</li>
        }
    };
    view! {
        <ul role="listbox" id=list class="offers" aria-label=copy::DEVICE hidden=move || !open.get()>
            {move || open.get().then(|| scopes.get().into_iter().enumerate().map(&line).collect_view())}
        </ul>
    }
}

/// What a key does in the list.
enum ListKey {
    Open,
    Next,
    Back,
    Take,
    Close,
}

fn list_key(key: &str, open: bool) -> Option<ListKey> {
    match (key, open) {
        ("ArrowDown", false) => Some(ListKey::Open),
        ("ArrowDown", true) => Some(ListKey::Next),
        ("ArrowUp", true) => Some(ListKey::Back),
        ("Enter", true) => Some(ListKey::Take),
        ("Escape", true) => Some(ListKey::Close),
        _ => None,
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
