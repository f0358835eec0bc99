//! The command palette finds pages, devices, containers, stacks and actions by a few letters, in what is loaded.

mod items;
mod rank;
mod verbs;

use super::Overlays;
use crate::{
    actions::use_acting,
    browser,
    components::{
        dialog::Dialog,
        icon::{Icon, lucide},
        ids::fresh_id,
    },
    copy::palette as copy,
};
pub use items::Group;
use items::{EntryAction, PaletteEntry, actions_of, collect};
use leptos::{ev::KeyboardEvent, html, prelude::*};
use leptos_router::hooks::use_navigate;
use rank::best;
use std::sync::Arc;

/// At most this many entries are listed: typing another letter is quicker than reading more.
const SHOWN: usize = 40;

#[component]
pub fn Palette() -> impl IntoView {
    let overlays: Overlays = expect_context();
    let on_close = Callback::new(move |()| overlays.palette.set(false));
    let list = fresh_id("found");
    let state = PaletteState::new();
    let navigate = use_navigate();
    let run = Callback::new(move |entry: PaletteEntry| {
        if entry.reason.is_some() {
            state.said.set(entry.reason);
            return;
        }
        if matches!(entry.action, EntryAction::Choose(_)) {
            state.enter(Some(entry));
            return;
        }
        items::remember(&entry);
        on_close.run(());
        match entry.action {
            EntryAction::Go(path) => navigate(&path, Default::default()),
            // In the next frame, once the palette is removed: the action may open another dialog.
            EntryAction::Run(run) => browser::next_frame(move || run()),
            EntryAction::Choose(_) => {}
        }
    });
    let back = Callback::new(move |()| {
        if state.opened_entry.get_untracked().is_some() {
            state.enter(None);
        } else {
            on_close.run(());
        }
    });
    view! {
        <Dialog title=copy::TITLE on_close=back>
            <div class="palette">
                <Field state list=list.clone() run/>
                <FoundList list found=state.found at=state.at run/>
                <p class="palette-none muted" hidden=move || state.found.with(|found| !found.is_empty())>
                    {move || if state.opened_entry.with(Option::is_some) && state.text.with(String::is_empty) { copy::NO_OBJECT } else { copy::NOTHING }}
                </p>
                <p class="palette-foot caption muted" role="status">{move || state.said.get().unwrap_or_else(|| copy::HINT.to_owned())}</p>
            </div>
        </Dialog>
    }
}

/// The field of the palette, with the opened entry before it.
#[component]
fn Field(state: PaletteState, list: String, run: Callback<PaletteEntry>) -> impl IntoView {
    let input = focused_when_shown();
    let keys = move |event: KeyboardEvent| on_key(&event, state, run);
    let option = list.clone();
    let active = move || {
        let any = state.found.with(|found| !found.is_empty());
        any.then(|| format!("{option}-{}", state.at.get()))
    };
    let typing = move |event| {
        state.text.set(event_target_value(&event));
        state.at.set(0);
        state.said.set(None);
    };
    view! {
        <div class="palette-field">
            <Icon glyph=lucide::SEARCH/>
            {move || state.opened_entry.get().map(|entry| view! { <span class="tag">{entry.title}</span> })}
            <input type="text" role="combobox" aria-expanded="true" aria-autocomplete="list" autocomplete="off" spellcheck="false"
                aria-label=crate::copy::frame::SEARCH placeholder=copy::PLACEHOLDER aria-controls=list aria-activedescendant=active
                node_ref=input prop:value=move || state.text.get() on:input=typing on:keydown=keys/>
        </div>
    }
}

/// The reference of the field, which gets the focus once it is in the page.
fn focused_when_shown() -> NodeRef<html::Input> {
    let input = NodeRef::<html::Input>::new();
    Effect::new(move |_| {
        if let Some(input) = input.get() {
            browser::next_frame(move || {
                input.focus().ok();
                browser::mark("flotilla:palette");
            });
        }
    });
    input
}

/// The found entries in their groups.
#[component]
fn FoundList(
    list: String,
    found: Memo<Vec<PaletteEntry>>,
    at: RwSignal<usize>,
    run: Callback<PaletteEntry>,
) -> impl IntoView {
    let option = list.clone();
    let section = move |(group, entries)| {
        let option = option.clone();
        view! { <GroupSection group entries option at run/> }
    };
    view! {
        <div role="listbox" id=list aria-label=copy::FOUND class="palette-list">
            {move || grouped(&found.get()).into_iter().map(&section).collect_view()}
        </div>
    }
}

