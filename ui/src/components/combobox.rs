//! A field for any text, with a list of known texts.

use super::{
    icon::{Icon, lucide},
    ids::fresh_id,
    listbox::{Listbox, ListboxState},
};
use leptos::{html, prelude::*};

/// At most this many options are listed.
const LISTED: usize = 10;

/// A known text, and a detail that tells it apart from others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComboboxOption {
    pub value: String,
    pub detail: String,
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
    let (hint_id, error_id) = (format!("{id}-hint"), format!("{id}-error"));
    let offered = Memo::new(move |_| value.with(|value| known.with(|known| matches(value, known))));
    let take = Callback::new(move |(known,): (ComboboxOption,)| on_input.run((known.value,)));
    let list = ListboxState::new(offered.into(), |known: &ComboboxOption| known.value.clone(), take);
    let typing = move |text: String| {
        list.open();
        on_input.run((text,));
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
            <div class="combobox" on:focusout=move |_| list.close()>
                <input id=id class="input" type="text" role="combobox" autocomplete="off" autocapitalize="off"
                    spellcheck="false" aria-autocomplete="list" aria-controls=list.id()
                    aria-expanded=move || list.is_shown().to_string() aria-activedescendant=move || list.active_id()
                    aria-invalid=move || error.with(Option::is_some).then_some("true") aria-describedby=described
                    prop:value=move || value.get() node_ref=node_ref
                    on:click=move |_| list.open()
                    on:input:target=move |event| typing(event.target().value())
                    on:keydown=move |event| _ = list.on_key(&event)/>
                <Listbox state=list label option=known_text/>
            </div>
            <p class="hint" id=hint_id>{hint}</p>
            {move || error.get().map(|error| view! {
                <p class="field-error" id=error_id.clone()><Icon glyph=lucide::CIRCLE_ALERT/>{error}</p>
            })}
        </div>
    }
}

fn known_text(known: &ComboboxOption) -> AnyView {
    let ComboboxOption { value, detail } = known.clone();
    view! { <span>{value}</span><span class="muted">{detail}</span> }.into_any()
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
