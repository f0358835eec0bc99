//! Tags as removable chips, with a field that suggests those in use elsewhere.

use super::{
    icon::{Icon, lucide},
    ids::fresh_id,
};
use flotilla_protocol::name::Tag;
use leptos::{ev::KeyboardEvent, html, prelude::*};

/// At most this many suggestions are listed.
const SUGGESTED: usize = 10;

/// A field for tags. `known` are tags of other devices; one that is new is offered as "Create tag".
#[component]
pub fn TagInput(
    #[prop(into)] label: String,
    #[prop(into)] tags: Signal<Vec<String>>,
    #[prop(into)] known: Signal<Vec<String>>,
    #[prop(into)] on_change: Callback<(Vec<String>,)>,
) -> impl IntoView {
    let id = fresh_id("tags");
    let list = format!("{id}-options");
    let typed = RwSignal::new(String::new());
    let open = RwSignal::new(false);
    let active = RwSignal::new(None::<usize>);
    let said = RwSignal::new(String::new());
    let field = NodeRef::<html::Input>::new();
    let options = Memo::new(move |_| {
        tags.with(|tags| known.with(|known| typed.with(|typed| suggestions(typed.trim(), tags, known))))
    });
    let add = move |tag: String| {
        said.set(format!("Added tag {tag}"));
        let mut tags = tags.get_untracked();
        tags.push(tag);
        on_change.run((tags,));
        typed.set(String::new());
        active.set(None);
    };
    let remove = move |tag: &str| {
        said.set(format!("Removed tag {tag}"));
        let rest = tags.with_untracked(|tags| tags.iter().filter(|kept| *kept != tag).cloned().collect());
        on_change.run((rest,));
        if let Some(field) = field.get_untracked() {
            field.focus().ok();
        }
    };
    let keys = move |event: KeyboardEvent| {
        let count = options.with_untracked(Vec::len);
        let text = typed.get_untracked();
        match event.key().as_str() {
            "ArrowDown" | "ArrowUp" => {
                event.prevent_default();
                open.set(true);
                active.update(|active| *active = moved(&event.key(), *active, count));
            }
            "Enter" | "," | " " if !text.trim().is_empty() || active.get_untracked().is_some() => {
                event.prevent_default();
                let chosen = active.get_untracked().unwrap_or(0);
                if let Some(option) = options.with_untracked(|options| options.get(chosen).cloned()) {
                    add(option.tag);
                }
            }
            "Escape" if open.get_untracked() && count > 0 => {
                event.prevent_default();
                event.stop_propagation();
                open.set(false);
            }
            "Backspace" if text.is_empty() => {
                if let Some(last) = tags.with_untracked(|tags| tags.last().cloned()) {
                    remove(&last);
                }
            }
            _ => {}
        }
    };
    let shown = Signal::derive(move || open.get() && options.with(|options| !options.is_empty()));
    let option_id = {
        let list = list.clone();
        move |index: usize| format!("{list}-{index}")
    };
    let active_id = {
        let option_id = option_id.clone();
        move || active.get().filter(|_| shown.get()).map(&option_id)
    };
    let error = move || {
        let bad = typed.with(|typed| !typed.trim().is_empty() && typed.trim().parse::<Tag>().is_err());
        bad.then(|| "Tags are lowercase letters, digits, dots, hyphens and underscores.")
    };
    view! {
        <div class="field">
            <label for=id.clone()>{label}</label>
            <div class="tag-input" on:focusout=move |_| open.set(false)>
                <For each=move || tags.get() key=Clone::clone let:tag>
                    <Chip tag on_remove=move |tag: String| remove(&tag)/>
                </For>
                <input id=id type="text" role="combobox" autocomplete="off" autocapitalize="off" spellcheck="false"
                    aria-autocomplete="list" aria-expanded=move || if shown.get() { "true" } else { "false" }
                    aria-controls=list.clone() aria-activedescendant=active_id
                    aria-invalid=move || error().map(|_| "true")
                    prop:value=move || typed.get() node_ref=field
                    on:input:target=move |event| { typed.set(event.target().value()); active.set(None); open.set(true); }
                    on:keydown=keys/>
                <div class="options" role="listbox" id=list aria-label="Tags" hidden=move || !shown.get()>
                    {move || options.get().into_iter().enumerate().map(|(index, option)| {
                        let tag = option.tag.clone();
                        let selected = move || if active.get() == Some(index) { "true" } else { "false" };
                        view! {
                            <div role="option" id=option_id(index) aria-selected=selected
                                on:mousedown=move |event| { event.prevent_default(); add(tag.clone()); }>
                                <Icon glyph=if option.is_new { lucide::PLUS } else { lucide::TAG }/>
                                {if option.is_new { format!("Create tag {}", option.tag) } else { option.tag.clone() }}
                            </div>
                        }
                    }).collect_view()}
                </div>
            </div>
            {move || error().map(|error| view! { <p class="field-error"><Icon glyph=lucide::CIRCLE_ALERT/>{error}</p> })}
            <span class="visually-hidden" role="status">{move || said.get()}</span>
        </div>
    }
}

#[component]
fn Chip(tag: String, #[prop(into)] on_remove: Callback<(String,)>) -> impl IntoView {
    let own = tag.clone();
    view! {
        <button type="button" class="tag-chip" aria-label=format!("Remove tag {tag}") on:click=move |_| on_remove.run((own.clone(),))>
            {tag.clone()}<Icon glyph=lucide::X/>
        </button>
    }
}

/// A tag that can be added.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Suggestion {
    tag: String,
    is_new: bool,
}

/// What to offer for a text: known tags that hold it, then the text itself if it is a new tag.
fn suggestions(typed: &str, chosen: &[String], known: &[String]) -> Vec<Suggestion> {
    let free = |tag: &&String| !chosen.contains(tag) && tag.contains(typed);
    let mut offered: Vec<_> =
        known.iter().filter(free).map(|tag| Suggestion { tag: tag.clone(), is_new: false }).collect();
    // What is typed whole comes first, so that Enter takes it.
    offered.sort_by_key(|offer| (offer.tag != typed, offer.tag.clone()));
    let taken = |tags: &[String]| tags.iter().any(|tag| tag == typed);
    if typed.parse::<Tag>().is_ok() && !taken(chosen) && !taken(known) {
        offered.insert(0, Suggestion { tag: typed.to_owned(), is_new: true });
    }
    offered.truncate(SUGGESTED);
    offered
}

fn moved(key: &str, active: Option<usize>, count: usize) -> Option<usize> {
    if count == 0 {
        return None;
    }
    Some(match (key, active) {
        ("ArrowDown", None) => 0,
        ("ArrowDown", Some(at)) => (at + 1) % count,
        (_, None) => count - 1,
        (_, Some(at)) => (at + count - 1) % count,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(tags: &[&str]) -> Vec<String> {
        tags.iter().map(|tag| (*tag).to_owned()).collect()
    }

    #[test]
    fn a_new_tag_is_offered_first_and_a_chosen_one_never() {
        let offered = suggestions("med", &texts(&["home"]), &texts(&["home", "media", "prod"]));
        let words: Vec<_> = offered.iter().map(|offer| (offer.tag.as_str(), offer.is_new)).collect();
        assert_eq!(words, [("med", true), ("media", false)]);
        assert_eq!(suggestions("", &texts(&["home"]), &texts(&["home"])), []);
    }

    #[test]
    fn what_is_no_tag_is_not_offered() {
        assert_eq!(suggestions("Not A Tag", &[], &[]), []);
    }
}
