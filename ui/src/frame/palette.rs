//! The command palette: every page, device, container and action, found by a few letters, from what is loaded already.

mod items;
mod rank;
mod verbs;

use super::Over;
use crate::{
    browser,
    components::{
        dialog::Dialog,
        icon::{Icon, lucide},
        ids::fresh_id,
    },
    copy::palette as copy,
};
pub use items::Group;
use items::{Does, Entry, collect, within};
use leptos::{ev::KeyboardEvent, html, prelude::*};
use leptos_router::hooks::use_navigate;
use rank::best;
use std::sync::Arc;

/// More than this many nobody reads; typing another letter is quicker.
const SHOWN: usize = 40;

#[component]
pub fn Palette() -> impl IntoView {
    let over: Over = expect_context();
    let on_close = Callback::new(move |()| over.palette.set(false));
    let list = fresh_id("found");
    let steps = Steps::new();
    let navigate = use_navigate();
    let run = Callback::new(move |entry: Entry| {
        if matches!(entry.does, Does::Choose(_)) {
            steps.enter(Some(entry));
            return;
        }
        items::remember(&entry);
        on_close.run(());
        match entry.does {
            Does::Go(path) => navigate(&path, Default::default()),
            // The palette has to be gone before another dialog opens.
            Does::Run(run) => request_animation_frame(move || run()),
            Does::Choose(_) => {}
        }
    });
    let back = Callback::new(move |()| {
        if steps.inside.get_untracked().is_some() {
            steps.enter(None);
        } else {
            on_close.run(());
        }
    });
    view! {
        <Dialog title=copy::TITLE on_close=back>
            <div class="palette">
                <Field steps list=list.clone() run/>
                <Found list found=steps.found at=steps.at run/>
                <p class="palette-none muted" hidden=move || steps.found.with(|found| !found.is_empty())>
                    {move || if steps.inside.with(Option::is_some) && steps.text.with(String::is_empty) { copy::NO_OBJECT } else { copy::NOTHING }}
                </p>
                <p class="palette-foot caption muted">{copy::HINT}</p>
            </div>
        </Dialog>
    }
}

/// Where letters are typed, behind the verb that was chosen.
#[component]
fn Field(steps: Steps, list: String, run: Callback<Entry>) -> impl IntoView {
    let input = focused_when_shown();
    let keys = move |event: KeyboardEvent| on_key(&event, steps, run);
    let option = list.clone();
    let active = move || {
        let any = steps.found.with(|found| !found.is_empty());
        any.then(|| format!("{option}-{}", steps.at.get()))
    };
    let typing = move |event| {
        steps.text.set(event_target_value(&event));
        steps.at.set(0);
    };
    view! {
        <div class="palette-field">
            <Icon glyph=lucide::SEARCH/>
            {move || steps.inside.get().map(|entry| view! { <span class="tag">{entry.title}</span> })}
            <input type="text" role="combobox" aria-expanded="true" aria-autocomplete="list" autocomplete="off" spellcheck="false"
                aria-label=crate::copy::frame::SEARCH placeholder=copy::PLACEHOLDER aria-controls=list aria-activedescendant=active
                node_ref=input prop:value=move || steps.text.get() on:input=typing on:keydown=keys/>
        </div>
    }
}

/// The field of the palette, focused as soon as it is there.
fn focused_when_shown() -> NodeRef<html::Input> {
    let input = NodeRef::<html::Input>::new();
    Effect::new(move |_| {
        if let Some(input) = input.get() {
            request_animation_frame(move || {
                input.focus().ok();
                browser::mark("flotilla:palette");
            });
        }
    });
    input
}

/// What was found, in its groups.
#[component]
fn Found(list: String, found: Memo<Vec<Entry>>, at: RwSignal<usize>, run: Callback<Entry>) -> impl IntoView {
    let option = list.clone();
    let section = move |(group, entries)| {
        let option = option.clone();
        view! { <Section group entries option at run/> }
    };
    view! {
        <div role="listbox" id=list aria-label=copy::FOUND class="palette-list">
            {move || grouped(&found.get()).into_iter().map(&section).collect_view()}
        </div>
    }
}

