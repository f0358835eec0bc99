//! What the palette finds: pages, devices, containers, stacks, actions, and what was chosen last.

use super::verbs::verbs;
use crate::{
    browser,
    components::icon::{Glyph, lucide},
    copy::{containers, frame, palette as copy},
    frame::Over,
    pages::containers::{Acts, act},
    prefs::{Theme, use_prefs},
    store::{Keyed, use_store},
    wire,
};
use flotilla_protocol::inventory::ContainerAction;
use leptos::prelude::*;
use std::sync::Arc;

/// Headings of the list, in the order in which they stand while nothing is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    Recent,
    GoTo,
    Devices,
    Containers,
    Stacks,
    Actions,
}

/// Outlives the palette, which is gone before it runs.
pub(super) type Run = Arc<dyn Fn() + Send + Sync>;

/// What a verb can be done to now.
pub(super) type Objects = Arc<dyn Fn() -> Vec<Entry> + Send + Sync>;

/// What choosing an entry does.
#[derive(Clone)]
pub(super) enum Does {
    Go(String),
    Run(Run),
    /// A verb: what it is done to is chosen next.
    Choose(Objects),
}

impl PartialEq for Does {
    /// Actions are equal to none, not even themselves: only addresses can be recognized.
    fn eq(&self, other: &Self) -> bool {
        matches!((self, other), (Self::Go(path), Self::Go(other)) if path == other)
    }
}

#[derive(Clone, PartialEq)]
pub(super) struct Entry {
    pub group: Group,
    pub glyph: Glyph,
    pub title: String,
    pub detail: String,
    /// Lower case.
    pub searched: String,
    pub does: Does,
    /// Stands in the list before anything is typed.
    pub first: bool,
    /// Stands elsewhere in the list, too.
    pub repeated: bool,
    pub weight: i32,
    /// Key of the container's row, where it is one.
    container: Option<String>,
}

impl Entry {
    pub(super) fn new(group: Group, glyph: Glyph, title: &str, detail: &str, does: Does) -> Self {
        let searched = format!("{title} {detail}").trim().to_lowercase();
        let first = matches!(group, Group::GoTo | Group::Actions | Group::Devices);
        let weight = if first { 4 } else { 0 };
        let (title, detail) = (title.to_owned(), detail.to_owned());
        Self {
            group,
            glyph,
            title,
            detail,
            searched,
            does,
            first,
            repeated: false,
            weight,
            container: None,
        }
    }

    /// In the list of a verb all objects stand from the beginning.
    pub(super) fn into_object(self) -> Self {
        Self { first: true, ..self }
    }

    fn page(glyph: Glyph, title: &str, path: &str) -> Self {
        Self::new(Group::GoTo, glyph, title, "", Does::Go(path.to_owned()))
    }
}

/// Everything that can be found now.
pub(super) fn collect() -> Vec<Entry> {
    let mut entries = pages();
    entries.extend(things());
    entries.extend(verbs());
    entries.extend(actions());
    let recent = recent(&entries);
    recent.into_iter().chain(entries).collect()
}

fn pages() -> Vec<Entry> {
    vec![
        Entry::page(lucide::LAYOUT_DASHBOARD, frame::DASHBOARD, "/"),
        Entry::page(lucide::SERVER, frame::DEVICES, "/devices"),
        Entry::page(lucide::WAYPOINTS, frame::MESH, "/mesh"),
        Entry::page(lucide::BOX, frame::CONTAINERS, "/containers"),
        Entry::page(lucide::LAYERS, frame::STACKS, "/stacks"),
        Entry::page(lucide::IMAGE, frame::IMAGES, "/images"),
        Entry::page(lucide::HARD_DRIVE, frame::VOLUMES, "/volumes"),
        Entry::page(lucide::NETWORK, frame::NETWORKS, "/networks"),
        Entry::page(lucide::HISTORY, frame::ACTIVITY, "/activity"),
        Entry::page(lucide::SETTINGS, frame::SETTINGS, "/settings"),
    ]
}