#[component]
fn GroupSection(
    group: Group,
    entries: Vec<(usize, PaletteEntry)>,
    option: String,
    at: RwSignal<usize>,
    run: Callback<PaletteEntry>,
) -> impl IntoView {
    let line = move |(index, entry): (usize, PaletteEntry)| {
        let id = format!("{option}-{index}");
        let shown = entry.clone();
        let disabled = shown.reason.is_some().then_some("true");
        let node = NodeRef::<html::Div>::new();
        Effect::new(move |_| {
            if let (true, Some(node)) = (at.get() == index, node.get()) {
                browser::scroll_into_view(&node);
            }
        });
        view! {
            <div role="option" id=id class="palette-item" node_ref=node aria-disabled=disabled aria-selected=move || (at.get() == index).to_string()
                on:pointermove=move |_| at.maybe_update(|at| std::mem::replace(at, index) != index)
                on:click=move |_| run.run(entry.clone())>
                <Icon glyph=shown.glyph/>
                <span class="title">{shown.title}</span>
                <span class="detail">{shown.reason.unwrap_or(shown.detail)}</span>
            </div>
        }
    };
    view! {
        <div role="group" aria-label=copy::group(group)>
            <div class="palette-group" aria-hidden="true">{copy::group(group)}</div>
            {entries.into_iter().map(line).collect_view()}
        </div>
    }
}

/// The entries by group, each with its index in the whole list; the group of the best entry is first.
fn grouped(found: &[PaletteEntry]) -> Vec<(Group, Vec<(usize, PaletteEntry)>)> {
    let mut groups: Vec<(Group, Vec<(usize, PaletteEntry)>)> = Vec::new();
    for (index, entry) in found.iter().enumerate() {
        match groups.iter_mut().find(|(group, _)| *group == entry.group) {
            Some((_, entries)) => entries.push((index, entry.clone())),
            None => groups.push((entry.group, vec![(index, entry.clone())])),
        }
    }
    groups
}

/// What is typed, found and opened in the palette. A handle: copies share the same signals.
#[derive(Clone, Copy)]
struct PaletteState {
    text: RwSignal<String>,
    at: RwSignal<usize>,
    opened_entry: RwSignal<Option<PaletteEntry>>,
    found: Memo<Vec<PaletteEntry>>,
    /// Why the last chosen entry did nothing.
    said: RwSignal<Option<String>>,
}

impl PaletteState {
    fn new() -> Self {
        let acting = use_acting();
        let everything: Arc<Vec<PaletteEntry>> = Arc::new(collect(acting));
        let text = RwSignal::new(String::new());
        let opened_entry = RwSignal::new(None::<PaletteEntry>);
        let found = Memo::new(move |_| {
            let text = text.get();
            match opened_entry.get() {
                Some(entry) => best(&actions_of(acting, &entry), &text, SHOWN),
                None => best(&everything, &text, SHOWN),
            }
        });
        Self {
            text,
            at: RwSignal::new(0),
            opened_entry,
            found,
            said: RwSignal::new(None),
        }
    }

    /// Opens an entry, so that its actions or objects are listed; with `None`, returns to all entries.
    fn enter(self, entry: Option<PaletteEntry>) {
        self.opened_entry.set(entry);
        self.said.set(None);
        self.text.set(String::new());
        self.at.set(0);
    }
}

fn on_key(event: &KeyboardEvent, state: PaletteState, run: Callback<PaletteEntry>) {
    let PaletteState {
        text,
        at,
        opened_entry,
        found,
        ..
    } = state;
    let count = found.with_untracked(Vec::len).max(1);
    let chosen = || found.with_untracked(|found| found.get(at.get_untracked()).cloned());
    let goes_back = || opened_entry.get_untracked().is_some() && text.with_untracked(String::is_empty);
    match event.key().as_str() {
        "ArrowDown" => at.update(|at| *at = (*at + 1) % count),
        "ArrowUp" => at.update(|at| *at = (*at + count - 1) % count),
        "Enter" => {
            if let Some(entry) = chosen() {
                run.run(entry);
            }
        }
        "ArrowRight" if opened_entry.get_untracked().is_none() => {
            let Some(entry) = chosen().filter(PaletteEntry::has_more) else {
                return;
            };
            state.enter(Some(entry));
        }
        "ArrowLeft" | "Backspace" if goes_back() => state.enter(None),
        _ => return,
    }
    event.prevent_default();
}
