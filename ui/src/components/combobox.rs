//! A field for any text, with a list of known texts.

use super::{
    active::next_active,
    icon::{Icon, lucide},
    ids::fresh_id,
};
use leptos::{ev::KeyboardEvent, html, prelude::*};

/// At most this many options are listed.
const LISTED: usize = 10;

/// A known text, and a detail that tells it apart from others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComboboxOption {
    pub value: String,
    pub detail: String,
}

/// The state of the list of options. A handle: copies share the same signals.
#[derive(Clone, Copy)]
struct ComboboxState {
    offered: Memo<Vec<ComboboxOption>>,
    open: RwSignal<bool>,
    /// The index of the option that the arrow keys have reached.
    active: RwSignal<Option<usize>>,
    on_input: Callback<(String,)>,
}

impl ComboboxState {
    fn is_shown(self) -> bool {
        self.open.get() && self.offered.with(|offered| !offered.is_empty())
    }

    fn take(self, known: &ComboboxOption) {
        self.on_input.run((known.value.clone(),));
        self.close();
    }

    fn close(self) {
        self.open.set(false);
        self.active.set(None);
    }

    fn key(self, event: &KeyboardEvent) {
        let count = self.offered.with_untracked(Vec::len);
        match event.key().as_str() {
            key @ ("ArrowDown" | "ArrowUp") if count > 0 => {
                event.prevent_default();
                self.open.set(true);
                self.active
                    .update(|active| *active = next_active(key, *active, count));
            }
            "Enter" => {
                let chosen = self
                    .active
                    .get_untracked()
                    .and_then(|at| self.offered.with_untracked(|offered| offered.get(at).cloned()));
                if let Some(chosen) = chosen {
                    event.prevent_default();
                    self.take(&chosen);
                }
            }
            "Escape" if untrack(|| self.is_shown()) => {
                event.prevent_default();
                event.stop_propagation();
                self.close();
            }
            _ => {}
        }
    }
}

/// A labeled field. Its value is the typed text, listed or not.
#[component]
pub fn Combobox(
    #[prop(into)] label: String,
    #[prop(into)] value: Signal<String>,
    #[prop(into)] known: Signal<Vec<ComboboxOption>>,
    #[prop(into)] on_input: Callback<(String,)>,
    #[prop(into)] hint: String,
    #[prop(optional, into)] error: Signal<Option<String>>,
    #[prop(optional)] node_ref: NodeRef<html::Input>,
) -> impl IntoView {
    let id = fresh_id("combobox");
    let list = format!("{id}-options");
    let (hint_id, error_id) = (format!("{id}-hint"), format!("{id}-error"));
    let offered = Memo::new(move |_| value.with(|value| known.with(|known| matches(value, known))));
    let state = ComboboxState {
        offered,
        open: RwSignal::new(false),
        active: RwSignal::new(None),
        on_input,
    };
    let typing = move |text: String| {
        state.active.set(None);
        state.open.set(true);
        on_input.run((text,));
    };
    let option = list.clone();
    let active = move || {
        let at = state.active.get().filter(|_| state.is_shown())?;
        Some(format!("{option}-{at}"))
    };
    let described = {
        let (hint_id, error_id) = (hint_id.clone(), error_id.clone());
        move || match error.with(Option::is_some) {
            true => format!("{hint_id} {error_id}"),
            false => hint_id.clone(),
        }
    };
    view! {
        <div class="field">
            <label for=id.clone()>{label.clone()}</label>
            <div class="combobox" on:focusout=move |_| state.close()>
                <input id=id class="input" type="text" role="combobox" autocomplete="off" autocapitalize="off"
                    spellcheck="false" aria-autocomplete="list" aria-controls=list.clone()
                    aria-expanded=move || state.is_shown().to_string() aria-activedescendant=active
                    aria-invalid=move || error.with(Option::is_some).then_some("true") aria-describedby=described
                    prop:value=move || value.get() node_ref=node_ref
                    on:click=move |_| state.open.set(true)
                    on:input:target=move |event| typing(event.target().value())
                    on:keydown=move |event| state.key(&event)/>
                <Options state id=list label/>
            </div>
            <p class="hint" id=hint_id>{hint}</p>
            {move || error.get().map(|error| view! {
                <p class="field-error" id=error_id.clone()><Icon glyph=lucide::CIRCLE_ALERT/>{error}</p>
            })}
        </div>
    }
}

#[component]
fn Options(state: ComboboxState, id: String, label: String) -> impl IntoView {
    let own = id.clone();
    let option = move |(index, known): (usize, ComboboxOption)| {
        let (value, detail) = (known.value.clone(), known.detail.clone());
        view! {
            <div role="option" id=format!("{own}-{index}")
                aria-selected=move || (state.active.get() == Some(index)).to_string()
                on:mousedown=move |event| { event.prevent_default(); state.take(&known); }>
                <span>{value}</span><span class="muted">{detail}</span>
            </div>
        }
    };
    view! {
        <div class="options" role="listbox" id=id aria-label=label hidden=move || !state.is_shown()>
            {move || state.offered.get().into_iter().enumerate().map(&option).collect_view()}
        </div>
    }
}

/// The known texts that contain the typed one. If the typed text is one of them, all are listed, so that another can be
/// chosen.
fn matches(typed: &str, known: &[ComboboxOption]) -> Vec<ComboboxOption> {
    let typed = typed.trim().to_lowercase();
    let whole = known.iter().any(|known| known.value.to_lowercase() == typed);
    let fits = |known: &&ComboboxOption| {
        whole || known.value.to_lowercase().contains(&typed) || known.detail.to_lowercase().contains(&typed)
    };
    known.iter().filter(fits).take(LISTED).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Vec<ComboboxOption> {
        [("nas", "10.0.0.7"), ("pi", "garage.lan")]
            .map(|(value, detail)| ComboboxOption {
                value: value.to_owned(),
                detail: detail.to_owned(),
            })
            .to_vec()
    }

    fn values(typed: &str) -> Vec<String> {
        matches(typed, &known())
            .into_iter()
            .map(|known| known.value)
            .collect()
    }

    #[test]
    fn what_is_typed_is_looked_for_in_names_and_details() {
        assert_eq!(values("garage"), ["pi"]);
        assert_eq!(values("NA"), ["nas"]);
        assert!(values("root@elsewhere").is_empty());
    }

    #[test]
    fn a_chosen_one_does_not_hide_the_others() {
        assert_eq!(values("nas"), ["nas", "pi"]);
        assert_eq!(values(""), ["nas", "pi"]);
    }
}
