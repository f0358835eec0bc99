//! The entries of the palette: pages, devices, containers, stacks, actions, and recently chosen ones.

use super::verbs::verbs;
use crate::{
    browser,
    components::icon::{Glyph, lucide},
    copy::{containers, frame, palette as copy},
    frame::Overlays,
    pages::containers::{ContainerActions, actions},
    prefs::{Theme, use_prefs},
    registry::{self, ADD_DEVICE},
    store::{Keyed, use_store},
};
use flotilla_protocol::inventory::ContainerAction;
use leptos::prelude::*;
use std::sync::Arc;

/// The headings of the list, in their order while nothing is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    Recent,
    GoTo,
    Devices,
    Containers,
    Stacks,
    Actions,
}

/// An action. It runs after the palette is unmounted, so it holds no signals of it.
pub(super) type Run = Arc<dyn Fn() + Send + Sync>;

/// The objects that a verb can be applied to now.
pub(super) type Objects = Arc<dyn Fn() -> Vec<PaletteEntry> + Send + Sync>;

/// What happens when an entry is chosen.
#[derive(Clone)]
pub(super) enum EntryAction {
    Go(String),
    Run(Run),
    /// Lists the objects of a verb, of which one is chosen next.
    Choose(Objects),
}

impl PartialEq for EntryAction {
    /// Only addresses can be compared; all other actions are unequal, also to themselves.
    fn eq(&self, other: &Self) -> bool {
        matches!((self, other), (Self::Go(path), Self::Go(other)) if path == other)
    }
}

#[derive(Clone, PartialEq)]
pub(super) struct PaletteEntry {
    pub group: Group,
    pub glyph: Glyph,
    pub title: String,
    pub detail: String,
    /// The title and the detail in lower case.
    pub searched: String,
    pub action: EntryAction,
    /// Listed while nothing is typed.
    pub shown_untyped: bool,
    /// A copy in the group of recent entries; the entry is in its own group, too.
    pub is_recent_copy: bool,
    pub weight: i32,
    /// The key of the container's row, if the entry is a container.
    container: Option<String>,
}

impl PaletteEntry {
    pub(super) fn new(group: Group, glyph: Glyph, title: &str, detail: &str, action: EntryAction) -> Self {
        let searched = format!("{title} {detail}").trim().to_lowercase();
        let shown_untyped = matches!(group, Group::GoTo | Group::Actions | Group::Devices);
        let weight = if shown_untyped { 4 } else { 0 };
        let (title, detail) = (title.to_owned(), detail.to_owned());
        Self {
            group,
            glyph,
            title,
            detail,
            searched,
            action,
            shown_untyped,
            is_recent_copy: false,
            weight,
            container: None,
        }
    }

    /// The entry as an object of a verb, which is listed while nothing is typed.
    pub(super) fn into_object(self) -> Self {
        Self {
            shown_untyped: true,
            ..self
        }
    }

    fn page(glyph: Glyph, title: &str, path: &str) -> Self {
        Self::new(Group::GoTo, glyph, title, "", EntryAction::Go(path.to_owned()))
    }
}

/// All entries that can be found.
pub(super) fn collect() -> Vec<PaletteEntry> {
    let mut entries: Vec<_> = pages().collect();
    entries.extend(objects_of_fleet());
    entries.extend(verbs());
    entries.extend(actions());
    let recents = recent_entries(&entries);
    recents.into_iter().chain(entries).collect()
}

fn pages() -> impl Iterator<Item = PaletteEntry> {
    registry::nav().map(|(page, nav)| PaletteEntry::page(nav.glyph, page.title, page.path))
}