#[component]
fn Section(
    group: Group,
    entries: Vec<(usize, Entry)>,
    option: String,
    at: RwSignal<usize>,
    run: Callback<Entry>,
) -> impl IntoView {
    let line = move |(index, entry): (usize, Entry)| {
        let id = format!("{option}-{index}");
        let shown = entry.clone();
        let node = NodeRef::<html::Div>::new();
        Effect::new(move |_| {
            if let (true, Some(node)) = (at.get() == index, node.get()) {
                let options = web_sys::ScrollIntoViewOptions::new();
                options.set_block(web_sys::ScrollLogicalPosition::Nearest);
                node.scroll_into_view_with_scroll_into_view_options(&options);
            }
        });
        view! {
            <div role="option" id=id class="palette-item" node_ref=node aria-selected=move || (at.get() == index).to_string()
                on:pointermove=move |_| if at.get_untracked() != index { at.set(index) }
                on:click=move |_| run.run(entry.clone())>
                <Icon glyph=shown.glyph/>
                <span class="title">{shown.title}</span>
                <span class="detail">{shown.detail}</span>
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

/// Entries by group, the group of the best one first, each with its place in the whole list.
fn grouped(found: &[Entry]) -> Vec<(Group, Vec<(usize, Entry)>)> {
    let mut groups: Vec<(Group, Vec<(usize, Entry)>)> = Vec::new();
    for (index, entry) in found.iter().enumerate() {
        match groups.iter_mut().find(|(group, _)| *group == entry.group) {
            Some((_, entries)) => entries.push((index, entry.clone())),
            None => groups.push((entry.group, vec![(index, entry.clone())])),
        }
    }
    groups
}

/// Where somebody is in the palette.
#[derive(Clone, Copy)]
struct Steps {
    text: RwSignal<String>,
    at: RwSignal<usize>,
    inside: RwSignal<Option<Entry>>,
    found: Memo<Vec<Entry>>,
}

impl Steps {
    fn new() -> Self {
        let everything: Arc<Vec<Entry>> = Arc::new(collect());
        let text = RwSignal::new(String::new());
        let inside = RwSignal::new(None::<Entry>);
        let found = Memo::new(move |_| {
            let text = text.get();
            match inside.get() {
                Some(entry) => best(&within(&entry), &text, SHOWN),
                None => best(&everything, &text, SHOWN),
            }
        });
        Self {
            text,
            at: RwSignal::new(0),
            inside,
            found,
        }
    }

    /// Goes into what can be chosen behind an entry, or back to everything.
    fn enter(self, entry: Option<Entry>) {
        self.inside.set(entry);
        self.text.set(String::new());
        self.at.set(0);
    }
}

fn on_key(event: &KeyboardEvent, steps: Steps, run: Callback<Entry>) {
    let Steps {
        text,
        at,
        inside,
        found,
    } = steps;
    let count = found.with_untracked(Vec::len).max(1);
    let chosen = || found.with_untracked(|found| found.get(at.get_untracked()).cloned());
    let goes_back = || inside.get_untracked().is_some() && text.with_untracked(String::is_empty);
    match event.key().as_str() {
        "ArrowDown" => at.update(|at| *at = (*at + 1) % count),
        "ArrowUp" => at.update(|at| *at = (*at + count - 1) % count),
        "Enter" => {
            if let Some(entry) = chosen() {
                run.run(entry);
            }
        }
        "ArrowRight" if inside.get_untracked().is_none() => {
            let Some(entry) = chosen().filter(|entry| !within(entry).is_empty()) else {
                return;
            };
            steps.enter(Some(entry));
        }
        "ArrowLeft" | "Backspace" if goes_back() => steps.enter(None),
        _ => return,
    }
    event.prevent_default();
}
