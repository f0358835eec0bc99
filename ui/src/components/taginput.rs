//! Tags or other short words as removable chips, with a field that suggests known ones.

use super::{
    active::next_active,
    icon::{Icon, lucide},
    ids::fresh_id,
};
use flotilla_protocol::name::Tag;
use leptos::{ev::KeyboardEvent, html, prelude::*};

/// At most this many suggestions are listed.
const SUGGESTED: usize = 10;

/// What kind of words a field takes.
#[derive(Debug, Clone, Copy)]
pub struct WordKind {
    /// The word for one of them: "tag".
    pub noun: &'static str,
    /// The label of the suggestion for an unknown word: "Create tag".
    pub create: &'static str,
    /// The error for a text that is not valid.
    pub wrong: &'static str,
    pub is_valid: fn(&str) -> bool,
}

/// A field that takes tags.
pub const TAGS: WordKind = WordKind {
    noun: "tag",
    create: "Create tag",
    wrong: "Tags are lowercase letters, digits, dots, hyphens and underscores.",
    is_valid: |text| text.parse::<Tag>().is_ok(),
};

/// The state of the field and its suggestions. A handle: copies share the same signals.
#[derive(Clone, Copy)]
struct TagInputState {
    kind: WordKind,
    tags: Signal<Vec<String>>,
    on_change: Callback<(Vec<String>,)>,
    options: Memo<Vec<Suggestion>>,
    typed: RwSignal<String>,
    open: RwSignal<bool>,
    /// The index of the suggestion that the arrow keys have reached.
    active: RwSignal<Option<usize>>,
    /// The last addition or removal, read out by screen readers.
    announcement: RwSignal<String>,
    field: NodeRef<html::Input>,
}

impl TagInputState {
    fn new(
        kind: WordKind,
        tags: Signal<Vec<String>>,
        known: Signal<Vec<String>>,
        on_change: Callback<(Vec<String>,)>,
    ) -> Self {
        let typed = RwSignal::new(String::new());
        let offer = move |_: Option<&Vec<Suggestion>>| {
            tags.with(|tags| {
                known.with(|known| typed.with(|typed| suggestions(kind, typed.trim(), tags, known)))
            })
        };
        Self {
            kind,
            tags,
            on_change,
            options: Memo::new(offer),
            typed,
            open: RwSignal::new(false),
            active: RwSignal::new(None),
            announcement: RwSignal::default(),
            field: NodeRef::new(),
        }
    }

    fn add(self, tag: String) {
        self.announcement.set(format!("Added {} {tag}", self.kind.noun));
        let mut tags = self.tags.get_untracked();
        tags.push(tag);
        self.on_change.run((tags,));
        self.typed.set(String::new());
        self.close();
    }

    fn close(self) {
        self.open.set(false);
        self.active.set(None);
    }

    fn remove(self, tag: &str) {
        self.announcement.set(format!("Removed {} {tag}", self.kind.noun));
        let rest = self
            .tags
            .with_untracked(|tags| tags.iter().filter(|kept| *kept != tag).cloned().collect());
        self.on_change.run((rest,));
        self.close();
        if let Some(field) = self.field.get_untracked() {
            field.focus().ok();
        }
    }

    fn input(self, text: String) {
        self.typed.set(text);
        self.active.set(None);
        self.open.set(true);
    }

    fn is_shown(self) -> bool {
        self.open.get() && self.options.with(|options| !options.is_empty())
    }

    fn is_wrong(self) -> bool {
        self.typed
            .with(|typed| !typed.trim().is_empty() && !(self.kind.is_valid)(typed.trim()))
    }

    fn key(self, event: &KeyboardEvent) {
        let count = self.options.with_untracked(Vec::len);
        let is_blank = self.typed.with_untracked(|typed| typed.trim().is_empty());
        match event.key().as_str() {
            "ArrowDown" | "ArrowUp" => {
                event.prevent_default();
                self.open.set(true);
                self.active
                    .update(|active| *active = next_active(&event.key(), *active, count));
            }
            "Enter" | "," | " " if !is_blank || self.active.get_untracked().is_some() => {
                event.prevent_default();
                let chosen = self.active.get_untracked().unwrap_or(0);
                if let Some(option) = self
                    .options
                    .with_untracked(|options| options.get(chosen).cloned())
                {
                    self.add(option.tag);
                }
            }
            "Escape" if untrack(|| self.is_shown()) => {
                event.prevent_default();
                event.stop_propagation();
                self.open.set(false);
            }
            "Backspace" if self.typed.with_untracked(String::is_empty) => {
                if let Some(last) = self.tags.with_untracked(|tags| tags.last().cloned()) {
                    self.remove(&last);
                }
            }
            _ => {}
        }
    }
}