fn objects_of_fleet() -> Vec<PaletteEntry> {
    let store = use_store();
    let mut entries = Vec::new();
    store.devices.with_untracked(|devices| {
        for device in devices.rows().values() {
            let go = EntryAction::Go(format!("/devices/{}", device.id));
            entries.push(PaletteEntry::new(
                Group::Devices,
                lucide::SERVER,
                device.name.as_str(),
                &device.mesh_ip.to_string(),
                go,
            ));
        }
    });
    store.containers.with_untracked(|collection| {
        for row in collection.rows().values() {
            let go = EntryAction::Go(format!("/containers/{}/{}", row.device, row.item.name));
            let detail = containers::on(row.device.as_str());
            let mut entry = PaletteEntry::new(Group::Containers, lucide::BOX, &row.item.name, &detail, go);
            entry.container = Some(row.key().to_string());
            entries.push(entry);
        }
    });
    store.stacks.with_untracked(|collection| {
        for row in collection.rows().values() {
            let go = EntryAction::Go(format!("/stacks/{}/{}", row.device, row.item.name));
            entries.push(PaletteEntry::new(
                Group::Stacks,
                lucide::LAYERS,
                &row.item.name,
                &containers::on(row.device.as_str()),
                go,
            ));
        }
    });
    entries
}

fn actions() -> Vec<PaletteEntry> {
    let (store, prefs) = (use_store(), use_prefs());
    let overlays: Overlays = expect_context();
    let action_entry =
        |glyph, title: &str, action| PaletteEntry::new(Group::Actions, glyph, title, "", action);
    let theme = |theme: Theme| EntryAction::Run(Arc::new(move || prefs.theme.set(theme)));
    vec![
        action_entry(
            lucide::PLUS,
            crate::copy::devices::ADD,
            EntryAction::Go(ADD_DEVICE.to_owned()),
        ),
        action_entry(lucide::MOON, copy::DARK, theme(Theme::Dark)),
        action_entry(lucide::SUN, copy::LIGHT, theme(Theme::Light)),
        action_entry(lucide::MONITOR, copy::SYSTEM, theme(Theme::System)),
        action_entry(
            lucide::REFRESH_CW,
            copy::RELOAD,
            EntryAction::Run(Arc::new(move || store.reload())),
        ),
        action_entry(
            lucide::KEYBOARD,
            frame::SHORTCUTS,
            EntryAction::Run(Arc::new(move || overlays.shortcuts.set(true))),
        ),
    ]
}

/// The entries behind an entry: the objects of a verb, or the actions of a container. Others have none.
pub(super) fn actions_of(entry: &PaletteEntry) -> Vec<PaletteEntry> {
    if let EntryAction::Choose(objects) = &entry.action {
        return objects();
    }
    let Some(key) = &entry.container else {
        return Vec::new();
    };
    let container_actions: ContainerActions = expect_context();
    let mut entries = vec![PaletteEntry::new(
        Group::Actions,
        lucide::BOX,
        copy::OPEN,
        &entry.title,
        entry.action.clone(),
    )];
    entries.extend(ContainerAction::ALL.iter().map(|action| {
        let (action, key) = (*action, key.clone());
        let run = Arc::new(move || container_actions.ask(vec![key.clone()], action, None));
        PaletteEntry::new(
            Group::Actions,
            actions::glyph(action),
            containers::verb(action),
            &entry.title,
            EntryAction::Run(run),
        )
    }));
    entries
}

const RECENT: &str = "palette.recent";
const RECENT_KEPT: usize = 5;

/// Stores the address of a chosen entry as a recent one. Entries without an address are not stored.
pub(super) fn remember(entry: &PaletteEntry) {
    let EntryAction::Go(path) = &entry.action else {
        return;
    };
    let mut addresses: Vec<String> = recent_addresses();
    addresses.retain(|known| known != path);
    addresses.insert(0, path.clone());
    addresses.truncate(RECENT_KEPT);
    browser::remember(RECENT, &serde_json::to_string(&addresses).unwrap_or_default());
}

fn recent_addresses() -> Vec<String> {
    browser::remembered(RECENT)
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default()
}

fn recent_entries(entries: &[PaletteEntry]) -> Vec<PaletteEntry> {
    let again = |path: String| {
        let entry = entries
            .iter()
            .find(|entry| entry.action == EntryAction::Go(path.clone()))?;
        Some(PaletteEntry {
            group: Group::Recent,
            shown_untyped: true,
            is_recent_copy: true,
            ..entry.clone()
        })
    };
    recent_addresses().into_iter().filter_map(again).collect()
}