fn things() -> Vec<Entry> {
    let store = use_store();
    let mut entries = Vec::new();
    store.devices.with_untracked(|devices| {
        for device in devices.rows().values() {
            let go = Does::Go(format!("/devices/{}", device.id));
            entries.push(Entry::new(
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
            let go = Does::Go(format!("/containers/{}/{}", row.device, row.item.name));
            let detail = containers::on(row.device.as_str());
            let mut entry = Entry::new(Group::Containers, lucide::BOX, &row.item.name, &detail, go);
            entry.container = Some(row.key().to_string());
            entries.push(entry);
        }
    });
    store.stacks.with_untracked(|collection| {
        for row in collection.rows().values() {
            let go = Does::Go(format!("/stacks/{}/{}", row.device, row.item.name));
            entries.push(Entry::new(
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

fn actions() -> Vec<Entry> {
    let (store, prefs) = (use_store(), use_prefs());
    let over: Over = expect_context();
    let act = |glyph, title: &str, does| Entry::new(Group::Actions, glyph, title, "", does);
    let theme = |theme: Theme| Does::Run(Arc::new(move || prefs.theme.set(theme)));
    vec![
        act(
            lucide::PLUS,
            crate::copy::devices::ADD,
            Does::Go("/devices/add".to_owned()),
        ),
        act(lucide::MOON, copy::DARK, theme(Theme::Dark)),
        act(lucide::SUN, copy::LIGHT, theme(Theme::Light)),
        act(lucide::MONITOR, copy::SYSTEM, theme(Theme::System)),
        act(
            lucide::REFRESH_CW,
            copy::RELOAD,
            Does::Run(Arc::new(move || store.reload())),
        ),
        act(
            lucide::KEYBOARD,
            frame::SHORTCUTS,
            Does::Run(Arc::new(move || over.shortcuts.set(true))),
        ),
    ]
}

/// What can be done with an entry beyond choosing it.
pub(super) fn within(entry: &Entry) -> Vec<Entry> {
    if let Does::Choose(objects) = &entry.does {
        return objects();
    }
    let Some(key) = &entry.container else {
        return Vec::new();
    };
    let acts: Acts = expect_context();
    let mut entries = vec![Entry::new(
        Group::Actions,
        lucide::BOX,
        copy::OPEN,
        &entry.title,
        entry.does.clone(),
    )];
    entries.extend(ContainerAction::ALL.iter().map(|action| {
        let (action, key) = (*action, key.clone());
        let run = Arc::new(move || acts.ask(vec![key.clone()], action, None));
        Entry::new(
            Group::Actions,
            act::glyph(action),
            containers::verb(action),
            &entry.title,
            Does::Run(run),
        )
    }));
    entries
}

const RECENT: &str = "palette.recent";
const RECENT_KEPT: usize = 5;

/// Keeps what was chosen for the next time. Only what has an address can be kept.
pub(super) fn remember(entry: &Entry) {
    let Does::Go(path) = &entry.does else { return };
    let mut kept: Vec<String> = kept();
    kept.retain(|known| known != path);
    kept.insert(0, path.clone());
    kept.truncate(RECENT_KEPT);
    browser::remember(RECENT, &serde_json::to_string(&kept).unwrap_or_default());
}

fn kept() -> Vec<String> {
    browser::remembered(RECENT)
        .and_then(|text| wire::read(&text).ok())
        .unwrap_or_default()
}

fn recent(entries: &[Entry]) -> Vec<Entry> {
    let again = |path: String| {
        let entry = entries
            .iter()
            .find(|entry| entry.does == Does::Go(path.clone()))?;
        Some(Entry {
            group: Group::Recent,
            first: true,
            repeated: true,
            ..entry.clone()
        })
    };
    kept().into_iter().filter_map(again).collect()
}
