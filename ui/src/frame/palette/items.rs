//! The entries of the palette: pages, devices, containers, stacks, actions, and recently chosen ones.

use super::verbs::verbs;
use crate::{
    actions::{
        Acting, AnyObject, Found, KINDS, Kind, Offer,
        fleet::{FLEET_ACTIONS, FleetAction},
    },
    browser,
    components::icon::{Glyph, lucide},
    copy::{frame, palette as copy},
    frame::Overlays,
    prefs::{Theme, use_prefs},
    registry,
};
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

/// The weight of an entry that cannot be chosen now: below all that can.
const NOT_NOW: i32 = -1_000;

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
    /// Why it cannot be chosen now.
    pub reason: Option<String>,
    /// The kind and the key of the object that the entry is.
    object: Option<(&'static AnyObject, String)>,
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
            reason: None,
            object: None,
        }
    }

    /// An object that the page knows, which opens its address.
    fn object(of: &'static AnyObject, found: &Found) -> Self {
        let (group, go) = (group_of(found.kind), EntryAction::Go(found.address.clone()));
        Self {
            object: Some((of, found.key.clone())),
            ..Self::new(group, found.kind.glyph(), &found.name, &found.detail, go)
        }
    }

    /// An object that a verb is applied to. One that it cannot be applied to now comes after the others.
    pub(super) fn target(found: &Found, offer: Offer) -> Self {
        let (group, run) = (group_of(found.kind), EntryAction::Run(offer.run));
        Self {
            shown_untyped: true,
            weight: if offer.reason.is_some() { NOT_NOW } else { 0 },
            reason: offer.reason,
            ..Self::new(group, found.kind.glyph(), &found.name, &found.detail, run)
        }
    }

    /// An action on the object of an entry.
    fn offer(on: &Self, offer: Offer) -> Self {
        let run = EntryAction::Run(offer.run);
        Self {
            reason: offer.reason,
            ..Self::new(Group::Actions, offer.glyph, offer.verb, &on.title, run)
        }
    }

    /// Whether there are entries behind it.
    pub(super) fn has_more(&self) -> bool {
        self.object.is_some() || matches!(self.action, EntryAction::Choose(_))
    }

    fn of_fleet(action: &FleetAction, acting: Acting) -> Self {
        let go = EntryAction::Go(action.address.to_owned());
        Self {
            reason: untrack(|| action.reason(acting.store)),
            ..Self::new(Group::Actions, action.glyph, action.verb, "", go)
        }
    }

    fn page(glyph: Glyph, title: &str, path: &str) -> Self {
        Self::new(Group::GoTo, glyph, title, "", EntryAction::Go(path.to_owned()))
    }
}

/// All entries that can be found.
pub(super) fn collect(acting: Acting) -> Vec<PaletteEntry> {
    let mut entries: Vec<_> = pages().collect();
    entries.extend(objects_of_fleet(acting));
    entries.extend(verbs(acting));
    entries.extend(FLEET_ACTIONS.map(|action| PaletteEntry::of_fleet(action, acting)));
    entries.extend(of_page(acting));
    let recents = recent_entries(&entries);
    recents.into_iter().chain(entries).collect()
}

fn pages() -> impl Iterator<Item = PaletteEntry> {
    registry::nav().map(|(page, nav)| PaletteEntry::page(nav.glyph, page.title, page.path))
}

fn objects_of_fleet(acting: Acting) -> Vec<PaletteEntry> {
    let of = |kind: &'static AnyObject| {
        let all = untrack(|| (kind.all)(acting.store));
        all.into_iter()
            .map(move |found| PaletteEntry::object(kind, &found))
    };
    KINDS.iter().flat_map(of).collect()
}

fn group_of(kind: Kind) -> Group {
    match kind {
        Kind::Device => Group::Devices,
        Kind::Container => Group::Containers,
        Kind::Stack => Group::Stacks,
        Kind::Image | Kind::Path => Group::GoTo,
    }
}

/// What changes the page alone.
fn of_page(acting: Acting) -> Vec<PaletteEntry> {
    let prefs = use_prefs();
    let overlays: Overlays = expect_context();
    let action_entry =
        |glyph, title: &str, action| PaletteEntry::new(Group::Actions, glyph, title, "", action);
    let theme = |theme: Theme| EntryAction::Run(Arc::new(move || prefs.theme.set(theme)));
    vec![
        action_entry(lucide::MOON, copy::DARK, theme(Theme::Dark)),
        action_entry(lucide::SUN, copy::LIGHT, theme(Theme::Light)),
        action_entry(lucide::MONITOR, copy::SYSTEM, theme(Theme::System)),
        action_entry(
            lucide::REFRESH_CW,
            copy::RELOAD,
            EntryAction::Run(Arc::new(move || acting.store.reload())),
        ),
        action_entry(
            lucide::KEYBOARD,
            frame::SHORTCUTS,
            EntryAction::Run(Arc::new(move || overlays.shortcuts.set(true))),
        ),
    ]
}

/// The entries behind an entry: the objects of a verb, or the actions of an object. Others have none.
pub(super) fn actions_of(acting: Acting, entry: &PaletteEntry) -> Vec<PaletteEntry> {
    if let EntryAction::Choose(objects) = &entry.action {
        return objects();
    }
    let Some((kind, key)) = &entry.object else {
        return Vec::new();
    };
    let open = PaletteEntry::new(
        Group::Actions,
        entry.glyph,
        copy::OPEN,
        &entry.title,
        entry.action.clone(),
    );
    let offers = untrack(|| (kind.actions)(acting, key));
    let offers = offers.into_iter().map(|offer| PaletteEntry::offer(entry, offer));
    std::iter::once(open).chain(offers).collect()
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