/// A field for tags. `known` are tags to suggest; an unknown one is suggested as "Create tag".
#[component]
pub fn TagInput(
    #[prop(into)] label: String,
    #[prop(into)] tags: Signal<Vec<String>>,
    #[prop(into)] known: Signal<Vec<String>>,
    #[prop(into)] on_change: Callback<(Vec<String>,)>,
    #[prop(default = TAGS)] kind: WordKind,
) -> impl IntoView {
    let id = fresh_id("tags");
    let list = format!("{id}-options");
    let state = TagInputState::new(kind, tags, known, on_change);
    let active_id = {
        let list = list.clone();
        move || {
            state
                .active
                .get()
                .filter(|_| state.is_shown())
                .map(|index| format!("{list}-{index}"))
        }
    };
    let wrong = move || state.is_wrong().then_some(kind.wrong);
    view! {
        <div class="field">
            <label for=id.clone()>{label}</label>
            <div class="tag-input" on:focusout=move |_| state.close()>
                <For each=move || tags.get() key=Clone::clone let:tag>
                    <Chip tag noun=kind.noun on_remove=move |tag: String| state.remove(&tag)/>
                </For>
                <input id=id type="text" role="combobox" autocomplete="off" autocapitalize="off" spellcheck="false"
                    aria-autocomplete="list" aria-expanded=move || state.is_shown().to_string()
                    aria-controls=list.clone() aria-activedescendant=active_id
                    aria-invalid=move || state.is_wrong().then_some("true")
                    prop:value=move || state.typed.get() node_ref=state.field
                    on:input:target=move |event| state.input(event.target().value())
                    on:keydown=move |event| state.key(&event)/>
                <Options state id=list/>
            </div>
            {move || wrong().map(|wrong| view! { <p class="field-error"><Icon glyph=lucide::CIRCLE_ALERT/>{wrong}</p> })}
            <span class="visually-hidden" role="status">{move || state.announcement.get()}</span>
        </div>
    }
}

#[component]
fn Options(state: TagInputState, id: String) -> impl IntoView {
    let own = id.clone();
    let option = move |(index, option): (usize, Suggestion)| {
        let words = if option.is_new {
            format!("{} {}", state.kind.create, option.tag)
        } else {
            option.tag.clone()
        };
        let glyph = if option.is_new { lucide::PLUS } else { lucide::TAG };
        view! {
            <div role="option" id=format!("{own}-{index}")
                aria-selected=move || (state.active.get() == Some(index)).to_string()
                on:mousedown=move |event| { event.prevent_default(); state.add(option.tag.clone()); }>
                <Icon glyph/>{words}
            </div>
        }
    };
    view! {
        <div class="options" role="listbox" id=id aria-label="Tags" hidden=move || !state.is_shown()>
            {move || state.options.get().into_iter().enumerate().map(&option).collect_view()}
        </div>
    }
}

#[component]
fn Chip(tag: String, noun: &'static str, #[prop(into)] on_remove: Callback<(String,)>) -> impl IntoView {
    let own = tag.clone();
    view! {
        <button type="button" class="tag-chip" aria-label=format!("Remove {noun} {tag}") on:click=move |_| on_remove.run((own.clone(),))>
            {tag.clone()}<Icon glyph=lucide::X/>
        </button>
    }
}

/// A suggested tag.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Suggestion {
    tag: String,
    is_new: bool,
}

/// The suggestions for a typed text: the text itself if it is a new tag, then known tags that contain it.
fn suggestions(kind: WordKind, typed: &str, chosen: &[String], known: &[String]) -> Vec<Suggestion> {
    let free = |tag: &&String| !chosen.contains(tag) && tag.contains(typed);
    let mut offered: Vec<_> = known
        .iter()
        .filter(free)
        .map(|tag| Suggestion {
            tag: tag.clone(),
            is_new: false,
        })
        .collect();
    // A tag that equals the typed text comes first, so that Enter adds it.
    offered.sort_by_key(|offer| (offer.tag != typed, offer.tag.clone()));
    let taken = |tags: &[String]| tags.iter().any(|tag| tag == typed);
    if (kind.is_valid)(typed) && !taken(chosen) && !taken(known) {
        offered.insert(
            0,
            Suggestion {
                tag: typed.to_owned(),
                is_new: true,
            },
        );
    }
    offered.truncate(SUGGESTED);
    offered
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(tags: &[&str]) -> Vec<String> {
        tags.iter().map(|tag| (*tag).to_owned()).collect()
    }

    #[test]
    fn a_new_tag_is_offered_first_and_a_chosen_one_never() {
        let offered = suggestions(TAGS, "med", &texts(&["home"]), &texts(&["home", "media", "prod"]));
        let words: Vec<_> = offered
            .iter()
            .map(|offer| (offer.tag.as_str(), offer.is_new))
            .collect();
        assert_eq!(words, [("med", true), ("media", false)]);
        assert_eq!(suggestions(TAGS, "", &texts(&["home"]), &texts(&["home"])), []);
    }

    #[test]
    fn what_is_no_tag_is_not_offered() {
        assert_eq!(suggestions(TAGS, "Not A Tag", &[], &[]), []);
    }
}
