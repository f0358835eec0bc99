//! Tags or other short words as removable chips, with a field that suggests known ones.

use super::{
    icon::{Icon, lucide},
    ids::fresh_id,
    listbox::{Listbox, ListboxState},
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

/// The state of the field. A handle: copies share the same signals.
#[derive(Clone, Copy)]
struct TagInputState {
    kind: WordKind,
    tags: Signal<Vec<String>>,
    on_change: Callback<(Vec<String>,)>,
    typed: RwSignal<String>,
    /// The last addition or removal, read out by screen readers.
    announcement: RwSignal<String>,
    field: NodeRef<html::Input>,
}

impl TagInputState {
    fn add(self, tag: String) {
        self.announcement.set(format!("Added {} {tag}", self.kind.noun));
        let mut tags = self.tags.get_untracked();
        tags.push(tag);
        self.on_change.run((tags,));
        self.typed.set(String::new());
    }

    fn remove(self, tag: &str) {
        self.announcement.set(format!("Removed {} {tag}", self.kind.noun));
        let rest = self
            .tags
            .with_untracked(|tags| tags.iter().filter(|kept| *kept != tag).cloned().collect());
        self.on_change.run((rest,));
        if let Some(field) = self.field.get_untracked() {
            field.focus().ok();
        }
    }

    /// Takes the typed text as it is; one that is not valid stays in the field, which says why.
    fn enter(self) {
        let entered = self
            .tags
            .with_untracked(|tags| self.typed.with_untracked(|typed| entered(self.kind, typed, tags)));
        match entered {
            Entered::New(tag) => self.add(tag),
            Entered::Chosen(tag) => {
                self.announcement
                    .set(format!("The {} {tag} is there already", self.kind.noun));
                self.typed.set(String::new());
            }
            Entered::Wrong => {}
        }
    }

    fn is_wrong(self) -> bool {
        self.typed
            .with(|typed| !typed.trim().is_empty() && !(self.kind.is_valid)(typed.trim()))
    }

    fn key(self, event: &KeyboardEvent, list: ListboxState<Suggestion>) {
        if list.on_key(event) {
            return;
        }
        match event.key().as_str() {
            "Enter" | "," | " " if self.typed.with_untracked(|typed| !typed.trim().is_empty()) => {
                event.prevent_default();
                self.enter();
                list.close();
            }
            "Backspace" if self.typed.with_untracked(String::is_empty) => {
                if let Some(last) = self.tags.with_untracked(|tags| tags.last().cloned()) {
                    self.remove(&last);
                    list.close();
                }
            }
            _ => {}
        }
    }
}

/// A field for tags. `known` are tags to suggest; an unknown one is suggested as "Create tag".
///
/// Enter takes the typed text; a suggestion is taken if the arrow keys or the pointer chose it.
#[component]
pub fn TagInput(
    #[prop(into)] label: String,
    #[prop(into)] tags: Signal<Vec<String>>,
    #[prop(into)] known: Signal<Vec<String>>,
    #[prop(into)] on_change: Callback<(Vec<String>,)>,
    #[prop(default = TAGS)] kind: WordKind,
) -> impl IntoView {
    let id = fresh_id("tags");
    let typed = RwSignal::new(String::new());
    let state = TagInputState {
        kind,
        tags,
        on_change,
        typed,
        announcement: RwSignal::default(),
        field: NodeRef::new(),
    };
    let offered = Memo::new(move |_| {
        tags.with(|tags| known.with(|known| typed.with(|typed| suggestions(kind, typed.trim(), tags, known))))
    });
    let take = Callback::new(move |(suggestion,): (Suggestion,)| state.add(suggestion.tag));
    let list = ListboxState::new(
        offered.into(),
        |suggestion: &Suggestion| suggestion.tag.clone(),
        take,
    );
    let typing = move |text: String| {
        typed.set(text);
        list.open();
    };
    let wrong = move || state.is_wrong().then_some(kind.wrong);
    view! {
        <div class="field">
            <label for=id.clone()>{label.clone()}</label>
            <div class="tag-input" on:focusout=move |_| list.close()>
                <For each=move || tags.get() key=Clone::clone let:tag>
                    <Chip tag noun=kind.noun on_remove=move |tag: String| state.remove(&tag)/>
                </For>
                <input id=id type="text" role="combobox" autocomplete="off" autocapitalize="off" spellcheck="false"
                    aria-autocomplete="list" aria-expanded=move || list.is_shown().to_string()
                    aria-controls=list.id() aria-activedescendant=move || list.active_id()
                    aria-invalid=move || state.is_wrong().then_some("true")
                    prop:value=move || typed.get() node_ref=state.field
                    on:input:target=move |event| typing(event.target().value())
                    on:keydown=move |event| state.key(&event, list)/>
                <Listbox state=list label option=suggested/>
            </div>
            {move || wrong().map(|wrong| view! { <p class="field-error"><Icon glyph=lucide::CIRCLE_ALERT/>{wrong}</p> })}
            <span class="visually-hidden" role="status">{move || state.announcement.get()}</span>
        </div>
    }
}

fn suggested(suggestion: &Suggestion) -> AnyView {
    let Suggestion { tag, create } = suggestion.clone();
    let (glyph, words) = match create {
        Some(create) => (lucide::PLUS, format!("{create} {tag}")),
        None => (lucide::TAG, tag),
    };
    view! { <Icon glyph/>{words} }.into_any()
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

/// What Enter makes of a typed text.
#[derive(Debug, PartialEq, Eq)]
enum Entered {
    New(String),
    /// It is one of the chosen tags.
    Chosen(String),
    Wrong,
}

fn entered(kind: WordKind, typed: &str, chosen: &[String]) -> Entered {
    let typed = typed.trim();
    if chosen.iter().any(|tag| tag == typed) {
        Entered::Chosen(typed.to_owned())
    } else if (kind.is_valid)(typed) {
        Entered::New(typed.to_owned())
    } else {
        Entered::Wrong
    }
}

/// A suggested tag. A new one has the label with which it is suggested.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Suggestion {
    tag: String,
    create: Option<&'static str>,
}

/// The suggestions for a typed text: the text itself if it is a new tag, then known tags that contain it.
fn suggestions(kind: WordKind, typed: &str, chosen: &[String], known: &[String]) -> Vec<Suggestion> {
    let free = |tag: &&String| !chosen.contains(tag) && tag.contains(typed);
    let mut offered: Vec<_> = known
        .iter()
        .filter(free)
        .map(|tag| Suggestion {
            tag: tag.clone(),
            create: None,
        })
        .collect();
    // A tag that equals the typed text comes first.
    offered.sort_by_key(|offer| (offer.tag != typed, offer.tag.clone()));
    let taken = |tags: &[String]| tags.iter().any(|tag| tag == typed);
    if (kind.is_valid)(typed) && !taken(chosen) && !taken(known) {
        offered.insert(
            0,
            Suggestion {
                tag: typed.to_owned(),
                create: Some(kind.create),
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
            .map(|offer| (offer.tag.as_str(), offer.create.is_some()))
            .collect();
        assert_eq!(words, [("med", true), ("media", false)]);
        assert_eq!(suggestions(TAGS, "", &texts(&["home"]), &texts(&["home"])), []);
    }

    #[test]
    fn enter_takes_what_is_typed_and_never_a_longer_tag() {
        let entered = |typed: &str, chosen: &[&str]| entered(TAGS, typed, &texts(chosen));
        assert_eq!(entered(" prod ", &[]), Entered::New("prod".to_owned()));
        assert_eq!(
            entered("prod", &["edge", "prod"]),
            Entered::Chosen("prod".to_owned())
        );
        assert_eq!(entered("Not A Tag", &[]), Entered::Wrong);
        // The list still offers the longer one, to be chosen by the arrow keys.
        let offered = suggestions(TAGS, "prod", &texts(&["prod"]), &texts(&["prod", "prod-eu"]));
        assert_eq!(offered[0].tag, "prod-eu");
    }

    #[test]
    fn what_is_no_tag_is_not_offered() {
        assert_eq!(suggestions(TAGS, "Not A Tag", &[], &[]), []);
    }
}
